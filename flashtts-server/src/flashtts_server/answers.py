"""Turns speech into HTTP answers: streamed as it is made, whole, or as server-sent events.

The first sound is there before an answer begins, so whatever can go wrong early still gets its status. After the first
byte there is none left to send: events end with an error event, and raw audio is broken off without its last chunk, so
that the client sees a failed transfer and not a short file.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Literal

import msgspec
import numpy as np
from anyio import CancelScope
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Scope, Send
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.encode import Encoder, encode_whole
from flashtts_core.audio.formats import FORMATS, AudioFormat
from flashtts_core.audio.resample import Resampler, resample
from flashtts_core.types import SpeechRequest
from flashtts_server.connected import Connected
from flashtts_server.deadlines import until
from flashtts_server.errors import ClientGone, broken_off
from flashtts_server.scope import AnyRequest, request_id
from flashtts_server.service import Service
from flashtts_server.speech import Speech

OPUS_RATE = 48_000
"""What every decoder of Opus gives, whatever went in."""
PCM_RATE = 24_000
"""The rate of pcm under /v1/audio, in Hz: its clients cannot be told another."""
SEND_GRACE = 5.0
"""Seconds beyond the deadline after which even a client that does not read is let go."""
_AT_ONCE = 0.001
"""Seconds; a chunk that took longer was waited for, and others had their turn meanwhile."""


class Delivery(Struct, frozen=True):
    """How an answer is to be sent.

    ``ignored`` names fields that the server itself could not honour; ``turns`` asks for an event where a turn begins.
    """

    format: AudioFormat
    way: Literal["stream", "whole", "events"]
    sample_rate: int | None = None
    ignored: tuple[str, ...] = ()
    turns: bool = False


async def answer(service: Service, request: AnyRequest, wanted: SpeechRequest, delivery: Delivery) -> ASGIResponse:
    """Speak, and return the answer once it can begin; raises every error that comes before."""
    speech = await Speech.begin(service, wanted, whole=delivery.way == "whole")
    try:
        return await (_whole if delivery.way == "whole" else _streamed)(speech, request, delivery)
    except BaseException:
        await speech.aclose()
        raise


async def _streamed(speech: Speech, request: AnyRequest, delivery: Delivery) -> ASGIResponse:
    """Return the answer with its first bytes there; all else is made ready while the model works on them."""
    headers = _headers(speech, delivery)
    headers |= {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy that gathers it makes it late
    pieces = encoded(speech, delivery)
    if delivery.way == "events":
        response = SpeechResponse(pieces, speech, "text/event-stream", headers)
        first = await anext(pieces, b"")
        response.rest = events(first, pieces, speech, delivery, request)
    else:
        response = SpeechResponse(pieces, speech, FORMATS[delivery.format].content_type, headers)
        response.first = await anext(pieces, b"")
    return response


class SpeechResponse(ASGIStreamingResponse):
    """Streams a body, and closes it and the speech behind it, however the answer ends.

    Litestar closes no generator when the client leaves, and runs background tasks only after an answer that did not
    fail; here an answer that failed, timed out or was cancelled gives its place back as well.
    """

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], speech: Speech, media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(iterator=pieces, media_type=media_type, headers=headers)
        self.first = b""
        """What of the body is there before the rest."""
        self.rest = pieces
        self._pieces = pieces
        self._speech = speech

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; an error that breaks it off carries the request's id into the server's log."""
        try:
            async with until(self._speech.deadline + SEND_GRACE):
                await super().__call__(scope, receive, send)
        except Exception as error:
            error.add_note(f"Request {request_id(scope)} was broken off.")
            raise
        finally:
            with CancelScope(shield=True):
                try:
                    await self.rest.aclose()
                    await self._pieces.aclose()
                finally:
                    await self._speech.aclose()

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send the body, as long as there is a client."""
        with suppress(ClientGone):
            async with Connected(receive):
                if self.first:
                    await send({"type": "http.response.body", "body": self.first, "more_body": True})
                async for piece in self.rest:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def encoded(speech: Speech, delivery: Delivery) -> AsyncGenerator[bytes, None]:
    """Yield the speech in its format, as soon as there are bytes."""
    rate = delivery.sample_rate or speech.sample_rate
    resampler = Resampler(speech.sample_rate, rate)
    if FORMATS[delivery.format].codec is not None:
        await asyncio.sleep(0)  # the engine begins, and works while the codec is opened, which takes up to 4 ms
    with Encoder(delivery.format, rate) as encoder:
        asked = time.monotonic()
        async with aclosing(speech.chunks()) as chunks:
            async for chunk in chunks:
                if time.monotonic() - asked < _AT_ONCE:
                    await asyncio.sleep(0)  # chunks that are there already would keep the event loop to themselves
                if piece := encoder.encode(resampler.process(chunk.samples)):
                    yield piece
                asked = time.monotonic()
        if tail := encoder.encode(resampler.finish()) + encoder.finish():
            yield tail


async def events(
    first: bytes, pieces: AsyncIterator[bytes], speech: Speech, delivery: Delivery, request: AnyRequest
) -> AsyncGenerator[bytes, None]:
    """Yield OpenAI's server-sent events, and one where each turn of a dialogue begins if that was asked for."""
    told = 0
    piece = first
    try:
        while piece:
            for turn, start in list(enumerate(speech.turns))[told:] if delivery.turns else ():
                yield _event("turn", turn=turn, start=start)
            told = len(speech.turns)
            yield _event("delta", audio=base64.b64encode(piece).decode("ascii"))
            piece = await anext(pieces, b"")
    except Exception as error:  # noqa: BLE001  # the status is sent: this event is how the client hears of it
        yield _event("error", error=broken_off(request, error))
        return
    usage = speech.usage
    yield _event(
        "done",
        usage={
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        },
    )


async def _whole(speech: Speech, request: AnyRequest, delivery: Delivery) -> ASGIResponse:
    chunk = await speech.read()
    body = await asyncio.to_thread(_encode, chunk.samples, speech.sample_rate, delivery)
    await speech.aclose()
    spec = FORMATS[delivery.format]
    headers = _headers(speech, delivery) | {"Content-Disposition": f"inline; filename=speech.{spec.extension}"}
    return ASGIResponse(body=body, media_type=spec.content_type, headers=headers)


def _encode(samples: NDArray[np.float32], sample_rate: int, delivery: Delivery) -> bytes:
    rate = delivery.sample_rate or sample_rate
    return encode_whole(resample(samples, sample_rate, rate), rate, delivery.format)


def _headers(speech: Speech, delivery: Delivery) -> dict[str, str]:
    headers = {"X-Sample-Rate": str(sent_rate(delivery.format, delivery.sample_rate or speech.sample_rate))}
    if ignored := (*speech.ignored, *delivery.ignored):
        headers["X-Flashtts-Ignored"] = ", ".join(ignored)
    return headers


def sent_rate(name: AudioFormat, rate: int) -> int:
    """Return the rate that a decoder of the answer finds, as codecs run at fixed rates."""
    if name == "opus":
        return OPUS_RATE
    codec = FORMATS[name].codec
    if codec is None or not codec.rates:
        return rate
    return next((each for each in codec.rates if each >= rate), codec.rates[-1])


def _event(name: str, **fields: object) -> bytes:
    return b"data: " + msgspec.json.encode({"type": f"speech.audio.{name}", **fields}) + b"\n\n"
