"""Takes the screenshots of the documentation: ``python tests/browser/screenshots.py``, from anywhere."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import httpx  # noqa: E402  # the path above has to be there first
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

from browser.conftest import FLAGS, write_recording  # noqa: E402
from browser.hearing import LISTEN, wait_until_it_sounds  # noqa: E402
from engines.spark.serving import spark_server  # noqa: E402
from flashtts_engine_hibari.engine import HibariEngine  # noqa: E402
from flashtts_server.testing import LiveServer  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
DESK = {"width": 1200, "height": 760}
PHONE = {"width": 390, "height": 780}
TEXT = "On still nights the harbour talks in its sleep. Ropes creak, halyards tap, and far out a bell answers nobody."


def opened(browser: Browser, url: str, **context: object) -> Page:
    """Return a page that is ready."""
    visit = browser.new_context(**{"locale": "en-GB", "viewport": DESK, **context})  # type: ignore[arg-type]  # by name
    visit.add_init_script(LISTEN)
    page = visit.new_page()
    page.goto(url)
    expect(page.locator("body[data-ready]")).to_be_attached(timeout=60_000)
    return page


def taken(page: Page, name: str) -> None:
    """Save what is to be seen."""
    page.evaluate("() => document.fonts.ready")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
    page.context.close()


def speaking(page: Page, text: str = TEXT) -> None:
    """Speak a text, and be in the middle of it."""
    page.fill("#text", text)
    page.click("#speak")
    expect(page.locator("#status")).to_have_text("Done.", timeout=60_000)
    page.locator("#position").fill("3")
    wait_until_it_sounds(page)
    page.click("#toggle")


def with_the_embedded_voice(browser: Browser) -> None:
    """Take the pictures of the first impression."""
    with LiveServer(HibariEngine.load) as server:
        page = opened(browser, server.url)
        speaking(page, "Good evening. This sentence was made a moment ago, on a computer without a graphics card.")
        expect(page.locator("#history li")).to_have_count(1)
        speaking(page)
        taken(page, "speak")
        page = opened(browser, server.url, color_scheme="dark", viewport=PHONE, device_scale_factor=2)
        speaking(page)
        taken(page, "phone-dark")
        page = opened(browser, f"{server.url}/docs", color_scheme="dark")
        article = page.locator("#post-speak")
        article.locator(".tryout").scroll_into_view_if_needed()
        article.get_by_role("button", name="Send").click()
        expect(article.locator("audio")).to_be_visible(timeout=60_000)
        article.locator("h4").last.evaluate("(node) => node.scrollIntoView()")
        taken(page, "api-dark")


def with_spark(browser: Browser, folder: Path) -> None:
    """Take the pictures of cloning and dialogue."""
    write_recording(folder / "anna.wav", seconds=42)
    with spark_server(folder / "voices") as server:
        for name in ("anna", "老船长"):
            files = {"audio_file": (folder / "short.wav").read_bytes()}
            httpx.post(f"{server.url}/add_speaker", data={"name": name}, files=files, timeout=60).raise_for_status()
        page = opened(browser, f"{server.url}/#voices", viewport={"width": 1200, "height": 1020})
        page.set_input_files("#recording-file", folder / "anna.wav")
        page.get_by_label("End of the part").fill("36")
        page.locator("#text").evaluate("() => window.scrollTo(0, 0)")
        taken(page, "voices")
        page = opened(browser, f"{server.url}/#dialogue", locale="zh-CN")
        page.locator("summary").click()
        page.locator("#max_tokens").fill("400")
        page.locator("#turns select.role").nth(1).select_option("老船长")
        page.click("#play-all")
        expect(page.locator("#status")).to_have_text("完成。", timeout=60_000)
        page.locator("#position").fill("0.2")
        wait_until_it_sounds(page)
        expect(page.locator(".turn.current")).to_have_count(1)
        taken(page, "dialogue-zh")


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    assert chromium is not None, "apt-get install chromium fonts-noto-cjk"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        write_recording(Path(folder) / "short.wav", seconds=3)
        with_the_embedded_voice(browser)
        with_spark(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
