"""Phones, tones and lengths as whole numbers: the golden cases and the rules around them."""

from __future__ import annotations

from typing import Any

import pytest

from engines.mega import golden
from flashtts_core.engines.mega.alignment import cut, fitted, phone_of_frame, read_alignment
from flashtts_core.engines.mega.phones import END, FIRST_TIME, START, merge, split
from flashtts_core.errors import RequestError


def cases(kind: str) -> list[dict[str, Any]]:
    found = [case for case in golden.CASES if case["kind"] == kind]
    assert found
    return found


@pytest.mark.parametrize("case", cases("split_ph"))
def test_merged_tokens_are_taken_apart_as_by_the_reference(case: dict[str, Any]) -> None:
    spoken = split(case["in"])
    assert (list(spoken.phones), list(spoken.tones)) == (case["ph"], case["tone"])


@pytest.mark.parametrize("case", cases("merge"))
def test_phones_and_tones_are_merged_as_by_the_reference(case: dict[str, Any]) -> None:
    tokens = [merge(phone, tone) for phone, tone in zip(case["ph"], case["tone"], strict=True)]
    assert [START, *tokens, END] == case["out"]


@pytest.mark.parametrize("case", cases("split_ph_timestamp"))
def test_what_the_aligner_writes_becomes_phones_with_lengths(case: dict[str, Any]) -> None:
    tokens = [START, *case["in"], END]
    if any(phone >= 174 for phone in case["ph"]):
        with pytest.raises(RequestError):
            read_alignment(tokens, case["last"])
        return
    aligned = read_alignment(tokens, case["last"])
    assert list(aligned.spoken.phones) == case["ph"]
    assert list(aligned.spoken.tones) == case["tone"]
    assert list(aligned.frames) == case["dur"]


@pytest.mark.parametrize("case", cases("length_regulator"))
def test_frames_name_their_phones(case: dict[str, Any]) -> None:
    assert phone_of_frame(case["dur"]) == case["mel2ph"]


def test_lengths_are_made_to_fill_the_recording() -> None:
    assert fitted([3, 4, 5], 16) == [3, 4, 9]
    assert fitted([3, 4, 5], 10) == [2, 3, 5]
    assert fitted([1, 0, 5], 2) == [0, 0, 2]
    assert cut([3, 4, 5], 8) == [3, 4, 1]
    assert cut([3, 4, 5], 2) == [2, 0, 0]


@pytest.mark.parametrize(
    "tokens",
    [
        [START, END],
        [START, 145, END],
        [START, 145, FIRST_TIME + 9, 101, END],
        [START, 145, FIRST_TIME + 9],
        [START, 145, FIRST_TIME + 9, 101, FIRST_TIME + 3, END],
        [START, 145, 145, 101, FIRST_TIME + 30, END],
        [START, 0, FIRST_TIME + 9, END],
        [START, 190, FIRST_TIME + 9, END],
    ],
)
def test_what_is_no_alignment_is_refused_with_a_remedy(tokens: list[int]) -> None:
    with pytest.raises(RequestError, match="Send a clear recording"):
        read_alignment(tokens, 16)
