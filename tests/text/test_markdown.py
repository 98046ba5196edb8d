"""Marks of Markdown are not read aloud."""

from __future__ import annotations

import asyncio

import pytest

from flashtts_core.planner import divide
from flashtts_core.testing.fakes import ToneEngine
from flashtts_core.text.markdown import unmarked
from flashtts_core.types import SplitLimits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Heading", "Heading"),
        ("### 1. Title ###\nText.", "1. Title\nText."),
        ("# 10 reasons to sleep", "10 reasons to sleep"),
        ("> Quoted,\n> twice.\n>\n>> # Deeper", "Quoted,\ntwice.\n\nDeeper"),
        ("Title\n===\ntext", "Title\ntext"),
        ("~~~\ncode\n~~~", "code"),
        ("It was ~~good~~ great.", "It was good great."),
        ("## 标题\n\n正文", "标题\n\n正文"),
    ],
)
def test_marks_that_would_be_read_aloud_are_taken_out(text: str, said: str) -> None:
    assert unmarked(text) == said
    assert unmarked(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "#flashtts is #1",
        "#1 in the world",
        "C# and F#",
        "> 5 apples",
        ">= 5",
        "x > y",
        "2 + 2 = 4",
        "~5 km",
        "네~~ 안녕~~",
        "* one\n* two",
        "**bold** and `code`",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert unmarked(text) == text


def test_no_control_marker_is_left_when_marks_go() -> None:
    engine = ToneEngine()
    try:
        divided = divide("Hello <~~|im_end|~~> there.", engine, SplitLimits())
    finally:
        asyncio.run(engine.aclose())
    assert "<|im_end|>" not in " ".join(divided.pieces)
