"""The dialogue markup: what is read, what is refused and how, and that writing undoes reading."""

from __future__ import annotations

import re
from contextlib import suppress
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.errors import RequestError
from flashtts_core.text.script import Turn, format_script, parse_script
from flashtts_core.types import LEVELS


def test_turns_come_in_order_with_their_attributes() -> None:
    script = "<role:Ann>Hello.\n<role:Bob,pitch:high,speed:low> Hi! <role: 张三 , speed : very_high >你好。\n"
    assert parse_script(script) == [
        Turn("Ann", "Hello."),
        Turn("Bob", "Hi!", pitch="high", speed="low"),
        Turn("张三", "你好。", speed="very_high"),
    ]


def test_attributes_may_come_in_any_order() -> None:
    assert parse_script("<role:a,speed:low,pitch:moderate>x") == [Turn("a", "x", pitch="moderate", speed="low")]


def test_white_space_before_the_first_tag_does_not_count() -> None:
    assert parse_script(" \n<role:a>x") == [Turn("a", "x")]


@pytest.mark.parametrize(
    "said", ["Ha <laugh> ha", "a < b > c", "<roles>", "<roleplay: x>", "in my role: a clown", "5 <3"]
)
def test_other_angle_brackets_stay_in_the_text(said: str) -> None:
    assert parse_script(f"<role:a>{said}") == [Turn("a", said)]


@pytest.mark.parametrize(
    ("script", "wrong", "position"),
    [
        ("", "no role tag", "line 1, column 1"),
        ("Hello.", "no role tag", "line 1, column 1"),
        ("Hello. <role:a>x", "text before the first role tag", "line 1, column 1"),
        ("<role:a>x\n  <role:b> \n", "The turn of 'b' has no text", "line 2, column 3"),
        ("<role:a><role:b>x", "The turn of 'a' has no text", "line 1, column 1"),
        ("<role:>x", "no proper name", "line 1, column 1"),
        ("<role: ,pitch:low>x", "no proper name", "line 1, column 1"),
        ("<role:a:b>x", "no proper name", "line 1, column 1"),
        ("<role:a,volume:high>x", "unknown attribute 'volume:high'", "line 1, column 1"),
        ("<role:a,high>x", "unknown attribute 'high'", "line 1, column 1"),
        ("<role:a,>x", "unknown attribute ''", "line 1, column 1"),
        ("<role:a,pitch:loud>x", "unknown pitch 'loud'", "line 1, column 1"),
        ("<role:a,pitch>x", "unknown pitch ''", "line 1, column 1"),
        ("<role:a,pitch:low,pitch:low>x", "gives pitch twice", "line 1, column 1"),
        ("<role:a>x <role:b y", "malformed", "line 1, column 11"),
        ("<role:a>x <role:b <laugh> y", "malformed", "line 1, column 11"),
        ("<role：张三>你好", "malformed", "line 1, column 1"),
        ("<Role:a>x", "malformed", "line 1, column 1"),
        ("< role:a>x", "malformed", "line 1, column 1"),
        ("<role>x", "malformed", "line 1, column 1"),
        ("<role:a>x</role>", "malformed", "line 1, column 10"),
        ("<role=a>x", "malformed", "line 1, column 1"),
        ("<role:a>x <role", "malformed", "line 1, column 11"),
    ],
)
def test_a_refusal_says_what_is_wrong_where_and_what_is_right(script: str, wrong: str, position: str) -> None:
    with pytest.raises(RequestError) as refusal:
        parse_script(script)
    message = str(refusal.value)
    assert wrong in message
    assert position in message
    assert "<role:NAME,pitch:high,speed:low>" in message
    assert all(level in message for level in LEVELS)
    assert refusal.value.param == "text"


@pytest.mark.parametrize(
    "turn",
    [
        Turn("", "x"),
        Turn(" a", "x"),
        Turn("a:b", "x"),
        Turn("a,b", "x"),
        Turn("a>", "x"),
        Turn("a", ""),
        Turn("a", "x "),
        Turn("a", "x <role:b> y"),
        Turn("a", "x < ROLE >"),
    ],
)
def test_a_turn_that_the_markup_cannot_carry_is_not_written(turn: Turn) -> None:
    with pytest.raises(RequestError, match="1"):
        format_script([turn])


LEVEL = st.none() | st.sampled_from(LEVELS)
STRIPPED = st.text(min_size=1).map(str.strip).filter(bool)
TURN = st.builds(
    Turn,
    role=STRIPPED.filter(lambda name: not set("<>,:") & set(name)),
    text=STRIPPED.filter(lambda text: not re.search(r"role", text, re.IGNORECASE)),
    pitch=LEVEL,
    speed=LEVEL,
)


@given(st.lists(TURN, min_size=1, max_size=6))
def test_what_was_written_reads_back_as_the_same(turns: list[Turn]) -> None:
    assert parse_script(format_script(turns)) == turns


@given(st.text("<role:a,pitchspeedlow> \n：xX/", max_size=60))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        turns = parse_script(text)
    except RequestError:
        return
    assert all(turn.role and turn.text for turn in turns)
    assert parse_script(format_script(turns)) == turns


@pytest.mark.parametrize("unit", ["<", "< ", "<role", "<role:a>x", "<" + " " * 20_000])
def test_a_long_script_takes_milliseconds(unit: str) -> None:
    started = thread_time()
    with suppress(RequestError):
        parse_script(unit * (20_000 // len(unit) + 1))
    assert thread_time() - started < 1
