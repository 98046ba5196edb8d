"""Splitting: what stays together, where it is cut, what holds for any text, and what a long text costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from time import thread_time

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from flashtts_core.text.split import split
from flashtts_core.types import SplitLimits


def words(text: str) -> int:
    return len(text.split())


def like_a_tokenizer(text: str) -> int:
    """Four bytes a token in every word: not additive, as a token spans any border within a word."""
    return sum(math.ceil(len(word.encode()) / 4) for word in text.split())


def capricious(text: str) -> int:
    """A count that falls when text is added, now and then."""
    return len(text) // 3 + len(text) % 7


def window(size: int, threshold: int = 1) -> SplitLimits:
    return SplitLimits(length_threshold=threshold, window_size=size)


def cut(
    text: str, size: int, count: Callable[[str], int] = words, language: str = "en", merge: bool = True
) -> list[str]:
    return split(text, language=language, count_tokens=count, limits=window(size), merge=merge)


def test_a_text_up_to_the_threshold_stays_whole_even_over_the_window() -> None:
    text = "One two. Three four. Five."
    assert split(text, language="en", count_tokens=words, limits=window(2, threshold=5)) == [text]
    assert split(text, language="en", count_tokens=words, limits=window(2, threshold=4)) == [
        "One two.",
        "Three four.",
        "Five.",
    ]


def test_sentences_are_gathered_while_the_window_has_room() -> None:
    assert cut("A b. C d. E f. G h.", 5) == ["A b. C d.", "E f. G h."]


def test_without_merging_a_text_up_to_the_threshold_is_cut_at_sentences_only() -> None:
    long = "one two three four five six. Seven."
    cut_short = split(long, language="en", count_tokens=words, limits=window(3, threshold=10), merge=False)
    assert cut_short == ["one two three four five six.", "Seven."]
    cut_long = split(long, language="en", count_tokens=words, limits=window(3, threshold=6), merge=False)
    assert cut_long == ["one two three", "four five six.", "Seven."]


def test_without_merging_every_sentence_is_a_piece_whatever_the_threshold() -> None:
    limits = window(50, threshold=50)
    assert split("Hi. You. 3.14 is pi.", language="en", count_tokens=words, limits=limits, merge=False) == [
        "Hi.",
        "You.",
        "3.14 is pi.",
    ]


def test_without_merging_a_long_sentence_is_cut_and_its_end_stays_apart_from_the_next() -> None:
    assert cut("One two three, four. Five.", 3, merge=False) == ["One two three,", "four.", "Five."]


def test_a_long_sentence_is_cut_after_clauses() -> None:
    text = "At 12:30 he paid 1,000 dollars, left; then – so they say – he slept: all day."
    assert cut(text, 7) == ["At 12:30 he paid 1,000 dollars, left;", "then – so they say –", "he slept: all day."]


def test_a_long_chinese_sentence_is_cut_after_its_marks() -> None:
    text = "今天，天气很好、我们去；公园：散步，价格是1，000元吧。"
    assert cut(text, 12, len, "zh") == ["今天，天气很好、我们去；", "公园：散步，", "价格是1，000元吧。"]


def test_a_long_clause_is_cut_between_words_into_parts_of_about_the_same_length() -> None:
    text = " ".join(f"w{number}" for number in range(11))
    assert [words(piece) for piece in cut(text, 10)] == [6, 5]
    assert [words(piece) for piece in cut(text, 5)] == [4, 4, 3]


def test_a_short_beginning_is_not_left_alone_before_a_long_clause() -> None:
    assert cut("Well, a b c d e f g.", 6) == ["Well, a b c d", "e f g."]


def test_chinese_is_cut_between_characters_but_not_in_numbers_and_foreign_words() -> None:
    text = "我们在2025年3月14日用Python语言写了一个很好的程序而且没有错"
    pieces = cut(text, 10, len, "zh")
    assert "".join(pieces) == text
    assert all(whole in " ".join(pieces) for whole in ("2025年", "14日", "Python"))


def test_a_piece_of_chinese_does_not_begin_with_a_closing_mark() -> None:
    assert not [piece for piece in cut("他说“好”吗" * 20, 7, len, "zh") if piece[0] in "”"]


def test_a_word_over_the_window_is_cut_between_grapheme_clusters() -> None:
    family, accented = "👨‍👩‍👧", "e\u0301"
    assert cut(family * 3, 5, len) == [family] * 3
    assert cut(accented * 4, 5, len) == [accented * 2] * 2


def test_tags_are_never_cut() -> None:
    pieces = cut("<laugh, loudly>Ha [sad sigh. Deep] ha <custom> ha.", 4, len)
    assert {"<laugh, loudly>", "[sad sigh. Deep]", "<custom>"} <= set(pieces)


def test_a_remark_in_brackets_is_not_taken_for_a_tag() -> None:
    remark = "[he said that he would come back when the rain had stopped for good]"
    assert max(map(words, cut(remark, 5))) <= 5


def test_decimals_and_abbreviations_are_not_cut() -> None:
    text = "Pi is 3.14 or so, says Dr. Who. E.g. at 5 p.m. on Monday."
    assert cut(text, 8) == ["Pi is 3.14 or so, says Dr. Who.", "E.g. at 5 p.m. on Monday."]


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u3000"])
def test_a_blank_text_has_no_piece(blank: str) -> None:
    assert cut(blank, 5) == []
    assert cut(blank, 5, merge=False) == []


CHARACTERS = (
    " \n\r\t\u00a0\u3000.!?…。！？।,;:，、；：—–-\"'“”«»「」()<>[]<>[]"
    "aZé1９你好ねア가कि्\u0301\u200d\ufe0f😀👩🏽🇫🇷אم\u0600\u1100\u1161"
)
TEXTS = st.text(st.one_of(st.sampled_from(CHARACTERS), st.characters(exclude_categories=["Cs"])), max_size=200)
COUNTERS = st.sampled_from([words, len, like_a_tokenizer, capricious])
UNCUTTABLE = regex.compile(r"\X|\S?<[^<>\n]{1,39}>\p{M}*|\[[^\[\]\n]{1,39}\]\p{M}*")


def unspaced(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(1, 30), COUNTERS, st.booleans(), st.sampled_from(["en", "zh", "fr", "hi", "ko"]))
@example("a b" * 60, 1, len, True, "en")
@example("👨‍👩‍👧" * 10, 2, len, True, "en")
def test_pieces_keep_the_text_and_fit_the_window(
    text: str, size: int, count: Callable[[str], int], merge: bool, language: str
) -> None:
    pieces = cut(text, size, count, language, merge)
    assert unspaced("".join(pieces)) == unspaced(text)
    assert all(piece and piece == piece.strip() for piece in pieces)
    position = 0
    for piece in pieces:
        begin = text.index(piece, position)
        assert not text[position:begin].strip()
        position = begin + len(piece)
    if len(pieces) > 1 or count(text.strip()) > 1:
        assert all(count(piece) <= size or UNCUTTABLE.fullmatch(piece) for piece in pieces)
    assert cut(text, size, count, language, merge) == pieces


@given(TEXTS, st.integers(1, 30))
def test_no_grapheme_cluster_is_torn(text: str, size: int) -> None:
    text = text.strip()
    borders = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    position = 0
    for piece in cut(text, size, len):
        position = text.index(piece, position)
        spaced = position and text[position - 1].isspace()  # white space that carries a mark is dropped like any other
        assert position in borders or spaced
        position += len(piece)
        assert position in borders or text[position].isspace()


@given(st.lists(st.integers(1, 8), min_size=1, max_size=40), st.integers(8, 20))
def test_no_two_neighbours_would_fit_into_one_piece(lengths: list[int], size: int) -> None:
    text = " ".join("Word" + " word" * (length - 1) + "." for length in lengths)
    pieces = cut(text, size)
    assert all(words(left) + words(right.split(". ")[0]) > size for left, right in pairwise(pieces))


LONG = {
    "prose": "It was the best of times, it was the worst of times; Dr. Who paid $3.14 for it. ",
    "no space": "a",
    "no marks": "你",
    "words": "hello world ",
    "clauses": "ab, ",
    "short sentences": "Hi. ",
    "lines": "a\n",
    "emoji": "👨‍👩‍👧",
    "tags": "<laugh>",
    "mixed": "word " * 100 + ", ",
    "marks": "?!",
    "quoted marks": ',"',
    "brackets": "[<",
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("merge", [True, False])
def test_a_long_text_costs_a_few_counts_a_piece(kind: str, merge: bool) -> None:
    """How often, and how many characters, the tokenizer is asked to count."""
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return like_a_tokenizer(text)

    text = (LONG[kind] * 20_000)[:20_000]
    started = thread_time()
    pieces = split(text, language="en", count_tokens=count, limits=SplitLimits(), merge=merge)
    assert thread_time() - started < 1  # some 50 ms; only time that grows with the square comes near
    assert len(counted) <= 14 * len(pieces)
    assert sum(counted) <= 30 * len(text)
