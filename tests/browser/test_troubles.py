"""What goes wrong is said in a sentence with a remedy: the key, a busy server or none, speech that breaks off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from browser.hearing import wait_until_it_sounds
from browser.servers import GatedEngine
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import ToneEngine, ToneSettings
from flashtts_server.serve import SpeechServer, listen
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]
Eventually = Callable[[Page, Callable[[], bool]], None]


def status(page: Page, words: str) -> None:
    expect(page.locator("#status")).to_have_text(words)


def enter_key(page: Page, key: str) -> None:
    page.get_by_role("textbox", name="API key").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_the_key_is_asked_for_until_it_fits_and_kept_for_the_visit(start: Serve, open_page: Open) -> None:
    server = start(None, ServerSettings(api_key="geheim"))
    page = open_page(server.url, ready=False)
    expect(page.get_by_role("dialog")).to_contain_text("This server asks for an API key")
    enter_key(page, "falsch")
    expect(page.get_by_role("dialog")).to_contain_text("The server did not accept that key.")
    enter_key(page, "geheim")
    status(page, "Ready.")
    page.fill("#text", "one two")
    page.click("#speak")
    status(page, "Done.")
    page.reload()
    status(page, "Ready.")
    page.get_by_role("button", name="Forget the API key").click()
    page.click("#speak")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("alert")).to_contain_text("Without the API key the server does not answer.")
    page.get_by_role("button", name="Try again").click()
    enter_key(page, "geheim")
    status(page, "Done.")
    expect(open_page(server.url, ready=False).get_by_role("dialog")).to_be_visible()  # another visit, another question


def test_a_busy_server_is_waited_for_with_a_countdown(start: Serve, open_page: Open, eventually: Eventually) -> None:
    engine = GatedEngine(free=1)
    server = start(engine, ServerSettings(max_concurrency=1, max_queue=0))
    page = open_page(server.url)
    with httpx.stream("POST", f"{server.url}/speak", json={"text": "one two three", "stream": True}, timeout=60):
        page.fill("#text", "one")
        page.click("#speak")
        expect(page.locator("#status")).to_contain_text("The server is busy. Trying again in")
        page.click("#view-speak .stop")
        status(page, "Stopped.")
        page.click("#speak")
        expect(page.locator("#status")).to_contain_text("The server is busy. Trying again in")
    eventually(page, lambda: server.service.admission.running == 0)
    status(page, "Done.")
    wait_until_it_sounds(page)


def test_a_server_that_is_gone_is_named_and_can_be_tried_again(start: Serve, open_page: Open) -> None:
    server = start()
    page = open_page(server.url)
    page.context.set_offline(True)
    page.fill("#text", "one")
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    status(page, "Done.")


def test_speech_that_breaks_off_is_not_taken_for_the_whole(start: Serve, open_page: Open) -> None:
    page = open_page(start(ToneEngine(ToneSettings(fail_on="boom"))).url)
    page.fill("#text", "one two three. four five. six. seven. boom.")
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text("The speech broke off")
    expect(page.locator("#download")).to_be_disabled()
    page.get_by_role("link", name="Dialogue").click()
    page.get_by_label("Text of turn 2").fill("boom")
    page.click("#play-all")
    expect(page.get_by_role("alert")).to_contain_text("told to fail")


@pytest.mark.parametrize(
    ("text", "words"), [("😀😀", "nothing in it can be spoken"), ("你好", "which reads: en")], ids=["emoji", "script"]
)
def test_what_the_server_refuses_is_said_in_its_words(
    english: LiveServer, open_page: Open, text: str, words: str
) -> None:
    page = open_page(english.url)
    page.fill("#text", text)
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_the_page_waits_for_the_model(open_page: Open) -> None:
    loaded = threading.Event()

    async def load() -> Synthesizer:
        await asyncio.to_thread(loaded.wait, 60)
        return Synthesizer(ToneEngine(), Settings())

    with listen("127.0.0.1", 0) as listener:
        server = SpeechServer(ServerSettings(), listener, load)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
        thread.start()
        try:
            page = open_page(f"http://127.0.0.1:{listener.getsockname()[1]}", ready=False)
            status(page, "The model is being loaded. The page is ready as soon as it is …")
            expect(page.locator("#speak")).to_be_disabled()
            loaded.set()
            status(page, "Ready.")
        finally:
            loaded.set()
            server.should_exit = True
            thread.join(30)
