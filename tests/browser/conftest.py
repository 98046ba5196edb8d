"""A real browser (chromium) in front of real servers; every page is watched for errors and for requests elsewhere."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.hearing import LISTEN
from browser.servers import serve
from flashtts_core.engines import Engine
from flashtts_core.testing import ToneEngine
from flashtts_engine_hibari.engine import HibariEngine
from flashtts_server.testing import LiveServer

SECONDS = 60
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def speech_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of 40 s that the browser's microphone plays and the tests upload."""
    path = tmp_path_factory.mktemp("recordings") / "speech.wav"
    write_recording(path, seconds=40)
    return path


def write_recording(path: Path, seconds: float, pitch: float = 330, rate: int = 48_000) -> None:
    """Write a tone of a pitch that swells and fades, as a wav file."""
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.5 * np.sin(2 * np.pi * pitch * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(tone * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="session")
def browser(speech_file: Path) -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*FLAGS, f"--use-file-for-fake-audio-capture={speech_file}"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a page of a server in a browser that has never been there, and check at the end how it behaved."""
    with ExitStack() as stack:

        def open_(url: str, path: str = "/", *, ready: bool = True, **context: object) -> Page:
            visit = browser.new_context(**{"locale": "en-GB", **context})  # type: ignore[arg-type]  # by name
            visit.set_default_timeout(SECONDS * 1000)
            visit.add_init_script(LISTEN)
            stack.callback(visit.close)
            page = visit.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("request", lambda request: faults.extend(_elsewhere(request.url, url)))
            stack.callback(lambda: _assert_none(faults))
            page.goto(url + path)
            if ready:
                expect(page.locator("body[data-ready]")).to_be_attached()
            return page

        yield open_


def _elsewhere(asked: str, home: str) -> list[str]:
    """Return a request that leaves the server, as a fault."""
    parts = urlsplit(asked)
    at_home = parts.scheme in {"blob", "data"} or parts.netloc == urlsplit(home).netloc
    return [] if at_home else [f"a request left for {asked}"]


def _assert_none(faults: list[str]) -> None:
    assert not faults, faults


@pytest.fixture(scope="session")
def english() -> Iterator[LiveServer]:
    """The embedded voice."""
    with LiveServer(HibariEngine.load) as server:
        yield server


@pytest.fixture
def start() -> Iterator[Serve]:
    """Start servers around engines; they end with the test."""
    with ExitStack() as stack:

        def begin(engine: Engine | None = None, *given: object, **named: object) -> LiveServer:
            server = serve(engine or ToneEngine(), *given, **named)  # type: ignore[arg-type]  # passed on
            return stack.enter_context(server)

        yield begin


@pytest.fixture
def eventually() -> Callable[[Page, Callable[[], bool]], None]:
    """Wait until something is so, looking again with every turn of the page."""

    def wait(page: Page, condition: Callable[[], bool]) -> None:
        for _ in range(1000):
            if condition():
                return
            page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 20))")
        raise AssertionError("it did not come about")

    return wait
