"""Voices under /v1/audio, as OpenAI's API and the clients around it spell them."""

from __future__ import annotations

import time
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from flashtts_server.bodies import body_of
from flashtts_server.connected import Connected
from flashtts_server.media import Source
from flashtts_server.openapi import body_route, voice_route
from flashtts_server.replies import VoiceCreated, VoiceDeleted, VoiceEntry, VoiceNames, Voices
from flashtts_server.scope import AnyRequest, as_written
from flashtts_server.service import SharedService
from flashtts_server.wire import AddVoiceBody


class VoicesController(Controller):
    """List, add and delete voices."""

    path = "/v1/audio/voices"
    tags = ("OpenAI",)

    @get(summary="List the voices", opt={"errors": ("400",)})
    async def voices(
        self,
        service: SharedService,
        legacy: Annotated[bool, QueryParameter(description="Give bare strings instead of objects.")] = False,
    ) -> Voices | VoiceNames:
        """The same voices as `/audio_roles`. OpenAI's own voice names are understood beside them and not listed."""
        library = service.synthesizer.voices
        names = await library.names()
        if legacy:
            return VoiceNames(names)
        entries = [VoiceEntry(name, name, builtin=library.is_builtin(name)) for name in names]
        return Voices(entries, entries)

    @post(
        status_code=HTTP_200_OK,
        summary="Keep the voice of a recording",
        dependencies={"wanted": Provide(body_of(AddVoiceBody))},
        opt=body_route(AddVoiceBody),
    )
    async def add_voice(
        self, request: AnyRequest, service: SharedService, wanted: NamedDependency[AddVoiceBody]
    ) -> VoiceCreated:
        """The id of the voice is its name. A voice of that name is replaced only with `overwrite`; else 409."""
        source = Source(
            audio=None,
            upload=wanted.audio_sample,
            fields=("audio_sample", "audio_sample"),
            transcript=wanted.reference_text,
            latent=wanted.latent_file,
        )
        async with Connected(request.receive):
            name = await service.add_voice(wanted.name, source, overwrite=wanted.overwrite)
        return VoiceCreated(name, name, int(time.time()))

    @delete("/{voice_id:path}", status_code=HTTP_200_OK, summary="Forget a voice", opt=voice_route())
    async def delete_voice(self, request: AnyRequest, service: SharedService, voice_id: FromPath[str]) -> VoiceDeleted:
        """Built-in voices cannot be deleted: 422."""
        name = as_written(request.scope, voice_id)  # of a path, as a name may have slashes in it
        await service.synthesizer.voices.remove(name)
        return VoiceDeleted(name)
