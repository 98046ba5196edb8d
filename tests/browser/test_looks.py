"""For everybody, everywhere: both languages, light and dark, phones, keyboards, screen readers, a path of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import flashtts_server
from browser.hearing import wait_until_it_sounds
from browser.prefix import PREFIX, behind_prefix
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]

WEB = Path(flashtts_server.__file__).parent / "web"
VIEWS = ["/", "/#dialogue", "/#voices", "/docs"]
TEMPLATES = ("level", "pace", "sampling", "settings", "run", "theme", "dialogue", "script")
"""First words of keys that are put together in the scripts."""


def table(language: str) -> dict[str, str]:
    text = "".join(path.read_text(encoding="utf-8") for path in WEB.glob(f"texts-*{language}.js"))
    return dict(re.findall(r'^  "([^"]+)": "(.*)",$', text, re.MULTILINE))


def test_both_tables_have_the_same_texts_and_the_page_uses_all_of_them() -> None:
    english, chinese = table("en"), table("zh")
    assert english.keys() == chinese.keys()
    places = {key: set(re.findall(r"\{\w+\}", text)) for key, text in english.items()}
    assert places == {key: set(re.findall(r"\{\w+\}", text)) for key, text in chinese.items()}
    files = [path for path in WEB.iterdir() if path.suffix in {".js", ".html"} and not path.name.startswith("texts-")]
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r'"((?:[a-z]+\.)+[a-z_]+)"', sources)) & set(english)
    unused = {key for key in set(english) - named if not key.startswith(tuple(f"{word}." for word in TEMPLATES))}
    assert unused == set()
    for key in re.findall(r'\bt\("([^"$]+)"', sources) + re.findall(r'data-(?:text|label|hint)="([^"]+)"', sources):
        assert key in english, key


def test_the_language_follows_the_browser_and_can_be_switched(start: Serve, open_page: Open) -> None:
    server = start()
    page = open_page(server.url, locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#speak")).to_contain_text("朗读")
    expect(page.locator("#status")).to_have_text("已就绪。")
    page.get_by_role("button", name="切换到英文").click()
    expect(page.locator("#speak")).to_contain_text("Speak")
    page.reload()
    expect(page.locator("#speak")).to_contain_text("Speak")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="API (opens in a new tab)").click()
    page = opened.value
    expect(page.locator("#search")).to_have_attribute("placeholder", "Find an endpoint or field")
    page.get_by_role("button", name="Switch to Chinese").click()
    expect(page.locator("#search")).to_have_attribute("placeholder", "查找接口或字段")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_follow_the_system_and_can_be_switched(start: Serve, open_page: Open, scheme: str) -> None:
    page = open_page(start().url, color_scheme=scheme)
    ground = {"light": "rgb(243, 245, 243)", "dark": "rgb(15, 20, 18)"}
    expect(page.locator("body")).to_have_css("background-color", ground[scheme])
    page.click("#theme")
    expect(page.locator("body")).to_have_css("background-color", ground["light"])
    page.click("#theme")
    expect(page.locator("body")).to_have_css("background-color", ground["dark"])
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", ground["dark"])


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_serious(start: Serve, open_page: Open, scheme: str, width: int) -> None:
    server = start()
    for view in VIEWS:
        page = open_page(server.url, view, color_scheme=scheme, viewport={"width": width, "height": 800})
        if view == "/":
            page.locator("summary").click()
            page.fill("#text", "one two")
            page.click("#speak")
            expect(page.locator("#status")).to_have_text("Done.")
        if view == "/#voices":
            page.set_input_files(
                "#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": tone_reference().audio}
            )
            expect(page.locator("#taken")).to_be_visible()
        found = Axe().run(page).response["violations"]
        grave = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] != "minor"]
        assert not grave, (view, grave)
        page.context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_a_phone(start: Serve, open_page: Open, view: str) -> None:
    page = open_page(start().url, view, viewport={"width": 360, "height": 740}, has_touch=True)
    if view == "/":
        page.fill("#text", "one two")
        page.tap("#speak")
        expect(page.locator("#dock")).to_be_visible()
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page scrolls sideways"


def test_everything_is_reached_by_the_keyboard(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.textContent.trim()"))
    for name in ("Skip to the content", "Dialogue", "language", "theme", "text", "speak", "pitch", "speed", "Sampling"):
        assert name in reached, name
    page.fill("#text", "one two")
    page.locator("#speak").focus()
    page.keyboard.press("Enter")
    wait_until_it_sounds(page)
    expect(page.locator("#status")).to_have_text("Done.")
    page.locator("#toggle").focus()
    page.keyboard.press("Space")
    page.get_by_role("link", name="Voices").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A new voice")).to_be_visible()
    page.locator("#recording-file").focus()
    assert page.evaluate("() => document.activeElement.id") == "recording-file"


CONTRAST = """([one, other, part = "backgroundColor"]) => {
  const light = (node, part) => {
    const [red, green, blue] = getComputedStyle(document.querySelector(node))[part].match(/[\\d.]+/g)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [darker, brighter] = [light(one, "backgroundColor"), light(other, part)].sort((a, b) => a - b);
  return (brighter + 0.05) / (darker + 0.05);
}"""
CHOSEN = "#controls .segments :checked + span"


def test_what_is_chosen_is_seen_in_the_dark(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, color_scheme="dark")
    assert page.evaluate(CONTRAST, [CHOSEN, "#controls .segments"]) > 1.5


def test_what_is_chosen_is_seen_with_forced_colours(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, forced_colors="active")
    page.locator("summary").click()
    pairs = [
        (CHOSEN, "#controls .segments"), ('nav [href="#speak"]', "body"),
        ('.chip[aria-pressed="true"]', '.chip[aria-pressed="false"]'),
    ]  # fmt: skip
    for chosen, other in pairs:
        assert page.evaluate(CONTRAST, [chosen, other]) > 3, chosen
        assert page.evaluate(CONTRAST, [chosen, chosen, "color"]) > 4.5, chosen
    assert page.locator(".moon").evaluate("(node) => getComputedStyle(node).backgroundImage") != "none"
    heard, rest = page.locator("#wave").evaluate(
        "(node) => ['color', 'caretColor'].map((part) => getComputedStyle(node)[part])"
    )
    assert heard != rest


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_phone_has_room_for_everything(start: Serve, open_page: Open, locale: str) -> None:
    server = start()
    phone = {"viewport": {"width": 360, "height": 740}, "locale": locale}
    page = open_page(server.url, "/docs", **phone)
    assert row(page, "#theme") == row(page, "#language") == row(page, "header h1")
    page = open_page(server.url, "/#dialogue", **phone)
    turn = ".turn:first-child"
    assert row(page, f"{turn} .pitch") == row(page, f"{turn} .speed") > row(page, f"{turn} .role")
    assert row(page, f"{turn} .turn-acts") == row(page, f"{turn} .role")
    assert row(page, "#view-dialogue .stop") == row(page, "#play-all")


def row(page: Page, selector: str) -> int:
    """Return the middle of an element, in steps of 8 pixels from the top."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return round((box["y"] + box["height"] / 2) / 8)


def test_it_works_behind_a_path(start: Serve, open_page: Open) -> None:
    with behind_prefix(start().url) as url:
        page = open_page(url, f"{PREFIX}/")
        page.fill("#text", "one two")
        page.click("#speak")
        wait_until_it_sounds(page)
        expect(page.locator("#status")).to_have_text("Done.")
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="API").click()
        page = opened.value
        expect(page.locator("body[data-ready]")).to_be_attached()
        article = page.locator("#post-speak")
        expect(article.locator("pre").first).to_contain_text(f"{url}{PREFIX}/speak")
        article.get_by_role("button", name="Send").click()
        expect(article.locator("audio")).to_be_visible()
        page.context.close()
