"""The phone and tone ids of MegaTTS 3, and the merged tokens in which its language models write them. Pure.

A merged token is a phone as it is (English, silence, marks), or a Chinese phone and its tone in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

FIRST_PHONE = 3
PHONES = 174
"""Ids 0 to 2 are padding, end and unknown; 3 to 100 are Chinese, 101 to 144 English, 145 is silence, the rest marks."""
SILENCE = 145
LONG_PAUSES = frozenset({SILENCE, 148, 153, 166})
"""Silence and the marks that end a sentence: 。！？"""
SHORT_PAUSES = frozenset({163, 165})
"""The marks within one: ，；"""

NO_TONE = 3
LEVEL_TONE = 4
_OTHER_TONES = 9  # the second of the six is 11
TONES = frozenset({0, LEVEL_TONE, *range(_OTHER_TONES + 2, _OTHER_TONES + 7)})
"""The tones that the diffusion network tells apart; any other is none."""

MERGED = (200, 789)
"""Half-open range of the tokens that stand for a phone with a tone."""
_TONES_PER_PHONE = 6

START, END = 798, 799
"""Tokens of the aligner around what it writes."""
FIRST_TIME = 800
"""The aligner's token for frame 0."""
STOP = 801
"""The token with which the phone writer ends; a time has no place in what it writes."""


class Phones(Struct, frozen=True):
    """Phones and their tones, one by one."""

    phones: tuple[int, ...]
    tones: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.phones)


def split(tokens: Sequence[int]) -> Phones:
    """Take merged tokens apart."""
    pairs = [_pair(token) for token in tokens]
    return Phones(tuple(phone for phone, _ in pairs), tuple(tone for _, tone in pairs))


def merge(phone: int, tone: int) -> int:
    """Return the token of a Chinese phone with its tone."""
    place = 1 if tone == LEVEL_TONE else tone - _OTHER_TONES
    return MERGED[0] + (phone - FIRST_PHONE) * _TONES_PER_PHONE + place


def _pair(token: int) -> tuple[int, int]:
    if not MERGED[0] <= token < MERGED[1]:
        return token, NO_TONE
    # Places count from 1, so the token 200 is the last tone of the phone before the first, as in the reference.
    phone, place = divmod(token - MERGED[0] - 1, _TONES_PER_PHONE)
    return phone + FIRST_PHONE, LEVEL_TONE if place == 0 else place + 1 + _OTHER_TONES
