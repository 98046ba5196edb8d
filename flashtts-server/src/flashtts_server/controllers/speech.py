"""Speech in the API's own words: with a role, with a cloned voice, as a dialogue."""

from __future__ import annotations

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency, Provide
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK

from flashtts_core.types import Reference
from flashtts_server.admission import Demand
from flashtts_server.answers import Delivery, answer
from flashtts_server.bodies import body_of
from flashtts_server.connected import Connected
from flashtts_server.media import Source
from flashtts_server.openapi import speech_route
from flashtts_server.scope import AnyRequest
from flashtts_server.service import Service, SharedService
from flashtts_server.wire import CloneBody, MultiSpeakBody, SpeakBody, SpeechFields


def delivery_of(wanted: SpeechFields) -> Delivery:
    """Return how the answer to one of these requests is sent."""
    return Delivery(wanted.response_format, "stream" if wanted.stream else "whole")


class SpeechController(Controller):
    """Text in, audio out."""

    tags = ("Speech",)

    @post(
        ["/speak", "/v1/speak"],
        status_code=HTTP_200_OK,
        summary="Speak a text with a role",
        dependencies={"wanted": Provide(body_of(SpeakBody))},
        opt=speech_route(SpeakBody),
    )
    async def speak(
        self, request: AnyRequest, service: SharedService, wanted: NamedDependency[SpeakBody]
    ) -> ASGIResponse:
        """The role is the engine's first voice if none is named. The answer is audio."""
        async with Connected(request.receive):
            return await answer(service, request, wanted.to_core(), delivery_of(wanted))

    @post(
        ["/multi_speak", "/v1/multi_speak"],
        status_code=HTTP_200_OK,
        summary="Speak a dialogue",
        dependencies={"wanted": Provide(body_of(MultiSpeakBody))},
        opt=speech_route(MultiSpeakBody),
    )
    async def multi_speak(
        self,
        request: AnyRequest,
        service: SharedService,
        wanted: NamedDependency[MultiSpeakBody],
    ) -> ASGIResponse:
        """Each turn begins with the tag of its role, as in `<role:female>Hello.<role:male,speed:low>Good day.`

        With `stream_format` `sse` the answer is OpenAI's server-sent events, and `{"type": "speech.audio.turn",
        "turn": 0, "start": 0.0}` tells where in the audio, in seconds, each turn begins.
        """
        delivery = delivery_of(wanted)
        if wanted.stream_format == "sse":
            delivery = msgspec.structs.replace(delivery, way="events", turns=True)
        async with Connected(request.receive):
            return await answer(service, request, wanted.to_core(), delivery)

    @post(
        ["/clone_voice", "/v1/clone_voice"],
        status_code=HTTP_200_OK,
        summary="Speak a text with the voice of a recording",
        dependencies={"wanted": Provide(body_of(CloneBody))},
        opt=speech_route(CloneBody),
    )
    async def clone_voice(
        self, request: AnyRequest, service: SharedService, wanted: NamedDependency[CloneBody]
    ) -> ASGIResponse:
        """The recording is uploaded, or given as a URL or base64; it is used for this request and not kept."""
        async with Connected(request.receive):
            return await _cloned(service, request, wanted)


async def _cloned(service: Service, request: AnyRequest, wanted: CloneBody) -> ASGIResponse:
    service.check_room(Demand(len(wanted.text), listening=wanted.stream))  # before anything is fetched
    reference: Reference = await service.reference(
        Source(
            audio=wanted.reference_audio,
            upload=wanted.reference_audio_file,
            fields=("reference_audio", "reference_audio_file"),
            transcript=wanted.reference_text,
            latent=wanted.latent_file,
        )
    )
    return await answer(service, request, wanted.to_core(reference), delivery_of(wanted))
