"""One utterance of a WebSocket session: sentences come in while it is spoken, audio and events go out.

It holds a place from its first sentence to its end. The next sentence is opened while one is being sent, so that no gap
opens between them, and all are parts of one passage, so that they sound alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Literal

from msgspec import Struct

from flashtts_core.audio.formats import AudioFormat
from flashtts_core.synthesizer import Passage
from flashtts_core.types import SpeechRequest, Usage
from flashtts_server.admission import Demand
from flashtts_server.answers import SEND_GRACE, Delivery, encoded, sent_rate
from flashtts_server.deadlines import until
from flashtts_server.messages import AudioDone, AudioStart, ServerMessage, SessionDone, UsageReply
from flashtts_server.service import Service
from flashtts_server.speech import Speech, Turn


class Manner(Struct, frozen=True):
    """How an utterance is spoken and sent; ``request`` makes the request for one of its sentences."""

    request: Callable[[str], SpeechRequest]
    format: AudioFormat
    sample_rate: int | None = None


class Outlet(Struct, frozen=True):
    """Where an utterance goes: events, audio, and errors that end it."""

    event: Callable[[ServerMessage], Awaitable[None]]
    audio: Callable[[bytes], Awaitable[None]]
    failure: Callable[[Exception, int], Awaitable[None]]


class Utterance:
    """Speaks sentences as they are added; ``run`` is its life, ``closed`` its last sentence known."""

    def __init__(self, service: Service, index: int, manner: Manner, outlet: Outlet) -> None:
        self.characters = 0
        self.waits = True
        """Whether it has nothing to speak at the moment."""
        self.ended = asyncio.Event()
        """That it has told its end."""
        self._service = service
        self._index = index
        self._manner = manner
        self._outlet = outlet
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._opened: asyncio.Queue[tuple[str, Speech] | Exception | None] = asyncio.Queue(1)
        self._spoken = 0
        self._seconds = 0.0
        self._usage = Usage()
        self._ignored: dict[str, None] = {}
        self._reason: Literal["completed", "cancelled", "failed"] = "cancelled"
        self._error: Exception | None = None
        self._told = False

    def add(self, sentence: str) -> None:
        """Speak this, too."""
        self.waits = False
        self._sentences.put_nowait(sentence)

    def close(self) -> None:
        """Say that no more comes."""
        self.waits = False
        self._sentences.put_nowait(None)

    async def run(self) -> None:
        """Speak until the end, or until cancelled, and tell how it ended."""
        try:
            await self._speak()
            self._reason = "completed"
        except Exception as error:  # noqa: BLE001  # the client hears of it in an event, as there is no status
            self._reason, self._error = "failed", error
        finally:
            await self.tell_end()

    async def tell_end(self) -> None:
        """Send the last events, unless they were sent; a task that is cancelled early has not even begun to run."""
        self.waits = True
        if self._error is not None:
            await self._outlet.failure(self._error, self._index)
            self._error = None
        if self._told:
            return
        usage = self._usage
        total = usage.input_tokens + usage.output_tokens
        reply = UsageReply(usage.input_tokens, usage.output_tokens, total)
        await self._outlet.event(SessionDone(self._index, self._spoken, self._reason, reply, list(self._ignored)))
        self._told = True
        self.ended.set()

    async def _speak(self) -> None:
        first = await self._sentences.get()
        if first is None:
            return
        turn = await Turn.begin(self._service, Demand(len(first), listening=True))
        complete = False
        opening = asyncio.create_task(self._open_all(turn, first))
        try:
            while (opened := await self._opened.get()) is not None:
                if isinstance(opened, Exception):
                    complete = True
                    raise opened
                async with until(turn.deadline + SEND_GRACE):  # also for a client that takes little of it
                    await self._deliver(*opened)
            complete = True
        finally:
            opening.cancel()
            await asyncio.wait([opening])
            while not self._opened.empty():
                left = self._opened.get_nowait()
                if isinstance(left, tuple):
                    await left[1].aclose()
            turn.end(complete=complete)

    async def _open_all(self, turn: Turn, first: str) -> None:
        """Open one sentence after the other, one ahead of the one that is being sent."""
        sentence: str | None = first
        passage = Passage()
        try:
            while sentence is not None:
                speech = await Speech.part(turn, self._manner.request(sentence), passage)
                try:
                    await self._opened.put((sentence, speech))
                except asyncio.CancelledError:
                    await speech.aclose()
                    raise
                async with until(turn.deadline):  # a place is not held for words that do not come
                    sentence = await self._sentences.get()
        except Exception as error:  # noqa: BLE001  # raised where the sentences before it have been sent
            await self._opened.put(error)
        else:
            await self._opened.put(None)

    async def _deliver(self, sentence: str, speech: Speech) -> None:
        """Send one sentence between its two events."""
        delivery = Delivery(self._manner.format, "stream", self._manner.sample_rate)
        rate = sent_rate(self._manner.format, self._manner.sample_rate or speech.sample_rate)
        start, total, number = round(self._seconds, 3), 0, self._spoken
        try:
            await self._outlet.event(
                AudioStart(self._index, number, sentence.strip(), self._manner.format, rate, start)
            )
            async with aclosing(encoded(speech, delivery)) as pieces:
                async for piece in pieces:
                    total += len(piece)
                    await self._outlet.audio(piece)
        finally:
            self._usage += speech.usage
            self._ignored |= dict.fromkeys(speech.ignored)
            await speech.aclose()
        self._seconds += speech.seconds
        self._spoken += 1
        self.waits = self._sentences.empty() and self._opened.empty()
        await self._outlet.event(AudioDone(self._index, number, start, round(self._seconds, 3), total))
