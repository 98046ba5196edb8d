"""What sampling means, in numpy: the distribution of the next id under given settings, and how well draws fit it.

The order and meaning are those of transformers: repetition penalty, temperature, top-k, top-p.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.types import IdRanges, Sampling

_BUCKETS = 34
_ENOUGH = 10.0
"""Draws that must be expected in a bucket and outside before it is judged: the normal limit holds there."""
_STRAY_SHARE = 1 / 500
"""Draws outside the distribution that rounding at the edges of top-k and top-p may cause."""


def probabilities(
    scores: NDArray[np.floating],
    sampling: Sampling,
    *,
    seen: Collection[int] = (),
    allowed: IdRanges | None = None,
    top_p_of_all: bool = False,
) -> NDArray[np.float64]:
    """Return the distribution [V] of the next id for its ``scores`` [V]; ``seen`` are the ids of prompt and answer.

    ``allowed`` are the ids that may follow, stop ids included (``None``: all). ``None`` in ``sampling`` is neutral.
    top-p is measured of what top-k leaves, as transformers does, or ``top_p_of_all``.
    """
    scores = np.array(scores, np.float64)
    if allowed is not None:
        inside = np.zeros(len(scores), bool)
        for first, end in allowed.ranges:
            inside[first:end] = True
        scores[~inside] = -np.inf
    if (penalty := sampling.repetition_penalty or 1.0) != 1.0 and seen:
        ids = np.unique(list(seen))
        scores[ids] = np.where(scores[ids] < 0, scores[ids] * penalty, scores[ids] / penalty)
    temperature = 1.0 if sampling.temperature is None else sampling.temperature
    if temperature == 0:
        return np.asarray(np.arange(len(scores)) == scores.argmax(), np.float64)
    scores /= temperature
    share: NDArray[np.float64] = np.exp(scores - scores.max())
    share /= share.sum()
    if sampling.top_k and sampling.top_k < len(scores):
        share[scores < np.partition(scores, -sampling.top_k)[-sampling.top_k]] = 0
    if not top_p_of_all:
        share /= share.sum()
    if (top_p := 1.0 if sampling.top_p is None else sampling.top_p) < 1:
        order = np.argsort(-share, kind="stable")
        before = np.cumsum(share[order]) - share[order]
        share[order[1:][before[1:] >= top_p]] = 0
    share /= share.sum()
    return share


class Draw(Struct, frozen=True, eq=False):
    """An id that was drawn, the distribution [V] it should have come from, and the ids written and read before it."""

    token: int
    share: NDArray[np.float64]
    seen: frozenset[int] = frozenset()


def misfit(draws: Iterable[Draw]) -> float:
    """Return how far draws are from their distributions, in standard deviations; infinite if too many had no chance.

    Counted are, and the worst counts: ids by their rank (the likeliest, the second, the third and fourth, ...), and ids
    seen before. Every draw may have another distribution: the differences between what came and what was expected add
    up to zero, however the later distributions depend on the earlier draws.
    """
    drawn, strays = 0, 0
    came, expected, variance = np.zeros(_BUCKETS), np.zeros(_BUCKETS), np.zeros(_BUCKETS)
    for draw in draws:
        share = draw.share
        held = np.zeros(_BUCKETS)
        held[0] = share[list(draw.seen)].sum() if draw.seen else 0.0
        by_rank = np.add.reduceat(
            np.sort(share)[::-1], [0, *(2**power for power in range((len(share) - 1).bit_length()))]
        )
        held[1 : len(by_rank) + 1] = by_rank
        came[0] += draw.token in draw.seen
        came[1 + int(np.count_nonzero(share > share[draw.token])).bit_length()] += 1
        expected += held
        variance += held * (1 - held)
        strays += share[draw.token] == 0
        drawn += 1
    if strays > max(1, drawn * _STRAY_SHARE):
        return math.inf
    judged = (expected > _ENOUGH) & (drawn - expected > _ENOUGH) & (variance > 1)
    return float(np.max(np.abs(came - expected)[judged] / np.sqrt(variance[judged]), initial=0.0))
