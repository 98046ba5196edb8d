"""The torch model as a ``BatchModel``: who is in the batch, what each step computes, and what it writes.

A step advances every running request by one token and reads at most one slice of prompt, so that a long prompt holds
the running streams back by a slice at a time. Slices begin at fixed positions: how a prompt is read does not depend on
the company.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from flashtts_core.backends.choices import Ranges, choices_of
from flashtts_core.backends.faults import scores_not_numbers, short_of_memory
from flashtts_core.backends.limits import check_room
from flashtts_core.backends.threaded import NoRoomYet
from flashtts_core.backends.torch.cache import KeyValueCache
from flashtts_core.backends.torch.config import read_config
from flashtts_core.backends.torch.head import Head, restrict
from flashtts_core.backends.torch.loading import LanguageModel, load_language_model
from flashtts_core.backends.torch.memory import is_out_of_memory
from flashtts_core.backends.torch.network import PromptSlice
from flashtts_core.backends.torch.placement import Placement, place
from flashtts_core.backends.torch.sampling import Sampler, choose
from flashtts_core.errors import ConfigError, EngineError
from flashtts_core.nn.turns import turn
from flashtts_core.settings import Settings
from flashtts_core.types import TokenRequest

logger = logging.getLogger(__name__)

_SLICE_ON_CPU = 64
"""Prompt tokens a step: as fast per token as more are (measured), and a step takes some three times a plain one."""
_SLICE = 512


class _Job:
    """A request in the batch; ``length`` tokens of prompt and answer are in the cache."""

    def __init__(self, request: TokenRequest, choices: tuple[Ranges, ...], sampler: Sampler) -> None:
        self.request = request
        self.sampler = sampler
        self.length = 0
        self.last = -1
        self.written = 0
        self._choices = choices

    @property
    def choice(self) -> Ranges:
        """The ids that may come next."""
        return self._choices[self.written % len(self._choices)]

    def wrote(self, token: int) -> None:
        self.last = token
        self.written += 1


class TorchModel:
    """A language model that advances a batch of requests; see ``BatchModel``.

    Job number i owns row i of the cache: first the running jobs, then those whose prompt is being read.
    """

    def __init__(self, model: LanguageModel, cache: KeyValueCache, *, slots: int, max_length: int) -> None:
        self.vocab_size = model.decoder.config.vocab_size
        self.max_length = max_length
        self.slots = slots
        self._decoder = model.decoder
        self._head = Head(model.head)
        self._device = model.head.device
        self._cache = cache
        self._slice = _SLICE_ON_CPU if self._device.type == "cpu" else _SLICE
        self._jobs: list[_Job] = []
        self._running = 0
        self._queue: list[_Job] = []  # of prompts, in order of arrival

    def admit(self, request: TokenRequest) -> None:
        """Take a request into the batch.

        Raises ``RequestError``; if memory is short, ``NoRoomYet`` while others run and ``EngineError`` for one alone.
        """
        check_room(request, self.max_length)
        choices = choices_of(request, self.vocab_size)
        try:
            with turn(self._device), torch.inference_mode():
                job = _Job(request, choices, Sampler(request, self.vocab_size, self._device))
                self._cache.fit(len(self._jobs) + 1, len(request.prompt))
        except (MemoryError, RuntimeError) as error:
            explained = _explained(error, request)
            raise NoRoomYet if self._jobs else explained from error
        self._jobs.append(job)
        self._queue.append(job)

    @torch.inference_mode()
    def step(self) -> Mapping[str, list[int] | EngineError]:
        """Advance the batch; a request that cannot go on gets the error in place of ids."""
        try:
            with turn(self._device):
                return self._advance()
        except (MemoryError, RuntimeError) as error:
            longest = max(self._jobs, key=lambda job: len(job.request.prompt) + job.written)
            return {longest.request.id: _explained(error, longest.request)}

    def release(self, request_id: str) -> None:
        """Take a request out of the batch; its row goes to the end and is free."""
        with turn(self._device):
            self._release(request_id)

    def close(self) -> None:
        """Free the model; nothing can be called after it."""
        self._jobs.clear()
        del self._decoder, self._head, self._cache

    def _release(self, request_id: str) -> None:
        row = next(row for row, job in enumerate(self._jobs) if job.request.id == request_id)
        if row < self._running:
            self._running -= 1
            self._swap(row, self._running)
            row = self._running
        self._swap(row, len(self._jobs) - 1)
        job = self._jobs.pop()
        if job in self._queue:
            self._queue.remove(job)
        with torch.inference_mode():
            self._cache.wipe(len(self._jobs))
        if not self._jobs:
            self._cache.rest()

    def _advance(self) -> dict[str, list[int] | EngineError]:
        running = self._jobs[: self._running]
        reading, slices = self._next_slices()
        self._cache.fit(len(self._jobs), max([job.length + 1 for job in running] + [part.end for part in slices]))
        tokens = [job.last for job in running]
        writing, at = list(running), list(range(len(running)))
        for job, part in zip(reading, slices, strict=True):
            tokens += job.request.prompt[part.start : part.end]
            if part.end == len(job.request.prompt):
                writing.append(job)
                at.append(len(tokens) - 1)
        hidden = self._decoder(
            torch.tensor(tokens, device=self._device), [job.length for job in running], slices, self._cache
        )
        results = self._write(hidden[at], writing) if writing else {}
        # Only now: a step that ran out of memory has moved nobody and can be made again.
        for job in running:
            job.length += 1
        for job, part in zip(reading, slices, strict=True):
            job.length = part.end
        for job in writing[len(running) :]:
            self._start(job)
        return results

    def _next_slices(self) -> tuple[list[_Job], list[PromptSlice]]:
        """Return the next slices of the prompts that wait longest, together no more than one slice's tokens."""
        jobs: list[_Job] = []
        slices: list[PromptSlice] = []
        left = self._slice
        for job in self._queue:
            end = min(job.length + self._slice, len(job.request.prompt))
            if end - job.length > left:
                break
            left -= end - job.length
            jobs.append(job)
            slices.append(PromptSlice(self._jobs.index(job), job.length, end))
        return jobs, slices

    def _write(self, hidden: torch.Tensor, jobs: Sequence[_Job]) -> dict[str, list[int] | EngineError]:
        """Choose the next id of every job from its hidden state [R, hidden]."""
        choices = [job.choice for job in jobs]
        plan = self._head.plan(choices)
        scores = self._head.scores(hidden, plan)
        sound = scores.amax(dim=-1).isfinite().tolist()
        results: dict[str, list[int] | EngineError] = {
            job.request.id: self._broken() for job, is_sound in zip(jobs, sound, strict=True) if not is_sound
        }
        if kept := [row for row, is_sound in enumerate(sound) if is_sound]:
            scores = restrict(scores[kept], plan, [choices[row] for row in kept])
            chosen = choose(scores, plan.ids, [jobs[row].sampler for row in kept])
            for row, token in zip(kept, chosen, strict=True):
                jobs[row].wrote(token)
                results[jobs[row].request.id] = [token]
        return results

    def _broken(self) -> EngineError:
        return scores_not_numbers(str(self._cache.keys[0].dtype).removeprefix("torch."))

    def _start(self, job: _Job) -> None:
        """Move a job whose prompt is read to the running ones."""
        self._queue.remove(job)
        self._swap(self._jobs.index(job), self._running)
        self._running += 1

    @torch.inference_mode()
    def _swap(self, one: int, other: int) -> None:
        self._cache.swap(one, other)
        self._jobs[one], self._jobs[other] = self._jobs[other], self._jobs[one]


