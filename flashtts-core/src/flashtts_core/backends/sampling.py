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

_FOLDS_EACH = 32
"""Folds for each id that is wanted: the more there are, the closer their maxima bound the last one."""
_FIRST_NUCLEUS = 256
"""Ids that are tried first as holding the mass that top-p keeps."""

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
            token = self._draw(row, ids)
        self._written += 1
        if self._seen is not None:
            self._seen[token] = True
        return token

    def _penalised(self, row: Scores, ids: Ids | None) -> Scores:
        """Make ids seen before less likely."""
        if self._seen is None:
            return row
        columns = np.flatnonzero(self._seen if ids is None else self._seen[ids])
        seen, penalty = row[columns], np.float32(self._penalty)
        row = row.copy()
        row[columns] = np.where(seen < 0, seen * penalty, seen / penalty)
        return row

    def _draw(self, row: Scores, ids: Ids | None) -> int:
        """Draw from the softmax of ``row`` [N] under top-k and top-p; ``ids`` [N] are what its columns stand for."""
        if ids is None:
            ids = _all_ids(self._vocab_size)
        if 0 < self._top_k < len(row):
            columns = largest(row, self._top_k)
            row, ids = row[columns], ids[columns]
        row = row / np.float32(self._temperature)
        if self._top_p < 1:
            columns = nucleus(row, self._top_p)
            row, ids = row[columns], ids[columns]
        return int(ids[(row + gumbel(self._generator.getrandbits(64) - 2**63, ids)).argmax()])


def largest(row: Scores, count: int) -> Ids:
    """Return the columns of the ``count`` largest of ``row`` [N], ascending, and of those that tie with the last.

    A row is cut into folds, and as many of their maxima as there are wanted bound the last one from below: a pass of
    maxima leaves some hundreds to look at, where a partition would move the whole row.
    """
    if count >= len(row):
        return np.arange(len(row))
    fold = len(row) // (_FOLDS_EACH * count)
    bound = row[: fold * _FOLDS_EACH * count].reshape(fold, -1).max(axis=0) if fold > 1 else row
    columns = np.flatnonzero(row >= np.partition(bound, -count)[-count])
    found = row[columns]
    kept: Ids = columns[found >= np.partition(found, -count)[-count]]
    return kept


def nucleus(row: Scores, mass: float) -> Ids:
    """Return the columns of ``row`` [N] that top-p keeps, likeliest first: those before which less than ``mass`` lies.

    Only as many as are needed are put in order; a vocabulary is large, and most of it is hardly ever said.
    """
    weights = np.exp(row - row.max())
    total = weights.sum(dtype=np.float64)
    count = _FIRST_NUCLEUS
    while True:
        columns = largest(row, count)
        columns = columns[np.argsort(-row[columns], kind="stable")]
        share = weights[columns].astype(np.float64) / total
        before = np.cumsum(share) - share
        kept = int(np.count_nonzero(before < mass))
        if kept < len(columns) or len(columns) == len(row):
            return columns[: max(1, kept)]
        count *= 8


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
