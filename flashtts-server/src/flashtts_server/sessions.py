"""A WebSocket session: text comes in as it is written, is cut into sentences, and goes back as speech.

Messages are read all the time, so that a cancel is heard while audio is being sent, or the recording of a voice
fetched. Utterances are spoken one after the other; the text of the next may already come in.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.exceptions import WebSocketDisconnect

from flashtts_core.errors import FlashTTSError, Overloaded, RequestError, TooLarge
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.text.alphabet import speakable, tidy
from flashtts_core.text.incoming import IncomingText
from flashtts_core.types import SpeechRequest, VoiceChoice
from flashtts_server.answers import PCM_RATE
from flashtts_server.catalogue import check_model
from flashtts_server.errors import broken_off, headers_of, status_of
from flashtts_server.handshakes import refusal
from flashtts_server.messages import (
    ClientMessage,
    ErrorMessage,
    InputCancel,
    InputDone,
    InputFlush,
    InputText,
    ServerMessage,
    SessionClose,
    SessionConfig,
    SessionCreated,
    parse,
)
from flashtts_server.scope import AnySocket, remember_renamed, request_id
from flashtts_server.service import Service
from flashtts_server.utterances import Manner, Outlet, Utterance

SUBPROTOCOL = "flashtts"
NORMAL, POLICY = 1000, 1008
"""Codes of closing: all is well; a limit was met."""
MOST_HELD = 64
"""Messages that are read while a configuration is being settled; the rest waits in the connection."""


async def serve_session(service: Service, socket: AnySocket) -> None:
    """Take a WebSocket and serve it, or refuse it with the status and the body that a request would get."""
    try:
        socket.app.state.guard.check(socket)
        service.open_session()
    except FlashTTSError as error:
        await _refuse(socket, error)
        return
    try:
        # A browser breaks a connection off for which none of its subprotocols was chosen.
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", ()) else None)
        await Session(service, socket).run()
    finally:
        service.sessions -= 1


async def _refuse(socket: AnySocket, error: FlashTTSError) -> None:
    for message in refusal(status_of(error), broken_off(socket, error), headers_of(error)):
        await socket.send(message)


class Session:
    """One open WebSocket; ``run`` is its life."""

    def __init__(self, service: Service, socket: AnySocket) -> None:
        self._service = service
        self._socket = socket
        self._config = SessionConfig()
        self._voice: VoiceChoice = None
        self._text: IncomingText | None = None
        self._current: Utterance | None = None  # whose text comes in
        self._synthesizer: Synthesizer | None = None  # that speaks it
        self._latest: Utterance | None = None
        self._count = 0
        self._pending: deque[tuple[Utterance, asyncio.Task[None]]] = deque()
        self._held: deque[ClientMessage] = deque()  # what came after a configuration that is being settled
        self._settling: asyncio.Task[None] | None = None
        self._silencing = asyncio.Lock()
        self._gone = False

    async def run(self) -> None:
        """Serve until the client leaves, closes, or is silent for too long."""
        remember_renamed(self._socket.scope, SessionConfig.renamed)
        await self._send(SessionCreated(request_id(self._socket.scope), self._service.model_names[0]))
        try:
            while (event := await self._receive()) is not None:
                try:
                    message = _message_in(event)
                except Exception as error:  # noqa: BLE001  # the client hears of it, and the session goes on
                    await self._fail(error)
                    continue
                if isinstance(message, SessionClose):
                    await self._break_off()
                    await self._close(NORMAL, "closed")
                    return
                await self._hear(message)
        finally:
            self._gone = True
            await self._break_off()

    async def _hear(self, message: ClientMessage) -> None:
        """Handle a message in its turn; a cancel silences what is being spoken at once, what is held in its turn."""
        settles = isinstance(message, SessionConfig) and self._text is None  # within an utterance it is refused at once
        if self._settling is None and not settles:
            await self._handle(message)
            return
        self._held.append(message)
        settling = self._settling = self._settling or asyncio.create_task(self._settle())
        if isinstance(message, InputCancel):
            await self._stop()  # what of it is held goes on to belong to it, until the cancel comes in its turn
        if len(self._held) >= MOST_HELD:
            await asyncio.wait([settling])

    async def _settle(self) -> None:
        """Take a configuration, whose voice may have to be fetched, and then what came meanwhile."""
        try:
            while self._held:
                await self._handle(self._held.popleft())
        finally:
            self._settling = None

    async def _break_off(self) -> None:
        """Stop all that goes on."""
        self._held.clear()
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.wait([self._settling])
            self._settling = None
        await self._silence()

    async def _receive(self) -> Mapping[str, Any] | None:
        """Return the next message as it came, ``None`` at the end."""
        limit = self._service.settings.session_idle_timeout
        while True:
            try:
                async with asyncio.timeout(limit):
                    event: Mapping[str, Any] = await self._socket.receive()
            except TimeoutError:
                self._forget_ended()
                if self._settling is not None or any(not utterance.waits for utterance, _ in self._pending):
                    continue  # the client listens
                await self._fail(RequestError(f"Nothing came for {limit:g} s; the session is closed."))
                await self._close(POLICY, "idle")
                return None
            return event if event["type"] == "websocket.receive" else None

    async def _handle(self, message: ClientMessage) -> None:
        try:
            match message:
                case SessionConfig():
                    await self._configure(message)
                case InputText():
                    self._take(message.text)
                case InputFlush():
                    self._finish_sentences()
                case InputDone():
                    self._finish_sentences()
                    if self._current is None:
                        self._begin()  # an utterance without text is over at once
                    self._end_current()
                case InputCancel():
                    await self._silence()
        except Exception as error:  # noqa: BLE001  # the client hears of it, and the session goes on
            await self._fail(error)

    async def _configure(self, config: SessionConfig) -> None:
        if self._text is not None:
            raise RequestError("The configuration cannot change within an utterance; send input.done before.")
        if config.model is not None:
            check_model(config.model, self._service.model_names)
        given = config.voice if isinstance(config.voice, str) or config.voice is None else config.voice.id
        voice = None if given is None else await self._service.voice(given, transcript=config.reference_text)
        if isinstance(voice, str):
            await self._service.synthesizer.voices.get(voice)  # an unknown one is named now, not at the first sentence
        self._config, self._voice = config, voice

    def _take(self, text: str) -> None:
        self._forget_ended()
        if self._current is None or self._synthesizer is None:
            self._synthesizer = self._service.synthesizer  # refused while the server stops; what has begun goes on
        synthesizer = self._synthesizer
        limit = synthesizer.settings.max_text_length
        before = 0 if self._current is None else self._current.characters
        if before + len(text) > limit or len(self._pending) > limit:  # what is refused begins nothing
            raise TooLarge(
                f"An utterance has at most {limit} characters. Send input.done, or raise --max_text_length.",
                param="text",
            )
        if self._text is None:
            self._text = IncomingText(synthesizer.engine.language, self._config.split_granularity)
        utterance = self._current or self._begin()
        utterance.characters += len(text)
        self._speak(self._text.add(text))

    def _begin(self) -> Utterance:
        """Start an utterance; it speaks when those before it have ended."""
        config, voice = self._config, self._voice

        def request(sentence: str) -> SpeechRequest:
            return config.to_core(sentence, voice)

        rate = config.sample_rate or (PCM_RATE if config.response_format == "pcm" else None)
        outlet = Outlet(self._send, self._put, self._fail_utterance)
        utterance = Utterance(self._service, self._count, Manner(request, config.response_format, rate), outlet)
        self._pending.append((utterance, asyncio.create_task(_after(self._latest, utterance))))
        self._current = self._latest = utterance
        self._count += 1
        return utterance

    def _finish_sentences(self) -> None:
        if self._text is not None:
            self._speak(self._text.finish())

    def _speak(self, sentences: list[str]) -> None:
        """Hand on what can be spoken of these; a part that is mere emoji is no error within a text."""
        for sentence in sentences:
            assert self._current is not None
            assert self._synthesizer is not None
            if speakable(tidy(sentence), self._synthesizer.engine.abilities.scripts):
                self._current.add(sentence)

    def _end_current(self) -> None:
        if self._current is not None:
            self._current.close()
        self._current = self._text = None

    async def _silence(self) -> None:
        """Stop all utterances for good, also the one whose text comes in."""
        self._current = self._text = None
        await self._stop()

    async def _stop(self) -> None:
        """Stop all utterances, and let each tell its end; returns when the model has stopped."""
        stopped = list(self._pending)
        self._pending.clear()
        for _, task in stopped:
            task.cancel()
        async with self._silencing:
            for utterance, task in stopped:
                await asyncio.wait([task])
                await utterance.tell_end()  # those that had not begun, after those that had

    def _forget_ended(self) -> None:
        while self._pending and self._pending[0][1].done():
            self._pending.popleft()

    async def _send(self, message: ServerMessage) -> None:
        await self._put(msgspec.json.encode(message).decode())

    async def _put(self, content: str | bytes) -> None:
        """Send a frame; to a client that has gone, nothing is sent, and the reader is about to notice."""
        if self._gone:
            return
        try:
            await self._socket.send_data(content, mode="text" if isinstance(content, str) else "binary")
        except (OSError, WebSocketDisconnect):
            self._gone = True

    async def _close(self, code: int, reason: str) -> None:
        if not self._gone:
            self._gone = True
            with contextlib.suppress(OSError, WebSocketDisconnect):  # the client may close at the same moment
                await self._socket.close(code, reason)

    async def _fail(self, error: Exception) -> None:
        await self._fail_utterance(error, None)

    async def _fail_utterance(self, error: Exception, index: int | None) -> None:
        retry = error.retry_after if isinstance(error, Overloaded) else None
        await self._send(ErrorMessage(broken_off(self._socket, error), index, retry))


async def _after(before: Utterance | None, utterance: Utterance) -> None:
    if before is not None:
        await before.ended.wait()
    await utterance.run()


def _message_in(event: Mapping[str, Any]) -> ClientMessage:
    text = event.get("text")
    if text is None:
        raise RequestError("Messages are JSON text; binary frames only come from the server.")
    return parse(text)
