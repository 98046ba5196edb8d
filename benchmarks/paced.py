"""A server process to measure: a fake engine that makes tone at a set pace, and a page that tells what it costs.

``python benchmarks/paced.py --port N --pace 0.05 --lead 0.1`` serves until told to stop. ``GET /costs`` gives tasks,
threads, files, memory, processor time, and the processor time of the event loop's slowest callbacks.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import threading
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flashtts_core.engines import Abilities, TextRules
from flashtts_core.errors import NotSupported
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.types import AudioChunk, Line, Reference, Sampling, Usage, Voice
from flashtts_server.serve import SpeechServer, listen, settled
from flashtts_server.settings import ServerSettings

SAMPLE_RATE = 24_000
PIECE_SECONDS = 0.1


class PacedEngine:
    """Every character is a piece of 0.1 s of tone; ``lead`` seconds pass before the first, ``pace`` before each other.

    Nothing is computed and nobody is held up by others: what is measured is the server.
    """

    name = "paced"
    sample_rate = SAMPLE_RATE
    rules = TextRules(normalize=False)
    abilities = Abilities(languages=("en",))
    defaults = Sampling(temperature=0.0, top_k=0, top_p=1.0, repetition_penalty=1.0, max_tokens=4096, seed=0)
    parallel = 64
    alive = True

    def __init__(self, *, lead: float, pace: float) -> None:
        self._lead = lead
        self._pace = pace
        time = np.arange(round(PIECE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
        self._piece = (0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
        self._voices = {"tone": Voice("tone", self.name, builtin=True, language="en")}
        self.running = 0

    @property
    def voices(self) -> Mapping[str, Voice]:
        """One voice."""
        return self._voices

    def language(self, text: str) -> str:
        """Return ``en``."""
        return "en"

    def count_tokens(self, text: str) -> int:
        """Return the number of characters."""
        return len(text)

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Sound one piece a character, at the pace."""
        self.running += 1
        loop = asyncio.get_running_loop()
        due = loop.time() + self._lead
        try:
            for _ in line.text:
                await asyncio.sleep(max(0.0, due - loop.time()))
                yield AudioChunk(self._piece, SAMPLE_RATE, Usage(1, 5))
                due += self._pace
        finally:
            self.running -= 1

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Raise ``NotSupported``."""
        raise NotSupported("This engine does not clone.")

    async def warm_up(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""


class Callbacks:
    """Times every callback of the event loop in processor time of its thread, which a busy machine does not change."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        run = asyncio.events.Handle._run

        def timed(handle: asyncio.events.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.seconds.append(time.thread_time() - began)

        asyncio.events.Handle._run = timed  # type: ignore[method-assign,assignment]

    def report(self) -> dict[str, float]:
        """Return the 99.9th percentile and the maximum, in milliseconds, since the last report."""
        seconds, self.seconds = sorted(self.seconds), []
        if not seconds:
            return {"count": 0}
        at = min(int(0.999 * len(seconds)), len(seconds) - 1)
        return {"count": len(seconds), "p999_ms": 1000 * seconds[at], "max_ms": 1000 * seconds[-1]}


def costs(engine: PacedEngine, server: SpeechServer, callbacks: Callbacks | None) -> dict[str, Any]:
    """Return what the process holds and has used."""
    gc.collect()
    admission = server.service.admission
    usage = os.times()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "places": admission.running + admission.queued,
        "lines": engine.running,
        "memory_mb": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "cpu_seconds": usage.user + usage.system,
        "callbacks": callbacks.report() if callbacks else {},
    }


class MeasuredServer(SpeechServer):
    """A server that answers /costs before the application sees it."""

    def __init__(self, settings: ServerSettings, engine: PacedEngine, callbacks: Callbacks | None, port: int) -> None:
        async def load() -> Synthesizer:
            await asyncio.sleep(0)
            return Synthesizer(engine, Settings(voice_dir="/nonexistent"))

        self.listener = listen("127.0.0.1", port)
        super().__init__(settings, self.listener, settled(load))
        app = self.config.loaded_app

        async def measured(scope: Any, receive: Any, send: Any) -> None:
            if scope.get("path") != "/costs":
                await app(scope, receive, send)
                return
            body = json.dumps(costs(engine, self, callbacks)).encode()
            length = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            await send({"type": "http.response.body", "body": body})

        self.config.loaded_app = measured


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Answer as the server does one piece of sound after the lead of 0.1 s, and do nothing else: the limit."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(0.1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"audio/pcm")]})
    await send({"type": "http.response.body", "body": bytes(4800), "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lead", type=float, default=0.1)
    parser.add_argument("--pace", type=float, default=0.05)
    parser.add_argument("--places", type=int, default=64)
    parser.add_argument("--callbacks", action="store_true", help="time every callback of the event loop")
    options = parser.parse_args()
    callbacks = Callbacks() if options.callbacks else None
    settings = ServerSettings(host="127.0.0.1", max_concurrency=options.places)
    engine = PacedEngine(lead=options.lead, pace=options.pace)
    server = MeasuredServer(settings, engine, callbacks, options.port)
    if callbacks:
        server.config.loop = "asyncio"  # uvloop's callbacks are out of reach; the server's part of them is the same
    server.run(sockets=[server.listener])


if __name__ == "__main__":
    main()
