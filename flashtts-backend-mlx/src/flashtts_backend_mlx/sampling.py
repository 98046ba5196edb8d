"""Chooses the next id of one request: repetition penalty, temperature, top-k and top-p as transformers does.

mlx-lm's own samplers cut before the temperature, draw from one generator for all, and know no allowed ids. Here a token
is the argmax of ``score / temperature`` plus Gumbel noise, which is sampling from the softmax. The noise is that of the
torch backend, a function of the request, the step and the id: scores that differ in their last bits between shapes of
the batch give the same draw, and the same request gives the same ids on either backend.
"""

from __future__ import annotations

import math
from typing import Any

import mlx.core as mx
import numpy as np

from flashtts_core.backends.choices import Ranges, choices_of
from flashtts_core.backends.draws import COLDEST, generator_of
from flashtts_core.types import TokenRequest

_WEYL, _MIX_1, _MIX_2 = (
    mx.array(np.uint64(value)) for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
"""The constants of SplitMix64 (Steele, Lea and Flood 2014)."""
_TIES = 256
"""Ids beyond the k likeliest that are looked at, for those that tie with the k-th."""


class Chooser:
    """How one request chooses: its settings, its generator, the ids it may write and those it has seen.

    mlx-lm calls ``prepare`` and then ``choose`` once for every id, in order. Both only build the graph.
    """

    def __init__(self, request: TokenRequest, vocab_size: int) -> None:
        """Raise ``RequestError`` if there is a step at which nothing may be written."""
        sampling = request.sampling
        self._temperature = sampling.temperature or 0.0
        self._top_k = sampling.top_k or 0
        self._top_p = 1.0 if sampling.top_p is None else sampling.top_p
        self._penalty = 1.0 if sampling.repetition_penalty is None else sampling.repetition_penalty
        self._choices = [_ids(choice, vocab_size) for choice in choices_of(request, vocab_size)]
        self._generator = generator_of(request)
        self._step = 0
        seen = np.zeros(vocab_size if self._penalty != 1.0 else 0, bool)
        if len(seen):
            seen[list(request.prompt)] = True
        self._seen = mx.array(seen)

    def prepare(self, context: Any, scores: Any) -> Any:
        """Return the scores [1, V] in float32, those of ids seen before made less likely.

        ``context`` [N] are the ids of the prompt and the answer so far.
        """
        scores = scores.astype(mx.float32)
        if self._penalty == 1.0:
            return scores
        self._seen[context[-1:]] = True
        lowered = mx.where(scores < 0, scores * self._penalty, scores / self._penalty)
        return mx.where(self._seen, lowered, scores)

    def choose(self, scores: Any) -> Any:
        """Return the next id [1] for scores [1, V]."""
        ids = self._choices[self._step % len(self._choices)]
        self._step += 1
        scores = scores[0] if ids is None else scores[0, ids]
        if self._temperature < COLDEST:
            place = mx.argmax(scores)
        else:
            place = self._drawn(scores / self._temperature, mx.arange(scores.size) if ids is None else ids)
        return (place if ids is None else ids[place]).reshape(1).astype(mx.uint32)

    def _drawn(self, scores: Any, ids: Any) -> Any:
        """Return the place of the id that is drawn out of ``ids`` [N] with scores [N]."""
        key = self._generator.getrandbits(64) - 2**63
        if self._top_k and (most := self._top_k + _TIES) < scores.size:
            # Whatever follows is over some hundred ids, not over a vocabulary.
            places = mx.argpartition(-scores, most)[:most]
            return places[self._drawn_of(scores[places], ids[places], key)]
        return self._drawn_of(scores, ids, key)

    def _drawn_of(self, scores: Any, ids: Any, key: int) -> Any:
        """Return the place that is drawn with the noise of ``key``."""
        noise = gumbel(key, ids)
        if 0 < self._top_k < scores.size:
            least = mx.topk(scores, self._top_k).min()  # ids that tie with it stay
            scores = mx.where(scores < least, -math.inf, scores)
        if self._top_p >= 1:
            return mx.argmax(scores + noise)
        order = mx.argsort(-scores)
        scores = scores[order]
        share = mx.softmax(scores, precise=True)
        before = mx.cumsum(share) - share
        beyond = (before >= self._top_p) & (mx.arange(scores.size) > 0)
        return order[mx.argmax(mx.where(beyond, -math.inf, scores) + noise[order])]


def gumbel(key: int, ids: Any) -> Any:
    """Return Gumbel noise for ``ids`` [N] under ``key``, 64 bits: the output of SplitMix64 at ``id``."""
    bits = mx.array(np.uint64(key % 2**64)) + ids.astype(mx.uint64) * _WEYL
    bits = (bits ^ (bits >> 30)) * _MIX_1
    bits = (bits ^ (bits >> 27)) * _MIX_2
    bits = bits ^ (bits >> 31)
    # The smallest draws decide who wins, and a float32 keeps their precision; the largest must not round to 1.
    uniform = ((bits >> 11).astype(mx.float32) + 0.5) * 2.0**-53
    return -mx.log(-mx.log1p(-mx.minimum(uniform, 1 - 2.0**-24)))


def _ids(choice: Ranges, vocab_size: int) -> Any:
    """Return the ids of a set [N], ``None`` if it holds the whole vocabulary."""
    if choice == ((0, vocab_size),):
        return None
    return mx.array(np.concatenate([np.arange(first, end, dtype=np.uint32) for first, end in choice]))
