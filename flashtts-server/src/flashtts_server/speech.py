"""One speech request on its way through the server: a place, a stream and a clock, all given back at the end, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from flashtts_core.stream import AudioStream
from flashtts_core.types import AudioChunk, SpeechRequest, Usage
from flashtts_server.admission import Place
from flashtts_server.deadlines import deadline_in, until
from flashtts_server.errors import ClientGone
from flashtts_server.metrics import Metrics
from flashtts_server.scope import AnyRequest
from flashtts_server.service import Service

T = TypeVar("T")


async def while_connected(request: AnyRequest, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns, or cancel it and raise ``ClientGone`` when the client leaves first.

    Litestar watches for that only once an answer has begun. The body has to be read before.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnect(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.wait({task, gone})


async def _disconnect(request: AnyRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Speech:
    """Speech that was admitted and has begun; iterate over ``chunks`` or ``read`` it, then close it."""

    def __init__(self, stream: AudioStream, place: Place, metrics: Metrics, *, arrived: float, deadline: float) -> None:
        self.sample_rate = stream.sample_rate
        self.ignored = stream.ignored
        self.deadline = deadline
        self._stream = stream
        self._place = place
        self._metrics = metrics
        self._arrived = arrived
        self.turns: list[float] = []
        """Where each turn of a dialogue that has begun starts, in seconds."""
        self._samples = 0
        self._ended = False  # by its own end or by an error; else it is the client who leaves
        self._closed = False

    @classmethod
    async def begin(cls, service: Service, wanted: SpeechRequest, *, whole: bool) -> Self:
        """Wait for a place and for the first sound; raises every error that can come before it."""
        arrived = time.monotonic()
        deadline = deadline_in(service.settings.request_timeout)
        synthesizer, metrics = service.synthesizer, service.metrics
        async with until(deadline):
            place = await service.enter()
            try:
                stream = await synthesizer.open(wanted, whole=whole)
            except BaseException:
                place.release()
                raise
            speech = cls(stream, place, metrics, arrived=arrived, deadline=deadline)
            try:
                with speech._judged():
                    await stream.start()
            except BaseException:
                await speech.aclose()
                raise
        metrics.first_audio.observe(time.monotonic() - arrived)
        return speech

    @property
    def usage(self) -> Usage:
        """What was read and generated so far."""
        return self._stream.usage

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the speech piece by piece; raises ``RequestTimeout`` and what the engine raises."""
        while (chunk := await self._next()) is not None:
            self._metrics.audio.inc(len(chunk.samples) / self.sample_rate)
            while len(self.turns) <= self._stream.turn:
                self.turns.append(self._samples / self.sample_rate)
            self._samples += len(chunk.samples)
            yield chunk
        self._ended = True

    async def read(self) -> AudioChunk:
        """Return all of it; raises as ``chunks``."""
        with self._judged():
            async with until(self.deadline):
                chunk = await self._stream.read()
        self._metrics.audio.inc(len(chunk.samples) / self.sample_rate)
        self._ended = True
        return chunk

    async def aclose(self) -> None:
        """Stop the engine and give the place back; doing so again is harmless."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
        finally:
            self._place.release()
            self._metrics.total.observe(time.monotonic() - self._arrived)
            if not self._ended:
                self._metrics.cancelled.inc()

    async def _next(self) -> AudioChunk | None:
        with self._judged():
            async with until(self.deadline):
                return await anext(self._stream, None)

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Remember of an error that it, and not the client, ended the speech."""
        try:
            yield
        except Exception:
            self._ended = True
            self._metrics.failed.inc()
            raise
