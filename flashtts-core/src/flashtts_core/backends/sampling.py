"""Chooses the next id from a row of scores, in numpy: for runtimes that give scores and whose sampling is not enough.

Repetition penalty, temperature, top-k and top-p have the order and meaning of transformers. Draws are those of the
torch backend: Gumbel noise that is a function of the request, the step and the id, so that company changes nothing and
the same request gives the same ids on either.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from flashtts_core.backends.choices import Ranges, choices_of
from flashtts_core.backends.draws import COLDEST, generator_of
from flashtts_core.errors import EngineError
from flashtts_core.types import TokenRequest

_WEYL, _MIX_1, _MIX_2 = (np.uint64(value) for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
"""The constants of SplitMix64 (Steele, Lea and Flood 2014)."""

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]


class ScoreSampler:
    """How one request chooses: what may follow, its settings, its draws, and the ids it has read and written."""

    def __init__(self, request: TokenRequest, vocab_size: int) -> None:
        """Raises ``RequestError`` if a step leaves nothing to write."""
        sampling = request.sampling
        self._choices = choices_of(request, vocab_size)
        self._vocab_size = vocab_size
        self._temperature = sampling.temperature or 0.0
        self._top_k = sampling.top_k or 0
        self._top_p = 1.0 if sampling.top_p is None else sampling.top_p
        self._penalty = 1.0 if sampling.repetition_penalty is None else sampling.repetition_penalty
        self._generator = generator_of(request)
        self._written = 0
        self._seen: NDArray[np.bool_] | None = None
        if self._penalty != 1.0:
            self._seen = np.zeros(vocab_size, np.bool_)
            self._seen[list(request.prompt)] = True

    def choose(self, scores: Scores) -> int:
        """Return the next id for its scores [V], and count it as written; the scores stay as they are.

        Raises ``EngineError`` if they are not numbers.
        """
        ids = _ids_of(self._choices[self._written % len(self._choices)], self._vocab_size)
        row = scores if ids is None else scores[ids]
        if not np.isfinite(row.max()):
            raise EngineError(
                "The language model's scores are not numbers. The checkpoint or its conversion is broken."
            )
        row = self._penalised(row, ids)
        if self._temperature < COLDEST:
            column = int(row.argmax())
            token = column if ids is None else int(ids[column])
        else:
            token = self._draw(row / np.float32(self._temperature), ids)
        self._written += 1
        if self._seen is not None:
            self._seen[token] = True
        return token

    def _penalised(self, row: Scores, ids: Ids | None) -> Scores:
        """Make ids seen before less likely."""
        if self._seen is None:
            return row
        seen = self._seen if ids is None else self._seen[ids]
        penalty = np.float32(self._penalty)
        return np.where(seen, np.where(row < 0, row * penalty, row / penalty), row)

    def _draw(self, row: Scores, ids: Ids | None) -> int:
        """Draw from the softmax of ``row`` [N] under top-k and top-p; ``ids`` [N] are what its columns stand for."""
        if ids is None:
            ids = _all_ids(self._vocab_size)
        if 0 < self._top_k < len(row):
            kept = row >= np.partition(row, -self._top_k)[-self._top_k]  # ids that tie with the k-th stay
            row, ids = row[kept], ids[kept]
        if self._top_p < 1:
            order = np.argsort(-row, kind="stable")
            share = np.exp(row[order].astype(np.float64) - row[order[0]])
            share /= share.sum()
            before = np.cumsum(share) - share
            order = order[: max(1, int(np.count_nonzero(before < self._top_p)))]
            row, ids = row[order], ids[order]
        return int(ids[(row + gumbel(self._generator.getrandbits(64) - 2**63, ids)).argmax()])


def gumbel(key: int, ids: Ids) -> Scores:
    """Return Gumbel noise for ``ids`` [N] under ``key``, 64 bits: the output of SplitMix64 at ``id``."""
    bits = np.uint64(key % 2**64) + ids.astype(np.uint64) * _WEYL
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    bits = bits ^ (bits >> np.uint64(31))
    # The smallest draws decide who wins, and a float32 keeps their precision; the largest must not round to 1.
    uniform = ((bits >> np.uint64(11)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-53)
    noise: Scores = -np.log(-np.log1p(-np.minimum(uniform, np.float32(1 - 2.0**-24))))
    return noise


@functools.lru_cache(maxsize=32)
def _ids_of(choice: Ranges, vocab_size: int) -> Ids | None:
    """Return the ids of a choice [N], ``None`` for the whole vocabulary."""
    if choice == ((0, vocab_size),):
        return None
    return np.concatenate([np.arange(first, end) for first, end in choice])


@functools.lru_cache(maxsize=4)
def _all_ids(vocab_size: int) -> Ids:
    return np.arange(vocab_size)
