"""Nobody who works with the keyboard loses the place: what is removed or drawn anew hands the focus on."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from browser.servers import GatedEngine
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]


def status(page: Page, words: str) -> None:
    expect(page.locator("#status")).to_have_text(words)


def test_the_history_keeps_the_focus(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    for text in ("one", "two"):
        page.fill("#text", text)
        page.click("#speak")
        status(page, "Done.")
    page.get_by_role("button", name="Remove “two” from the list").press("Enter")
    expect(page.get_by_role("button", name="Remove “one” from the list")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This visit")).to_be_focused()


def test_the_end_of_a_run_leaves_the_focus_where_it_is(start: Serve, open_page: Open) -> None:
    engine = GatedEngine(free=1)
    page = open_page(start(engine).url)
    page.fill("#text", "one two")
    page.click("#speak")
    button = page.get_by_role("button", name="Play “one two”")
    button.focus()
    engine.gate.set()
    status(page, "Done.")
    expect(button).to_be_focused()


def test_stopping_hands_the_focus_on(start: Serve, open_page: Open) -> None:
    page = open_page(start(GatedEngine(free=1)).url)
    page.fill("#text", "one two")
    page.click("#speak")
    page.locator("#view-speak .stop").press("Enter")
    status(page, "Stopped.")
    expect(page.locator("#speak")).to_be_focused()


def test_the_list_of_voices_keeps_the_focus(start: Serve, open_page: Open) -> None:
    server = start()
    for name in ("anna", "bert"):
        files = {"audio_file": tone_reference().audio}
        httpx.post(f"{server.url}/add_speaker", data={"name": name}, files=files).raise_for_status()
    page = open_page(server.url, "/#voices")
    page.get_by_role("button", name="Rename anna").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Rename anna")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("New name of anna").fill("zoe")
    page.keyboard.press("Enter")
    status(page, "anna is now called zoe.")
    expect(page.get_by_role("button", name="Rename zoe")).to_be_focused()
    page.get_by_role("button", name="Delete bert").press("Enter")
    page.get_by_role("button", name="Delete", exact=True).press("Enter")
    status(page, "bert was deleted.")
    expect(page.get_by_role("button", name="Delete zoe")).to_be_focused()
    audio = tone_reference().audio
    page.set_input_files("#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": audio})
    page.get_by_label("Name of the voice").fill("carl")
    page.get_by_role("button", name="Save voice").press("Enter")
    status(page, "carl was saved and can be chosen everywhere.")
    expect(page.get_by_role("button", name="Save voice")).to_be_focused()
