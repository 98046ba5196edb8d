"""Speech on its way: lines are generated ahead, delivered in order, and closing reaches the model.

Every line has a task of its own. At most ``ahead`` lines beyond the one that is being delivered are alive, so no gap
opens between sentences, first audio does not wait for the rest, and a listener who pauses does not fill the memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.join import Joiner
from flashtts_core.audio.stretch import TimeStretch
from flashtts_core.engines.guard import begun, sound
from flashtts_core.errors import EmptySpeech, EngineError
from flashtts_core.types import AudioChunk, Line, Usage

FIRST_PIECE_SECONDS = 0.1
PIECE_SECONDS = 0.25
"""Longest chunk that is handed on: what follows (stretching, encoding) runs on the event loop in short steps.

The first of a line is shorter, as somebody waits for it; the others are not, as every piece costs a turn of the loop.
"""

Speak = Callable[[Line], AsyncGenerator[AudioChunk, None]]


class PlannedLine:
    """A line, the factor by which its sound is still to be sped up, and which turn of the dialogue it belongs to."""

    __slots__ = ("line", "stretch", "turn")

    def __init__(self, line: Line, stretch: float = 1.0, turn: int = 0) -> None:
        self.line = line
        self.stretch = stretch
        self.turn = turn


class Plan(Struct, frozen=True, eq=False):
    """What is to be spoken: ``overlap`` is in samples, ``ignored`` names the request's fields without effect."""

    lines: Sequence[PlannedLine]
    overlap: int = 0
    ignored: tuple[str, ...] = ()


class _LineTask:
    """One line in the making: a task that fills a queue."""

    def __init__(self, speak: Speak, line: Line, sample_rate: int) -> None:
        self._queue: asyncio.Queue[AudioChunk | BaseException | None] = asyncio.Queue()
        self._cancelled = False
        making = self._produce(speak, line, sample_rate)
        self._task = asyncio.create_task(making, name=f"{line.request_id}:{line.index}")

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the chunks of the line; raises what the engine raised."""
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def cancel(self) -> None:
        """Tell the engine's generator to stop."""
        self._cancelled = True
        self._task.cancel()

    async def aclose(self) -> None:
        """Stop the engine's generator and wait until it has stopped."""
        self.cancel()
        await asyncio.wait([self._task])

    async def _produce(self, speak: Speak, line: Line, sample_rate: int) -> None:
        try:
            async with aclosing(begun(speak(line))) as chunks:
                async for chunk in chunks:
                    if not self._queue.empty():  # an engine that never waits would keep everybody else from the loop
                        await asyncio.sleep(0)
                    if self._cancelled:  # and the engine has caught what should have stopped it
                        return
                    self._queue.put_nowait(sound(chunk, sample_rate))
        except asyncio.CancelledError:
            # If it was not we who cancelled it, somebody reads: within the engine, a task of its own was cancelled.
            self._queue.put_nowait(EngineError("The engine broke the line off. Try again."))
            raise
        except SystemExit as stop:  # scripts that became engines do that; it would be the end of all other requests
            failure = EngineError("The engine asked to end the process. Report it to the author of its plugin.")
            failure.__cause__ = stop
            self._queue.put_nowait(failure)
        except Exception as error:  # noqa: BLE001  # carried to the reader, who raises it in the request's own task
            self._queue.put_nowait(error)
        else:
            self._queue.put_nowait(None)


