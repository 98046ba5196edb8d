"""Runs n-gram language models in flashtts: what follows is drawn from counts of a corpus of ids."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from flashtts_core import Backend, BackendContext, BackendSpec, Settings, TokenRequest, hookimpl
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.errors import BadCheckpoint


class NgramSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the n-gram backend."""

    order: Annotated[int, Meta(ge=1, le=9, description="Length of the n-grams: the next id and those before it.")] = 4


class _Job:
    """A request in the batch, with a random generator of its own: its seed holds in any company."""

    def __init__(self, request: TokenRequest) -> None:
        self.request = request
        self.ids = list(request.prompt)
        self.random = random.Random(request.sampling.seed)  # noqa: S311  # not a secret


class NgramModel:
    """A ``BatchModel``: ``ThreadedBackend`` calls it from one thread, and requests join and leave between its steps."""

    def __init__(self, corpus: Sequence[Sequence[int]], settings: Settings, order: int) -> None:
        self.vocab_size = 1 + max(token for ids in corpus for token in ids)
        self.max_length = settings.max_length
        self.slots = settings.llm_batch_size
        self._order = order
        self._jobs: dict[str, _Job] = {}
        self._counts: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for ids in corpus:
            for at, token in enumerate(ids):
                for start in range(max(0, at - order + 1), at + 1):
                    self._counts[tuple(ids[start:at])][token] += 1

    def admit(self, request: TokenRequest) -> None:
        """Take a request into the batch."""
        self._jobs[request.id] = _Job(request)

    def step(self) -> Mapping[str, list[int]]:
        """Write one id for every request."""
        for job in self._jobs.values():
            job.ids.append(self._next(job))
        return {key: job.ids[-1:] for key, job in self._jobs.items()}

    def release(self, request_id: str) -> None:
        """Take a request out of the batch."""
        del self._jobs[request_id]

    def close(self) -> None:
        """Forget the counts."""
        self._counts.clear()

    def scores(self, ids: Sequence[int]) -> list[float]:
        """Return the log probabilities of what follows ``ids``: orders mixed as Witten and Bell do."""
        mixed = [1 / self.vocab_size] * self.vocab_size
        for length in range(min(self._order, len(ids) + 1)):
            if counts := self._counts.get(tuple(ids[len(ids) - length :])):
                total = counts.total() + len(counts)
                mixed = [(counts[token] + len(counts) * share) / total for token, share in enumerate(mixed)]
        return [math.log(share) for share in mixed]

    def _next(self, job: _Job) -> int:
        sampling = job.request.sampling
        scores = self.scores(job.ids)
        for token in set(job.ids):  # the penalty counts the prompt, as elsewhere; log probabilities are negative
            scores[token] *= sampling.repetition_penalty or 1.0
        ranked = sorted(self._possible(job), key=lambda token: -scores[token])
        if not sampling.temperature:
            return ranked[0]
        del ranked[sampling.top_k or len(ranked) :]
        weights = [math.exp((scores[token] - scores[ranked[0]]) / sampling.temperature) for token in ranked]
        before = accumulate(weights[:-1], initial=0.0)
        kept = sum(share < sum(weights) * (sampling.top_p or 1.0) for share in before)
        return job.random.choices(ranked[:kept], weights[:kept])[0]

    def _possible(self, job: _Job) -> Sequence[int]:
        """Return the ids that may come next: any, or those of this turn of the cycle and the stop ids."""
        if not (allowed := job.request.allowed):
            return range(self.vocab_size)
        turn = allowed[(len(job.ids) - len(job.request.prompt)) % len(allowed)]
        return sorted({*job.request.stop, *(token for part in turn.ranges for token in range(*part))})


def load_model(folder: Path, settings: Settings, order: int) -> NgramModel:
    """Read and count ``corpus.txt``, one sequence of ids a line; raises ``BadCheckpoint``."""
    path = folder / "corpus.txt"
    try:
        corpus = [[int(word) for word in line.split()] for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BadCheckpoint(f"{path} cannot be read: {error}. It has to hold one sequence of ids a line.") from error
    if min((token for ids in corpus for token in ids), default=-1) < 0:
        raise BadCheckpoint(f"{path} holds no ids, or negative ones. It has to hold one sequence of ids a line.")
    return NgramModel(corpus, settings, order)


async def open_ngram(context: BackendContext) -> Backend:
    """Open the model in ``context.folder``."""
    own = context.own if isinstance(context.own, NgramSettings) else NgramSettings()
    return ThreadedBackend(await asyncio.to_thread(load_model, context.folder, context.settings, own.order))


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the backend."""
    return [
        BackendSpec(
            name="ngram",
            summary="N-gram models of a corpus of ids.",
            open=open_ngram,
            restriction="cycle",
            knobs=frozenset({"llm_batch_size", "max_length"}),
            own=NgramSettings,
        )
    ]
