"""Servers for the browser: an engine that stops in the middle until it is told to go on, and others made to measure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator

import msgspec

from flashtts_core.engines import Engine
from flashtts_core.settings import Settings
from flashtts_core.testing import ToneEngine, ToneSettings
from flashtts_core.types import AudioChunk, Line, Reference, Voice
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer


class GatedEngine(ToneEngine):
    """A tone engine that, after ``free`` words, waits for ``gate`` before each next one."""

    def __init__(self, free: int, settings: ToneSettings | None = None) -> None:
        super().__init__(settings)
        self.free = free
        self.gate = threading.Event()

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Sound one tone a word, as long as the gate is open."""
        said = 0
        self.running += 1
        try:
            for word in line.text.split():
                while said >= self.free and not self.gate.is_set():
                    await asyncio.sleep(0.01)
                async for chunk in super().speak(msgspec.structs.replace(line, text=word)):
                    yield chunk
                said += 1
        finally:
            self.running -= 1


class LatentEngine(ToneEngine):
    """A tone engine that clones with a latent only, as MegaTTS 3 does; keeps the references it got."""

    def __init__(self) -> None:
        super().__init__()
        self.abilities = msgspec.structs.replace(self.abilities, latent=True)
        self.references: list[Reference] = []

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Remember the reference."""
        self.references.append(reference)
        return await super().encode_voice(name, reference)


def serve(
    engine: Engine, server_settings: ServerSettings | None = None, settings: Settings | None = None
) -> LiveServer:
    """Return a server around an engine that is there already."""

    async def make() -> Engine:
        await asyncio.sleep(0)
        return engine

    return LiveServer(make, server_settings, settings)