class AudioStream:
    """The speech of one request: iterate over its chunks, then close it (or use it as ``async with``).

    ``sample_rate`` is that of all chunks, ``ignored`` names the request's fields that mean nothing to the engine,
    ``usage`` counts what was read and generated so far, and ``turn`` is the turn of a dialogue that the latest chunk
    belongs to, counted from 0.
    """

    def __init__(self, speak: Speak, plan: Plan, *, sample_rate: int, ahead: int) -> None:
        self.sample_rate = sample_rate
        self.ignored = plan.ignored
        self.usage = Usage()
        self.turn = 0
        self._speak = speak
        self._planned = deque(plan.lines)
        self._overlap = plan.overlap
        self._ahead = ahead
        self._running: deque[tuple[_LineTask, PlannedLine]] = deque()
        self._chunks = self._deliver()
        self._first: AudioChunk | None = None
        self._started = False

    def launch(self) -> None:
        """Let the engine begin before anybody waits for the sound; doing so again is harmless."""
        while self._planned and len(self._running) <= self._ahead:
            planned = self._planned.popleft()
            self._running.append((_LineTask(self._speak, planned.line, self.sample_rate), planned))

    async def start(self) -> Self:
        """Wait for the first sound, so that errors come before anything was sent; raises what the engine raised.

        Whoever iterates waits for it, too: that there is none is an error for everybody.
        """
        if not self._started:
            try:
                self._first = await anext(self._chunks)
            except StopAsyncIteration:
                raise EmptySpeech("The model gave no sound for this text. Try other words or another seed.") from None
            self._started = True
        return self

    async def read(self) -> AudioChunk:
        """Return all the speech as one chunk."""
        await self.start()
        parts = [chunk.samples async for chunk in self]
        return AudioChunk(np.concatenate(parts), self.sample_rate, self.usage)

    def __aiter__(self) -> AsyncIterator[AudioChunk]:
        return self

    async def __anext__(self) -> AudioChunk:
        if not self._started:
            await self.start()
        if self._first is not None:
            chunk, self._first = self._first, None
            return chunk
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Stop the model and free its place; closing twice, or after the end, is harmless."""
        self._planned.clear()
        for task, _ in self._running:
            task.cancel()
        await self._chunks.aclose()
        while self._running:
            task, _ = self._running.popleft()
            await task.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _deliver(self) -> AsyncGenerator[AudioChunk, None]:
        self.launch()
        while self._running:
            _, planned = self._running[0]
            async with aclosing(self._passage()) as chunks:
                async for chunk in _paced(chunks, planned.stretch, self.sample_rate):
                    self.usage += chunk.usage
                    self.turn = planned.turn
                    if len(chunk.samples):
                        yield chunk

    async def _passage(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the chunks of the next line; if lines overlap, of all in its turn, each faded into the one before."""
        joiner = Joiner(self._overlap)
        last = False
        while not last:
            task, planned = self._running[0]
            async with aclosing(task.chunks()) as chunks:
                async for chunk in chunks:
                    yield AudioChunk(joiner.process(chunk.samples), chunk.sample_rate, chunk.usage)
            await task.aclose()
            self._running.popleft()
            self.launch()
            last = planned.line.closes or not self._overlap
        yield AudioChunk(joiner.finish(), self.sample_rate)


async def _paced(
    chunks: AsyncIterator[AudioChunk], factor: float, sample_rate: int
) -> AsyncGenerator[AudioChunk, None]:
    """Cut chunks into short pieces, and stretch them in time if a factor other than 1 is asked for."""
    stretch = TimeStretch(sample_rate, factor)
    pending = Usage()
    first = FIRST_PIECE_SECONDS
    async for chunk in chunks:
        pending += chunk.usage
        for piece in _pieces(chunk.samples, sample_rate, first):
            first = PIECE_SECONDS
            if len(samples := stretch.process(piece)):
                yield AudioChunk(samples, sample_rate, pending)
                pending = Usage()
    for samples in _pieces(stretch.finish(), sample_rate):
        yield AudioChunk(samples, sample_rate, pending)
        pending = Usage()
    yield AudioChunk(np.empty(0, np.float32), sample_rate, pending)  # what was counted after the last sound


def _pieces(
    samples: NDArray[np.float32], sample_rate: int, first: float = PIECE_SECONDS
) -> Iterator[NDArray[np.float32]]:
    """Cut samples into pieces, the first of at most ``first`` seconds."""
    start = round(first * sample_rate)
    if len(samples):
        yield samples[:start]
    size = round(PIECE_SECONDS * sample_rate)
    yield from (samples[at : at + size] for at in range(start, len(samples), size))
