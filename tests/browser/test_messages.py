"""What the page says is seen wherever one is, goes when it is mended, and is repeated only where that can help."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from browser.hearing import wait_until_it_sounds
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]

IN_SIGHT = """(id) => {
  const [box, dock] = [id, "dock"].map((each) => document.getElementById(each).getBoundingClientRect());
  return box.height > 0 && box.top >= 0 && box.bottom <= (dock.height ? dock.top : innerHeight);
}"""
LISTEN = """() => {
  window.told = [];
  window.ticks = [];
  for (const [id, words] of [["status", window.told], ["tick", window.ticks]]) {
    const node = document.getElementById(id);
    new MutationObserver(() => node.textContent && words.push(node.textContent)).observe(node, { childList: true });
  }
}"""
HURRY = "() => { const slow = window.setInterval; window.setInterval = (act) => slow(act, 20); }"


def status(page: Page, words: str) -> None:
    expect(page.locator("#status")).to_have_text(words)


def refuse(page: Page, path: str, code: int, message: str = "No.", **headers: str) -> None:
    """Let the next request for a path be answered with an error."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "x"}

    def answer(route: Route) -> None:
        route.fulfill(status=code, headers=headers, content_type="application/json", body=json.dumps({"error": error}))

    page.route(path, answer, times=1)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_messages_are_in_sight_wherever_one_is(start: Serve, open_page: Open, width: int, height: int) -> None:
    server = start()
    httpx.post(f"{server.url}/add_speaker", data={"name": "zoe"}, files={"audio_file": tone_reference().audio})
    page = open_page(server.url, viewport={"width": width, "height": height})
    page.fill("#text", "one")
    page.click("#speak")
    status(page, "Done.")
    page.get_by_role("link", name="Voices").click()
    page.get_by_role("button", name="Rename zoe").click()
    page.get_by_label("New name of zoe").fill("female")
    page.evaluate("() => scrollTo(0, 0)")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("'female'")
    assert page.evaluate(IN_SIGHT, "problem"), "it is behind the player or off the screen"
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.evaluate("() => scrollTo(0, 0)")
    page.get_by_role("button", name="Delete zoe").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    status(page, "zoe was deleted.")
    assert page.evaluate(IN_SIGHT, "status")


def test_what_is_scrolled_to_is_not_behind_the_player(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, viewport={"width": 1280, "height": 600})
    page.fill("#text", "one")
    page.click("#speak")
    status(page, "Done.")
    page.locator("summary").click()
    page.locator("#seed").evaluate("(node) => { scrollTo(0, 0); node.scrollIntoView({ block: 'nearest' }); }")
    assert page.evaluate(IN_SIGHT, "seed")
    page.evaluate("() => scrollTo(0, 0)")
    page.locator("#toggle").focus()
    assert page.evaluate("() => scrollY") == 0, "the player is in sight already"


def test_being_ready_is_not_worth_a_cover(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, "/#voices", viewport={"width": 1280, "height": 600})
    status(page, "Ready.")
    expect(page.locator("#messages")).not_to_have_class("afloat")


@pytest.mark.parametrize("code", [400, 404, 413, 415, 500])
def test_trying_again_is_offered_only_where_it_can_help(start: Serve, open_page: Open, code: int) -> None:
    page = open_page(start().url)
    refuse(page, "**/speak", code)
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text("No.")
    expect(page.locator("#again")).to_be_visible(visible=code == 500)
    page.fill("#text", "one")
    expect(page.get_by_role("alert")).to_be_visible(visible=code == 500)


def test_trying_again_says_what_the_form_says_now(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.fill("#text", "won")
    page.context.set_offline(True)
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.context.set_offline(False)
    page.fill("#text", "one")
    with page.expect_request("**/speak") as asked:
        page.get_by_role("button", name="Try again").click()
    assert (asked.value.post_data_json or {})["text"] == "one"
    status(page, "Done.")


def test_errors_go_when_they_are_mended_or_left(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, "/#voices")
    page.set_input_files("#recording-file", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    expect(page.get_by_role("alert")).to_contain_text("a.txt is not a recording")
    audio = tone_reference().audio
    page.set_input_files("#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": audio})
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Save voice").click()
    expect(page.get_by_role("alert")).to_contain_text("Give the voice a name first.")
    page.get_by_role("link", name="Speak", exact=True).click()
    expect(page.get_by_role("alert")).to_be_hidden()
    page.fill("#text", "")
    page.click("#speak")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Close this message").click()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_countdown_is_seen_every_second_and_read_aloud_now_and_then(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.evaluate(LISTEN)
    page.evaluate(HURRY)
    refuse(page, "**/speak", 429, **{"Retry-After": "40"})
    page.click("#speak")
    status(page, "Done.")
    busy = [words for words in page.evaluate("() => window.told") if "busy" in words]
    assert busy == [f"The server is busy. Trying again in {seconds} s …" for seconds in (40, 25, 10)]
    assert len(page.evaluate("() => window.ticks")) == 40
    expect(page.locator("#tick")).to_have_attribute("aria-hidden", "true")


def test_a_sample_waits_for_a_busy_server_with_a_countdown(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    refuse(page, "**/speak", 429, **{"Retry-After": "3"})
    page.get_by_role("button", name="Hear female").click()
    expect(page.locator("#tick")).to_contain_text("The server is busy. Trying again in 2 s")
    wait_until_it_sounds(page)
    expect(page.locator("#tick")).to_be_empty()
    expect(page.locator("#status")).to_be_empty()


def test_what_was_left_out_is_said_in_words(english: LiveServer, open_page: Open) -> None:
    page = open_page(english.url)
    page.fill("#text", "Hello, 你好.")
    page.click("#speak")
    status(page, "Done. Left out, as this voice cannot read it: Chinese characters.")
    say = 'async (header) => (await import(new URL("static/leftout.js", document.baseURI))).leftOut(header)'
    words = page.evaluate(say, "top_p, instructions, text:Han, text:Cuneiform")
    assert words == (
        "Done. Left out, as this voice cannot read it: Chinese characters and Cuneiform. "
        "Not used by this model: Top p and instructions."
    )
    page.get_by_role("button", name="Switch to Chinese").click()
    assert page.evaluate(say, "text:Han, seed") == "完成。此音色不会读，已略过：汉字。此模型未使用：种子。"
