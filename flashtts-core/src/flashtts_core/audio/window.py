"""Which spans of a growing code stream are due for decoding, and how much context each takes along.

A codec turns codes into samples, but a sample depends on codes to its left and right. So a span is decoded with
context on both sides, and only the samples of the span itself are kept. Early spans are short, for a quick start;
later ones grow, since context costs the same for a short span as for a long one.

The cuts depend on the schedule and the length of the stream alone, never on how the codes arrived: the same codes
give the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from msgspec import Struct


class Schedule(Struct, frozen=True):
    """Lengths of spans and of their context, in codes (or in frames, where a codec counts in frames).

    The first span has ``start`` codes, each next one is ``growth`` times as long (rounded up), up to ``maximum``.
    ``left`` and ``right`` come from the codec's receptive field; ``right`` is also how long a span waits for what
    follows it.
    """

    start: int
    growth: float
    maximum: int
    left: int
    right: int

    def __post_init__(self) -> None:
        if not (1 <= self.start <= self.maximum and self.growth >= 1 and self.left >= 0 and self.right >= 0):
            raise ValueError(f"not a schedule: 1 <= start <= maximum, growth >= 1, left and right >= 0; got {self}")


class Span(Struct, frozen=True):
    """Codes [start, end) are wanted; [context_start, context_end) have to be decoded for them."""

    start: int
    end: int
    context_start: int
    context_end: int


def due_spans(schedule: Schedule, *, done: int, known: int, ended: bool) -> list[Span]:
    """List the spans that can be decoded now, in order; the next ``done`` is the ``end`` of the last.

    ``done`` codes are in earlier spans, ``known`` codes have arrived, ``ended`` says that no more will come. Then the
    rest is one span: it needs no look-ahead, so it is no wider to decode than a scheduled one. Raises ValueError when
    ``done`` is not where a span ends.
    """
    spans: list[Span] = []
    for start, end in _scheduled(schedule):
        if end + schedule.right > known:
            break
        if start < done < end:
            raise ValueError(f"no span ends at code {done}")
        if start >= done:
            spans.append(_span(schedule, start, end, known))
    if ended and done == known:
        return []
    if done > start:
        raise ValueError(f"no span ends at code {done} of {known}")
    if ended and start < known:
        spans.append(_span(schedule, start, known, known))
    return spans


def _scheduled(schedule: Schedule) -> Iterator[tuple[int, int]]:
    start, length = 0, schedule.start
    while True:
        yield start, start + length
        start += length
        length = min(schedule.maximum, ceil(length * schedule.growth - 1e-9))  # 10 * 1.1 is 11, not 11.000000000000002


def _span(schedule: Schedule, start: int, end: int, known: int) -> Span:
    return Span(start, end, max(0, start - schedule.left), min(known, end + schedule.right))
