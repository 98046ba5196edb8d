"""Draws latents on a thread of its own, step by step: lines join and leave between steps, and share each step.

A line whose listener has left is dropped before the next step. If more lines wait than one step takes, those come first
that came first, but of one request the earlier line does: it is the one that is listened to.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import torch
from msgspec import Struct
from torch import Tensor

from flashtts_core.batching import Job
from flashtts_core.engines.mega.model.diffusion import Course, DiffusionNetwork, Step
from flashtts_core.engines.mega.model.flow import Guidance, advance, guided, schedule
from flashtts_core.errors import EngineError
from flashtts_core.nn.turns import turn

_COURSES_KEPT = 8
"""Schedules whose vectors are kept; 19 MB each for 32 steps of the official size."""


class Sketch(Struct, frozen=True, eq=False):
    """A line to be drawn.

    ``phones`` and ``tones`` [T] are those of reference and line, ``phone_of_frame`` [4 L] counts from 1, ``reference``
    [P, C] is the latent of the reference. ``chance`` (on the CPU) gives the noise; ``request`` and ``index`` say whose
    line it is.
    """

    phones: Tensor
    tones: Tensor
    phone_of_frame: Tensor
    reference: Tensor
    steps: int
    guidance: Guidance
    chance: torch.Generator
    request: str = ""
    index: int = 0


class Drawing:
    """A sketch on its way from noise to a latent."""

    def __init__(self, network: DiffusionNetwork, sketch: Sketch, course: Course) -> None:
        self._sketch = sketch
        self._course = course
        self._times = schedule(sketch.steps)
        self._number = 0
        text = network.text(sketch.phones, sketch.tones, sketch.phone_of_frame)
        self._lane = network.lane(text, network.local(sketch.reference, text.shape[1]), len(sketch.reference))
        self._shape = text.shape[1], sketch.reference.shape[1]
        self._device = text.device
        self._latents = self._noise()

    @property
    def step(self) -> Step:
        """What the network is to be asked next."""
        return Step(self._lane, self._latents, self._course, self._number)

    def advance(self, velocities: Tensor) -> bool:
        """Take a step with velocities [3, L, C]; True means that it was the last."""
        now, then = self._times[self._number], self._times[self._number + 1]
        self._number += 1
        finished = self._number == self._sketch.steps
        way = guided(velocities, self._sketch.guidance)
        self._latents = advance(self._latents, way, (now, then), None if finished else self._noise())
        return finished

    def finished(self) -> Tensor:
        """Return the latents [L, C] of reference and line; those of the reference are its own."""
        known = self._sketch.reference
        return torch.cat([known, self._latents[len(known) :]])

    def _noise(self) -> Tensor:
        return torch.randn(self._shape, generator=self._sketch.chance).to(self._device)


class Diffuser:
    """Owns the thread ``flashtts-diffusion``; at most ``max_batch`` lines share a step."""

    def __init__(self, network: DiffusionNetwork, *, max_batch: int = 1) -> None:
        self._network = network
        self._device = network.postnet.weight.device
        self._max_batch = max_batch
        self._arrived: list[Job[Sketch, Tensor]] = []
        self._drawings: dict[Job[Sketch, Tensor], Drawing] = {}
        self._wake = threading.Condition()
        self._closing = False
        self._course = lru_cache(_COURSES_KEPT)(self._make_course)
        self._thread = threading.Thread(target=self._work, name="flashtts-diffusion")
        self._thread.start()

    async def draw(self, sketch: Sketch) -> Tensor:
        """Return the latents [L, C] of a sketch, the reference included; cancelling stops it within one step."""
        job: Job[Sketch, Tensor] = Job(sketch)
        with self._wake:
            if self._closing:
                raise EngineError("The engine is closed; open the model again to speak.")
            self._arrived.append(job)
            self._wake.notify()
        return await job.future

    async def aclose(self) -> None:
        """Fail what is under way and join the thread; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    @torch.inference_mode()
    def _work(self) -> None:
        while jobs := self._next():
            with turn(self._device):
                self._step(jobs)

    def _next(self) -> list[Job[Sketch, Tensor]]:
        """Wait for lines and choose those of the next step; none means closing."""
        with self._wake:
            while not self._closing:
                self._arrived = [job for job in self._arrived if not job.future.cancelled()]
                self._drawings = {job: found for job, found in self._drawings.items() if job in self._arrived}
                if self._arrived:
                    return ranked(self._arrived)[: self._max_batch]
                self._wake.wait()
            for job in self._arrived:
                job.resolve(None, EngineError("The engine was closed while the request waited."))
            self._arrived = []
            return []

    def _step(self, jobs: Sequence[Job[Sketch, Tensor]]) -> None:
        """Advance lines by a step; if that fails for several, each has its own, so that one bad line fails alone."""
        try:
            velocities = self._network([self._drawing(job).step for job in jobs])
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to the requests, not to the thread
            if len(jobs) == 1:
                self._leave(jobs[0], None, error)
                return
            for job in jobs:
                self._step([job])
            return
        for job, of_job in zip(jobs, velocities, strict=True):
            self._advance(job, of_job)

    def _advance(self, job: Job[Sketch, Tensor], velocities: Tensor) -> None:
        """Move one line by its velocities; on a GPU the errors of the network may show here, too."""
        drawing = self._drawings[job]
        try:
            latents = drawing.finished() if drawing.advance(velocities) else None
        except Exception as error:  # noqa: BLE001  # it belongs to the request: a thread that ended would leave all waiting
            self._leave(job, None, error)
            return
        if latents is not None:
            self._leave(job, latents, None)

    def _drawing(self, job: Job[Sketch, Tensor]) -> Drawing:
        if job not in self._drawings:
            self._drawings[job] = Drawing(self._network, job.item, self._course(job.item.steps))
        return self._drawings[job]

    def _leave(self, job: Job[Sketch, Tensor], latents: Tensor | None, error: Exception | None) -> None:
        self._drawings.pop(job, None)
        with self._wake:
            self._arrived.remove(job)
        job.resolve(latents, error)

    def _make_course(self, steps: int) -> Course:
        return self._network.course(torch.tensor(schedule(steps)[:-1], device=self._device))


def ranked(jobs: Sequence[Job[Sketch, Tensor]]) -> list[Job[Sketch, Tensor]]:
    """Return jobs, given in the order they came, in the order they are worked on."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, job in enumerate(jobs):
        places[job.item.request].append(place)
    order = list(jobs)
    for of_request in places.values():
        by_index = sorted((jobs[place] for place in of_request), key=lambda job: job.item.index)
        for place, job in zip(of_request, by_index, strict=True):
            order[place] = job
    return order
