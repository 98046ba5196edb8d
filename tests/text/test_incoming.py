"""Text that arrives in pieces: where it is cut, that nothing is lost, and that the pieces do not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.text.incoming import LONGEST, Granularity, IncomingText

TEXTS = [
    "Hello there. I met Dr. Who yesterday, i.e. at 3.14 pm. J. R. R. Tolkien wrote it!\nNew line\n\n* * *\nThe end",
    '"Really?" she asked. Yes… no. Well: one, two — three; four. 5. May? 6.',
    "你好。我是小明，今年十二岁。他说：“好。”她笑了。价格是3，000元。",
    "नमस्ते। आप कैसे हैं? डॉ. शर्मा यहाँ हैं।",
]


def cut(pieces: list[str], language: str = "en", granularity: Granularity = "sentence") -> list[str]:
    text = IncomingText(lambda _: language, granularity)
    return [part for piece in pieces for part in text.add(piece)] + text.finish()


def test_a_sentence_is_handed_on_as_soon_as_the_word_after_it_is_there() -> None:
    text = IncomingText(lambda _: "en")
    assert text.add("One two.") == []
    assert text.add(" Th") == []
    assert text.add("ree ") == ["One two. "]
    assert text.add("four.\n") == ["Three four.\n"]
    assert text.finish() == []


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I met Dr. Who there. He ran. ", "en", ["I met Dr. Who there. ", "He ran. "]),
        ("It costs 3.50 now. Good. ", "en", ["It costs 3.50 now. ", "Good. "]),
        ("你好。我是小明。", "zh", ["你好。", "我是小明。"]),
        ("Wait... what? Yes! ", "en", ["Wait... what? ", "Yes! "]),
    ],
)
def test_ends_are_told_from_dots(text: str, language: str, expected: list[str]) -> None:
    assert cut(list(text), language) == expected


def test_clauses_are_cut_where_they_are_wanted_or_a_sentence_is_long() -> None:
    text = "This is a clause of some length, and this is another one, too. End"
    assert cut([text]) == [text[:-3], "End"]
    assert cut([text], granularity="clause")[0] == "This is a clause of some length, "
    long = "word " * 41 + "word, and then it goes on for a while. End"
    assert cut([long])[0] == "word " * 41 + "word, "


def test_a_text_without_ends_is_cut_between_words_or_at_last_anywhere() -> None:
    assert {len(part) for part in cut(["word " * 300])[:-1]} == {LONGEST}
    assert [len(part) for part in cut(["x" * (2 * LONGEST + 50)])] == [LONGEST, LONGEST, 50]


@given(
    text=st.one_of(
        st.sampled_from(TEXTS),
        st.text(st.sampled_from(list("ab. ,!?\n。，“”\"'3é—;:)\u00a0\u200b🙂")), max_size=900),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    ),
    sizes=st.lists(st.integers(1, 40), min_size=1),
    granularity=st.sampled_from(["sentence", "clause"]),
)
def test_nothing_is_lost_and_the_pieces_do_not_matter(text: str, sizes: list[int], granularity: Granularity) -> None:
    pieces, at, number = [], 0, 0
    while at < len(text):
        pieces.append(text[at : at + sizes[number % len(sizes)]])
        at += len(pieces[-1])
        number += 1
    parts = cut(pieces, granularity=granularity)
    assert "".join(parts) == text
    assert parts == cut([text], granularity=granularity)


def test_a_character_may_come_in_two_halves() -> None:
    assert cut(["Hi \ud83d", "\ude42. \ud842", "", "\udfb7 too"]) == ["Hi 🙂. ", "𠮷 too"]
    assert "".join(cut(["a\ud83d", "b", "\ude42c", "d\ud83d"])) == "a\ufffdb\ufffdcd"
