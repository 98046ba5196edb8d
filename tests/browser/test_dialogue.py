"""The script editor: turns and markup are the same dialogue, and the turn that is heard is the one that is marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.hearing import wait_until_it_sounds
from browser.test_voices import spark, status  # noqa: F401  # spark is a fixture
from flashtts_core.errors import RequestError
from flashtts_core.text.script import Turn, format_script, parse_script
from flashtts_core.types import LEVELS
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]

SCRIPTS = [
    "<role:female>Hi.<role:male>Ho.",
    "<role:female,pitch:high,speed:low>Hi.\n<role:male,speed:very_high>Ho <laugh> there.",
    " \n<role: Anna Lee , pitch : very_low >  spaced  \n",
    "<role:娜娜>你好。<role:male>Hello: a, b.",
    "<role:a>1 < 2 and 3 > 2<role:b>x",
]
BROKEN = [
    "no tag",
    "before<role:a>x",
    "<role:a>",
    "<role:a>x<role:b> ",
    "<role:>x",
    "<role:a:b>x",
    "<role a>x",
    "<role:a,volume:high>x",
    "<role:a,pitch:high,pitch:low>x",
    "<role:a,pitch:loud>x",
    "<role:a,>x",
    "</role:a>x",
    "< ROLE : a>x",
    "<role：a>x",
    "<role:a>x<role",
    "",
]
PARSE = """async ([text, levels]) => {
  const { formatScript, parseScript } = await import(new URL("static/script.js", document.baseURI));
  try {
    const turns = parseScript(text, levels);
    return { turns, markup: formatScript(turns) };
  } catch (error) {
    return { error: error.message };
  }
}"""


@pytest.fixture
def page(start: Serve, open_page: Open) -> Page:
    return open_page(start().url, "/#dialogue")


def as_python(turn: dict[str, Any]) -> Turn:
    return Turn(turn["role"], turn["text"], turn["pitch"] or None, turn["speed"] or None)


def test_the_page_reads_and_writes_markup_as_the_server_does(page: Page) -> None:
    for text in SCRIPTS:
        found = page.evaluate(PARSE, [text, LEVELS])
        turns = parse_script(text)
        assert [as_python(turn) for turn in found["turns"]] == turns, text
        assert found["markup"] == format_script(turns)
    for text in BROKEN:
        with pytest.raises(RequestError):
            parse_script(text)
        found = page.evaluate(PARSE, [text, LEVELS])
        assert found.get("error", "").endswith("."), text


def test_turns_become_markup_and_markup_turns(page: Page) -> None:
    page.get_by_label("Text of turn 1").fill("Hi.")
    page.get_by_label("Pitch of turn 1").select_option("high")
    page.get_by_label("Text of turn 2").fill("Ho.")
    page.get_by_label("Speed of turn 2").select_option("very_low")
    page.get_by_role("button", name="Add a turn").click()
    expect(page.get_by_label("Text of turn 3")).to_be_focused()
    page.keyboard.type("Ha.")
    page.get_by_role("button", name="Move turn 3 up").click()
    page.check("input[value=markup]", force=True)
    markup = page.get_by_label("The dialogue as markup")
    expect(markup).to_have_value("<role:female,pitch:high>Hi.\n<role:female>Ha.\n<role:male,speed:very_low>Ho.")
    markup.fill("<role:male,pitch:low>One.<role:nobody>Two.")
    page.check("input[value=turns]", force=True)
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.get_by_label("Voice of turn 1")).to_have_value("male")
    expect(page.get_by_label("Pitch of turn 1")).to_have_value("low")
    expect(page.get_by_label("Voice of turn 2").locator("option:checked")).to_have_text("unknown: nobody")
    page.get_by_role("button", name="Remove turn 1").click()
    expect(page.get_by_label("Text of turn 1")).to_have_value("Two.")
    page.click("#play-all")
    expect(page.get_by_role("alert")).to_contain_text("There is no voice 'nobody'. Known voices: female, male.")


def test_markup_that_cannot_be_read_stays_and_says_why(page: Page) -> None:
    page.check("input[value=markup]", force=True)
    page.get_by_label("The dialogue as markup").fill("<role:female>Hi.\n<role:male,pitch:loud>Ho.")
    page.click("input[value=turns]", force=True)
    expect(page.get_by_role("alert")).to_contain_text("The role tag of male in line 2 has an unknown level: pitch:loud")
    expect(page.get_by_label("The dialogue as markup")).to_be_visible()


def test_an_empty_turn_is_named(page: Page) -> None:
    page.get_by_label("Text of turn 2").fill(" ")
    page.click("#play-all")
    expect(page.get_by_role("alert")).to_contain_text("Turn 2 says nothing yet")


def test_a_dialogue_survives_a_reload(page: Page) -> None:
    page.get_by_label("Text of turn 1").fill("Still here.")
    page.get_by_label("Speed of turn 1").select_option("low")
    page.get_by_role("button", name="Add a turn").click()
    page.keyboard.type("Me too.")
    page.reload()
    expect(page.get_by_label("Text of turn 1")).to_have_value("Still here.")
    expect(page.get_by_label("Speed of turn 1")).to_have_value("low")
    expect(page.get_by_label("Text of turn 3")).to_have_value("Me too.")
    page.check("input[value=markup]", force=True)
    page.get_by_label("The dialogue as markup").fill("<role:male>Hm.")
    page.reload()
    expect(page.get_by_label("The dialogue as markup")).to_have_value("<role:male>Hm.")


def test_a_dialogue_is_measured_and_not_sent_if_it_is_too_long(page: Page) -> None:
    page.get_by_role("button", name="Remove turn 2").click()
    page.get_by_label("Text of turn 1").fill("x" * 1400)
    expect(page.locator("#dialogue-count")).to_have_text("1,413 of 20,000 characters")
    expect(page.locator("#dialogue-estimate")).to_have_text("about 1 min 40 s of speech")
    page.check("input[value=markup]", force=True)
    page.get_by_label("The dialogue as markup").fill("<role:female>" + "x" * 19_988)
    expect(page.locator("#dialogue-count")).to_contain_text("Too long by 1")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.click("#play-all")
    expect(page.get_by_role("alert")).to_contain_text("Too long by 1: the server takes 20,000 characters.")
    assert not sent


def test_a_dialogue_in_the_speak_box_is_offered_as_one(page: Page) -> None:
    page.get_by_role("link", name="Speak", exact=True).click()
    page.fill("#text", "plain")
    expect(page.locator("#scripted")).to_be_hidden()
    page.fill("#text", "<role:male>Hi.<role:female,speed:low>Ho.")
    expect(page.locator("#scripted")).to_contain_text("This looks like a dialogue.")
    page.get_by_role("button", name="Open it under Dialogue").click()
    expect(page.get_by_label("Voice of turn 1")).to_have_value("male")
    expect(page.get_by_label("Text of turn 2")).to_have_value("Ho.")
    page.get_by_role("link", name="Speak", exact=True).click()
    page.fill("#text", "<role:male,pitch:loud>Hi.")
    page.get_by_role("button", name="Open it under Dialogue").click()
    expect(page.get_by_role("alert")).to_contain_text("unknown level: pitch:loud")
    expect(page.get_by_label("The dialogue as markup")).to_be_visible()


WATCH = """() => {
  window.marked = [];
  const look = () => {
    const index = [...document.querySelectorAll(".turn")].findIndex((turn) => turn.getAttribute("aria-current"));
    if (window.marked.at(-1) !== index) window.marked.push(index);
  };
  new MutationObserver(look).observe(document.getElementById("turns"), { subtree: true, attributes: true });
}"""


@pytest.mark.parametrize("name", ["tones", "spark"])
def test_the_whole_plays_and_the_turn_that_is_heard_is_marked(
    request: pytest.FixtureRequest, start: Serve, open_page: Open, name: str
) -> None:
    server = start() if name == "tones" else request.getfixturevalue("spark")
    page = open_page(server.url, "/#dialogue")
    if name == "spark":
        page.locator("summary").click()
        page.get_by_label("Most tokens").fill("70")
    page.get_by_label("Text of turn 1").fill("one two three.")
    page.get_by_label("Text of turn 2").fill("four five six.")
    page.evaluate(WATCH)
    with page.expect_request("**/multi_speak") as asked:
        page.click("#play-all")
    assert (asked.value.post_data_json or {})["text"] == "<role:female>one two three.\n<role:male>four five six."
    wait_until_it_sounds(page)
    status(page, "Done.")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert [index for index in page.evaluate("() => window.marked") if index >= 0] == [0, 1]
    expect(page.locator(".turn.current")).to_have_count(0)
