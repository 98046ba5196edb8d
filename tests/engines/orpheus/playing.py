"""Ways to open the engine in tests: on the torch backend, or on a backend that plays back what a test wrote."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.orpheus import golden
from flashtts_core.backends import Backend, BackendContext
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.backends.torch import open_torch
from flashtts_core.engines import Engine, EngineContext
from flashtts_core.engines.orpheus import OrpheusSettings
from flashtts_core.engines.orpheus.engine import OrpheusEngine, open_orpheus
from flashtts_core.settings import Settings
from flashtts_core.types import AudioChunk, Line, Sampling, Style, TokenRequest


class Playback:
    """A backend that answers the n-th request with the n-th script (the last one again and again)."""

    vocab_size = 28956
    max_length = 4096

    def __init__(self, *scripts: Sequence[int], at_once: int = 1) -> None:
        self.scripts = scripts
        self.at_once = at_once
        self.requests: list[TokenRequest] = []
        self.given = 0
        self.running = 0
        self.alive = True

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        self.running += 1
        try:
            for start in range(0, len(script), self.at_once):
                ids = list(script[start : start + self.at_once])
                self.given += len(ids)
                yield ids
        finally:
            self.running -= 1

    async def aclose(self) -> None:
        self.alive = False


def ids_of(frames: Sequence[Sequence[int]]) -> list[int]:
    """Return frames as the golden language model writes them."""
    first = golden.PROMPTS["tiny_ids"]["custom_token_0"] + 10
    return [first + slot * 4096 + code for frame in frames for slot, code in enumerate(frame)]


async def open_on_torch(folder: Path = golden.CHECKPOINT, **changes: object) -> OrpheusEngine:
    """Open a checkpoint on the torch backend; ``changes`` are settings."""
    given = {"llm_device": "cpu", "detokenizer_device": "cpu", "max_length": 1024, "llm_batch_size": 8, **changes}
    settings = Settings(**given)  # type: ignore[arg-type]  # by name

    async def open_backend(llm: Path) -> Backend:
        return GuardedBackend(await open_torch(BackendContext(llm, settings)), max_length=settings.max_length)

    return await open_orpheus(EngineContext(folder, settings, open_backend))


async def open_on(backend: Backend, own: OrpheusSettings | None = None, **changes: object) -> OrpheusEngine:
    """Open the golden checkpoint on a given backend; ``changes`` are settings."""

    async def open_backend(llm: Path) -> Backend:
        return backend

    settings = Settings(**{"detokenizer_device": "cpu", **changes})  # type: ignore[arg-type]  # by name
    return await open_orpheus(EngineContext(golden.CHECKPOINT, settings, open_backend, own))


@asynccontextmanager
async def on_torch(folder: Path = golden.CHECKPOINT, **changes: object) -> AsyncIterator[OrpheusEngine]:
    """Open as ``open_on_torch`` does, and close."""
    async with aclosing(await open_on_torch(folder, **changes)) as engine:
        yield engine


@asynccontextmanager
async def playing(
    backend: Backend, own: OrpheusSettings | None = None, **changes: object
) -> AsyncIterator[OrpheusEngine]:
    """Open as ``open_on`` does, and close."""
    async with aclosing(await open_on(backend, own, **changes)) as engine:
        yield engine


def line(engine: Engine, text: str = "Hello there.", *, voice: str = "tara", **changes: object) -> Line:
    """Return a line; ``changes`` are fields of ``Sampling``."""
    sampling = Sampling(**changes).over(engine.defaults)  # type: ignore[arg-type]  # by name
    return Line("request", 0, text, "en", engine.voices[voice], Style(), sampling)


async def chunks_of(engine: Engine, spoken: Line) -> list[AudioChunk]:
    return [chunk async for chunk in engine.speak(spoken)]


async def sound_of(engine: Engine, spoken: Line) -> NDArray[np.float32]:
    return np.concatenate([chunk.samples for chunk in await chunks_of(engine, spoken)])