def load_model(folder: Path, settings: Settings) -> TorchModel:
    """Load the language model in ``folder``; raises ``BadCheckpoint`` and ``ConfigError``."""
    config = read_config(folder)
    placement = place(settings, config)
    slots, max_length = settings.llm_batch_size, min(settings.max_length, config.max_length)
    model = load_language_model(folder, config, placement)
    cache = _make_cache(model, placement, rows=slots, length=max_length)
    logger.info(
        "Language model %s: %s on %s, context of %d tokens, %d requests at once.",
        folder,
        str(placement.dtype).removeprefix("torch."),
        placement.device,
        max_length,
        slots,
    )
    return TorchModel(model, cache, slots=slots, max_length=max_length)


def _make_cache(model: LanguageModel, placement: Placement, *, rows: int, length: int) -> KeyValueCache:
    try:
        return KeyValueCache(model.decoder.config, placement, rows=rows, length=length)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise ConfigError(
            f"--cache_implementation static: there is no memory for {rows} requests of {length} tokens ({error}). "
            f"Lower --llm_batch_size or --max_length, or use dynamic."
        ) from error


def _explained(error: Exception, request: TokenRequest) -> EngineError:
    """Return the error that the caller of ``request`` sees; raises ``error`` itself if memory was not the cause."""
    if not is_out_of_memory(error):
        raise error
    explained = short_of_memory(request)
    explained.__cause__ = error
    return explained
