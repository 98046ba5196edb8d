"""A language model without weights: its scores follow from a hash of the ids before, and it samples as a real one does.

``CountingModel`` runs behind a real ``ThreadedBackend``; ``CountingReference`` is what the contract compares it with.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.testing.distribution import probabilities
from flashtts_core.types import IdRanges, Sampling, TokenRequest

VOCAB_SIZE = 1000
_MASK = (1 << 61) - 1


@dataclass
class _Job:
    request: TokenRequest
    state: int
    generator: random.Random
    answer: list[int] = field(default_factory=list)


class CountingModel:
    """A ``BatchModel`` that honours every setting (restriction ``cycle``) and counts its steps.

    ``fail_at`` makes the step of that number raise, as a runtime does that dies.
    """

    def __init__(
        self, *, vocab_size: int = VOCAB_SIZE, max_length: int = 1024, slots: int = 8, fail_at: int | None = None
    ) -> None:
        self.vocab_size = vocab_size
        self.max_length = max_length
        self.slots = slots
        self.steps = 0
        self.closed = False
        self.most_at_once = 0
        self._fail_at = fail_at
        self._active: dict[str, _Job] = {}

    def admit(self, request: TokenRequest) -> None:
        """Take a request into the batch."""
        draws = random.Random(f"{request.sampling.seed} {request.prompt}")  # noqa: S311  # not a secret
        self._active[request.id] = _Job(request, _state_after(request.prompt), draws)
        self.most_at_once = max(self.most_at_once, len(self._active))

    def step(self) -> Mapping[str, list[int]]:
        """Write one id for every request."""
        self.steps += 1
        if self.steps == self._fail_at:
            raise RuntimeError("the counting model was told to fail")
        return {key: [self._write(job)] for key, job in self._active.items()}

    def release(self, request_id: str) -> None:
        """Take a request out of the batch."""
        del self._active[request_id]

    def close(self) -> None:
        """Remember that the model was closed."""
        self.closed = True

    def distribution(
        self, request: TokenRequest, scores: NDArray[np.float64], answer: list[int]
    ) -> NDArray[np.float64]:
        """Return the distribution [V] of the id that follows ``answer``."""
        allowed = None
        if request.allowed:
            step = request.allowed[len(answer) % len(request.allowed)].ranges
            allowed = IdRanges((*step, *((token, token + 1) for token in request.stop)))
        return probabilities(scores, request.sampling, seen={*request.prompt, *answer}, allowed=allowed)

    def _write(self, job: _Job) -> int:
        share = self.distribution(job.request, _scores(job.state, self.vocab_size), job.answer)
        token = int(np.searchsorted(np.cumsum(share), job.generator.random() * share.sum(), side="right"))
        job.answer.append(token)
        job.state = _next_state(job.state, token)
        return token


class CountingReference:
    """What a ``CountingModel`` has to say; see ``Reference`` of the contract."""

    def __init__(self, vocab_size: int = VOCAB_SIZE) -> None:
        self._vocab_size = vocab_size

    def scores(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """Return the scores [N, V] of the ids that follow each of ``ids`` [N]."""
        states = [_state_after(ids[: at + 1]) for at in range(len(ids))]
        return np.stack([_scores(state, self._vocab_size) for state in states])

    def greedy(self, prompt: Sequence[int], tokens: int, *, penalty: float = 1.0) -> list[int]:
        """Continue ``prompt`` with the likeliest ids."""
        state, answer = _state_after(prompt), list[int]()
        for _ in range(tokens):
            sampling = Sampling(0.0, repetition_penalty=penalty)
            share = probabilities(_scores(state, self._vocab_size), sampling, seen={*prompt, *answer})
            answer.append(int(share.argmax()))
            state = _next_state(state, answer[-1])
        return answer


def counting_backend(model: CountingModel | None = None) -> ThreadedBackend:
    """Return a running backend around a ``CountingModel``."""
    return ThreadedBackend(model or CountingModel())


def _scores(state: int, vocab_size: int) -> NDArray[np.float64]:
    return np.random.default_rng(state).normal(scale=2.5, size=vocab_size)


def _state_after(ids: Sequence[int]) -> int:
    state = 0
    for token in ids:
        state = _next_state(state, token)
    return state


def _next_state(state: int, token: int) -> int:
    return (state * 6364136223846793005 + token + 1442695040888963407) & _MASK
