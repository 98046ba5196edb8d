"""Speech on its way through the server: a turn with its place and clock, and a stream, given back at the end, once."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

from flashtts_core.errors import FlashTTSError
from flashtts_core.stream import AudioStream
from flashtts_core.synthesizer import Passage
from flashtts_core.types import AudioChunk, SpeechRequest, Usage
from flashtts_server.admission import Demand, Place
from flashtts_server.deadlines import Deadline, deadline_in, until
from flashtts_server.metrics import SpeechMetrics
from flashtts_server.player import Player
from flashtts_server.records import count, note
from flashtts_server.service import Opened, Service


class Turn:
    """The right to speak on the server for a while: since when it was asked for, its place, and until when."""

    def __init__(self, opened: Opened, place: Place, *, arrived: float, deadline: float) -> None:
        self.opened = opened
        self.deadline = deadline
        self._place = place
        self._arrived = arrived
        self._heard = False
        self._ended = False

    @classmethod
    async def begin(cls, service: Service, demand: Demand) -> Self:
        """Wait for a place; raises ``Refused`` if there is none in time, ``RequestTimeout``, and as ``opened``."""
        arrived = time.monotonic()
        deadline = deadline_in(service.settings.request_timeout)
        opened = service.opened
        async with until(deadline):
            place = await service.enter(demand)
        return cls(opened, place, arrived=arrived, deadline=deadline)

    def heard(self) -> None:
        """Take note of the first sound; those after it are none of its business."""
        if not self._heard:
            self._heard = True
            now = time.monotonic()
            self.opened.metrics.first_audio.observe(now - self._arrived)
            note(first_audio_ms=round(1000 * (now - self._arrived), 1), queue_ms=round(1000 * self._place.waited, 1))
            if self._place.demand.listening:
                self.opened.admission.heard(now - self._place.since)

    def end(self, *, complete: bool) -> None:
        """Give the place back; doing so again is harmless. Not ``complete``: the client left."""
        if not self._ended:
            self._ended = True
            self._place.release(complete=complete)
            self.opened.metrics.total.observe(time.monotonic() - self._arrived)
            if not complete:
                note(cancelled=True)
                self.opened.metrics.cancelled.inc()


class Speech:
    """Speech that was admitted and is being made; iterate over ``chunks`` or ``read`` it, then close it.

    It is made in a ``turn``, which it ends when it is closed if it was begun with one of its own.
    """

    def __init__(self, stream: AudioStream, turn: Turn, *, whole: bool, owns_turn: bool) -> None:
        self.sample_rate = stream.sample_rate
        self.ignored = stream.ignored
        self.deadline = turn.deadline
        self.complete = False
        """Whether it ended by itself or by an error; else it is the client who leaves."""
        self._stream = stream
        self.turns: list[float] = []
        """Where each turn of a dialogue that has begun starts, in seconds."""
        self._turn = turn
        self._metrics = turn.opened.metrics
        self._whole = whole
        self._owns_turn = owns_turn
        self._player = Player()
        self._judge = _Judge(self._metrics)  # of the model
        self._clock = Deadline(turn.deadline)
        self._started = False
        self._closed = False

    @classmethod
    async def begin(cls, service: Service, wanted: SpeechRequest, *, whole: bool) -> Self:
        """Wait for a place and begin; raises every error that comes before the engine has made anything."""
        turn = await Turn.begin(service, Demand(len(wanted.text), listening=not whole))
        try:
            return await cls._open(turn, wanted, whole=whole, owns_turn=True)
        except BaseException as error:
            turn.end(complete=isinstance(error, Exception))
            raise

    @classmethod
    async def part(cls, turn: Turn, wanted: SpeechRequest, passage: Passage) -> Self:
        """Wait for the first sound of a part of what is said in a turn; raises every error that can come before it."""
        speech = await cls._open(turn, wanted, passage=passage)
        try:
            await speech.start()
        except BaseException:
            await speech.aclose()
            raise
        return speech

    @classmethod
    async def _open(
        cls,
        turn: Turn,
        wanted: SpeechRequest,
        *,
        whole: bool = False,
        owns_turn: bool = False,
        passage: Passage | None = None,
    ) -> Self:
        async with until(turn.deadline):
            stream = await turn.opened.synthesizer.open(wanted, whole=whole, passage=passage)
        stream.launch()
        return cls(stream, turn, whole=whole, owns_turn=owns_turn)

    async def start(self) -> None:
        """Wait for the first sound; raises ``RequestTimeout`` and every error that can come before it."""
        if not self._started:
            with self._judge, self._clock:
                await self._stream.start()
            self._started = True
            self._turn.heard()

    @property
    def seconds(self) -> float:
        """How long it sounds, so far."""
        return self._player.played_seconds

    @property
    def usage(self) -> Usage:
        """What was read and generated so far."""
        return self._stream.usage

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the speech piece by piece; raises ``RequestTimeout`` and what the engine raises."""
        await self.start()
        sounded = 0
        while (chunk := await self._next()) is not None:
            while len(self.turns) <= self._stream.turn:
                self.turns.append(sounded / self.sample_rate)
            sounded += len(chunk.samples)
            yield chunk
        self.complete = True

    async def read(self) -> AudioChunk:
        """Return all of it; raises as ``chunks``."""
        await self.start()
        with self._judge, self._clock:
            chunk = await self._stream.read()
        self._player.hear(0.0, len(chunk.samples) / self.sample_rate)
        self.complete = True
        return chunk

    async def aclose(self) -> None:
        """Stop the engine and give the place back; doing so again is harmless."""
        if self._closed:
            return
        self._closed = True
        self._clock.close()
        try:
            await self._stream.aclose()
        finally:
            if self._owns_turn:
                self._turn.end(complete=self.complete or self._judge.failed)
            self._account()

    def _account(self) -> None:
        metrics, sound = self._metrics, self._player.played_seconds
        metrics.spent(self.usage)
        metrics.audio.inc(sound)
        if sound:
            metrics.factor.observe(self._judge.waited / sound)
        if not self._whole:
            metrics.played(self._player)
        count(audio_seconds=sound, gaps=self._player.gaps)

    async def _next(self) -> AudioChunk | None:
        before = self._judge.waited
        with self._judge, self._clock:
            chunk = await anext(self._stream, None)
        if chunk is not None:
            self._player.hear(self._judge.waited - before, len(chunk.samples) / self.sample_rate)
        return chunk


class _Judge:
    """Counts the seconds of its blocks, ``waited``, and remembers of an error that it ended the speech, ``failed``."""

    def __init__(self, metrics: SpeechMetrics) -> None:
        self.waited = 0.0
        self.failed = False
        self._metrics = metrics
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.waited += time.monotonic() - self._began
        if isinstance(error, Exception):
            self.failed = True
            self._metrics.failed(error.code if isinstance(error, FlashTTSError) else "internal_error").inc()
