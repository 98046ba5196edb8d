"""Speech and models as OpenAI's API spells them, so that its clients work unchanged."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK

from flashtts_core.errors import RequestError, TooLarge
from flashtts_server.admission import Demand
from flashtts_server.answers import PCM_RATE, Delivery, answer
from flashtts_server.bodies import body_of
from flashtts_server.catalogue import check_model
from flashtts_server.connected import Connected
from flashtts_server.openapi import speech_route
from flashtts_server.replies import AudioModel, AudioModels, Model, Models
from flashtts_server.scope import AnyRequest, as_written
from flashtts_server.service import Service, SharedService
from flashtts_server.wire import CreateSpeechBody


class OpenAIController(Controller):
    """The speech endpoints of OpenAI's API."""

    path = "/v1"
    tags = ("OpenAI",)

    @post(
        "/audio/speech",
        status_code=HTTP_200_OK,
        summary="Speak a text (OpenAI)",
        dependencies={"wanted": Provide(body_of(CreateSpeechBody))},
        opt=speech_route(CreateSpeechBody),
    )
    async def create_speech(
        self,
        request: AnyRequest,
        service: SharedService,
        wanted: NamedDependency[CreateSpeechBody],
    ) -> ASGIResponse:
        """OpenAI's fields and all of `/speak`. pcm is 24 kHz unless `sample_rate` says otherwise."""
        check_model(wanted.model, service.model_names)
        _check_length(wanted.input, service.settings.max_input_length)
        async with Connected(request.receive):
            return await _spoken(service, request, wanted)

    @get("/models", summary="List the models (OpenAI)", sync_to_thread=False)
    def models(self, service: SharedService) -> Models:
        """The model that is served comes first; the other names mean the same model."""
        return Models([Model(name, service.started) for name in service.model_names])

    @get("/models/{name:path}", summary="Tell of a model (OpenAI)", opt={"errors": ("404",)}, sync_to_thread=False)
    def model(self, request: AnyRequest, service: SharedService, name: FromPath[str]) -> Model:
        """One of the names in `/v1/models`."""
        wanted = as_written(request.scope, name)  # of a path, as a name may have slashes in it
        check_model(wanted, service.model_names)
        return Model(wanted, service.started)

    @get("/audio/models", summary="List the speech models (Open WebUI)", sync_to_thread=False)
    def audio_models(self, service: SharedService) -> AudioModels:
        """The same names as `/v1/models`."""
        return AudioModels([AudioModel(name) for name in service.model_names])


async def _spoken(service: Service, request: AnyRequest, wanted: CreateSpeechBody) -> ASGIResponse:
    delivery = _delivery(wanted)
    service.check_room(Demand(len(wanted.input), listening=delivery.way != "whole"))  # before anything is fetched
    voice = await service.voice(wanted.voice_name, transcript=wanted.reference_text)
    return await answer(service, request, wanted.to_core(voice), delivery)


def _delivery(wanted: CreateSpeechBody) -> Delivery:
    pcm_rate = PCM_RATE if wanted.response_format == "pcm" else None
    return Delivery(
        format=wanted.response_format,
        way="events" if wanted.stream_format == "sse" else "stream" if wanted.stream else "whole",
        sample_rate=wanted.sample_rate or pcm_rate,
        ignored=("instructions",) if wanted.instructions else (),
    )


def _check_length(text: str, limit: int) -> None:
    if not text:
        raise RequestError("The input is empty; give 1 or more characters to speak.", param="text")
    if len(text) > limit:
        raise TooLarge(
            f"The input has {len(text)} characters; the limit is {limit}. "
            f"Send it in parts, or raise --max_input_length.",
            param="text",
        )
