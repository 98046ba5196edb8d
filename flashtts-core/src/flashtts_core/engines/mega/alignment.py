"""From what the aligner writes to phones with lengths: pairs of a phone and the time it ends. Pure.

A frame is 10 ms. Lengths are made to fill the recording, and frames come in groups of eight.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flashtts_core.engines.mega.phones import END, FIRST_TIME, PHONES, START, Phones, split
from flashtts_core.errors import RequestError

GROUP = 8
"""Frames are counted in multiples of this."""


class Aligned(Struct, frozen=True):
    """The phones of a recording and how many frames each takes."""

    spoken: Phones
    frames: tuple[int, ...]


def read_alignment(tokens: Sequence[int], total: int) -> Aligned:
    """Read the aligner's tokens, start and end included, for a recording of ``total`` frames.

    Raises ``RequestError`` if they are no alignment, which happens to recordings without clear speech.
    """
    written = tokens[1:-1]
    spoken, times = split(written[0::2]), [token - FIRST_TIME for token in written[1::2]]
    lengths = [end - start for start, end in zip([0, *times], times, strict=False)]
    well_formed = (
        tokens[0] == START
        and tokens[-1] == END
        and len(written) > 0
        and len(written) % 2 == 0
        and all(0 < phone < PHONES for phone in spoken.phones)
        and all(length >= 0 for length in lengths)
    )
    if not well_formed:
        raise RequestError(
            "The speech in the reference audio could not be told apart into sounds. Send a clear recording of one "
            "person who speaks Chinese or English, 5 to 20 seconds long, without music.",
            param="reference_audio",
        )
    return Aligned(spoken, tuple(fitted(lengths, total)))


def fitted(lengths: Sequence[int], total: int) -> list[int]:
    """Return the lengths with sum ``total``: the last phone takes what is left, or each in turn gives a frame away."""
    fitting = list(lengths)
    surplus = sum(fitting) - total
    if surplus <= 0:
        fitting[-1] -= surplus
        return fitting
    while surplus > 0:
        for place, length in enumerate(fitting):
            if surplus > 0 and length > 0:
                fitting[place] -= 1
                surplus -= 1
    return fitting


def cut(lengths: Sequence[int], total: int) -> list[int]:
    """Return the lengths with the frames behind ``total`` taken away from the end."""
    left, kept = total, []
    for length in lengths:
        kept.append(min(length, left))
        left -= kept[-1]
    return kept


def phone_of_frame(lengths: Sequence[int]) -> list[int]:
    """Return for every frame the number of its phone, counted from 1."""
    return [place for place, length in enumerate(lengths, 1) for _ in range(length)]
