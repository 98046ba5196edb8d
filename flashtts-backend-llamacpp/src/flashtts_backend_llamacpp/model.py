"""llama.cpp as a ``BatchModel``: who is in the batch, what each step runs, and who waits when the cache is full.

A step is one ``llama_decode``: one token of every running request, and at most one slice of prompts. Slices begin at
fixed positions, so how a prompt is read does not depend on the company. When the cache cannot hold the next step, the
youngest requests give up their places and are read again later; what they have written stays.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from flashtts_backend_llamacpp import LlamaCppSettings
from flashtts_backend_llamacpp.files import find_gguf
from flashtts_backend_llamacpp.formats import warn_of_overflow
from flashtts_backend_llamacpp.placement import gpus_of
from flashtts_backend_llamacpp.runtime import MOST_SEQUENCES, Model, NoRoom, Part, Runtime, RuntimePlan
from flashtts_core.backends.faults import short_of_memory
from flashtts_core.backends.limits import check_room
from flashtts_core.backends.sampling import ScoreSampler
from flashtts_core.errors import EngineError
from flashtts_core.processors import processors
from flashtts_core.settings import Settings
from flashtts_core.types import TokenRequest

logger = logging.getLogger(__name__)

LEAST_CELLS = 8192


class _Job:
    """A request in the batch: its prompt and answer, of which ``length`` tokens are in the cache."""

    def __init__(self, request: TokenRequest, sampler: ScoreSampler, sequence: int) -> None:
        self.request = request
        self.sampler = sampler
        self.sequence = sequence
        self.tokens = list(request.prompt)
        self.length = 0

    @property
    def running(self) -> bool:
        """True if all but the last token it wrote is in the cache."""
        return len(self.tokens) > len(self.request.prompt) and self.length == len(self.tokens) - 1


class LlamaCppModel:
    """A language model that advances a batch of requests; see ``BatchModel``."""

    def __init__(self, runtime: Runtime, *, max_length: int, prompt_slice: int) -> None:
        self.vocab_size = runtime.vocab_size
        self.max_length = max_length
        self.slots = runtime.plan.sequences
        self._runtime = runtime
        self._cells = runtime.plan.cells
        self._slice = prompt_slice
        self._jobs: list[_Job] = []  # in order of arrival
        self._free = list(range(self.slots))

    def admit(self, request: TokenRequest) -> None:
        """Take a request into the batch; raises ``RequestError``."""
        check_room(request, self.max_length)
        sampler = ScoreSampler(request, self.vocab_size)
        self._jobs.append(_Job(request, sampler, self._free.pop()))

    def step(self) -> Mapping[str, list[int] | EngineError]:
        """Advance the batch; a request that cannot go on gets the error in place of ids."""
        parts = self._plan()
        try:
            scores = iter(self._runtime.run([part for _, part in parts]))
        except NoRoom:
            longest = max((job for job, _ in parts), key=lambda job: len(job.tokens))
            for job in self._jobs:
                self._runtime.forget(job.sequence, job.length)  # what of this step got as far as the cache
            return {longest.request.id: short_of_memory(longest.request)}
        results: dict[str, list[int] | EngineError] = {}
        for job, part in parts:
            job.length += len(part.ids)
            if part.scored:
                try:
                    job.tokens.append(job.sampler.choose(next(scores)))
                    results[job.request.id] = job.tokens[-1:]
                except EngineError as error:
                    results[job.request.id] = error
        return results

    def release(self, request_id: str) -> None:
        """Take a request out of the batch; its places in the cache are free."""
        job = next(job for job in self._jobs if job.request.id == request_id)
        self._jobs.remove(job)
        self._runtime.forget(job.sequence)
        self._free.append(job.sequence)

    def close(self) -> None:
        """Free the model; nothing can be called after it."""
        self._jobs.clear()
        self._runtime.close()

    def _plan(self) -> list[tuple[_Job, Part]]:
        """Return what to run: a token of every running request, then slices of those that wait longest."""
        while (room := self._room()) < 0:
            self._park_youngest()
        parts = [_part(job, len(job.tokens)) for job in self._jobs if job.running]
        left = self._slice
        for job in self._jobs:
            if job.running:
                continue
            end = min(job.length + self._slice, len(job.tokens))
            if end - job.length > left or len(job.tokens) - job.length > room:
                break  # it begins when all of it has room, lest it be read again and again
            left -= end - job.length
            room -= end - job.length
            parts.append(_part(job, end))
        if not parts:  # nobody runs, and prompts that are half read hold the places of the one whose turn it is
            self._park_youngest()
            return self._plan()
        return parts

    def _room(self) -> int:
        """Return how many places are free when every running request has written one token more."""
        return self._cells - sum(job.length + job.running for job in self._jobs)

    def _park_youngest(self) -> None:
        """Give up the places of the youngest request that has any; its tokens are read again when there is room."""
        job = next(job for job in reversed(self._jobs) if job.length)
        self._runtime.forget(job.sequence)
        job.length = 0


def _part(job: _Job, end: int) -> tuple[_Job, Part]:
    return job, Part(job.sequence, job.length, job.tokens[job.length : end], scored=end == len(job.tokens))


def load_model(folder: Path, settings: Settings, own: LlamaCppSettings) -> LlamaCppModel:
    """Load the GGUF file in ``folder``; raises ``BadCheckpoint`` and ``ConfigError``."""
    path = find_gguf(folder, own.gguf)
    gpus = gpus_of(settings.llm_device)
    model = Model(path, gpus)
    if gpus is not None and model.in_half:
        warn_of_overflow(model.model_type)
    max_length = min(settings.max_length, model.max_length)
    slots = min(settings.llm_batch_size, MOST_SEQUENCES)
    cells = own.kv_tokens or min(max(max_length, LEAST_CELLS), max_length * slots)
    plan = RuntimePlan(
        cells=cells,
        sequences=slots,
        batch=slots + own.prompt_slice,
        threads=own.threads or processors(),
        cache=own.kv_type,
    )
    runtime = model.open(plan)
    logger.info(
        "Language model %s: %s, %d threads, context of %d tokens, %s cache of %d tokens for up to %d requests.",
        path,
        gpus or "CPU",
        plan.threads,
        min(max_length, cells),
        plan.cache,
        cells,
        slots,
    )
    return LlamaCppModel(runtime, max_length=min(max_length, cells), prompt_slice=own.prompt_slice)
