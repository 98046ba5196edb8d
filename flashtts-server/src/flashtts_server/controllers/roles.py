"""Roles: the voices that can be named in a request."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.status_codes import HTTP_200_OK

from flashtts_server.bodies import body_of
from flashtts_server.connected import Connected
from flashtts_server.media import Source
from flashtts_server.openapi import body_route
from flashtts_server.replies import RoleDone, Roles
from flashtts_server.scope import AnyRequest
from flashtts_server.service import SharedService
from flashtts_server.wire import AddSpeakerBody, DeleteSpeakerBody, RenameSpeakerBody


class RolesController(Controller):
    """List, add, rename and delete roles."""

    tags = ("Roles",)

    @get(["/audio_roles", "/v1/audio_roles"], summary="List the roles")
    async def audio_roles(self, service: SharedService) -> Roles:
        """The built-in roles come first."""
        return Roles(await service.synthesizer.voices.names())

    @post(
        ["/add_speaker", "/v1/add_speaker"],
        status_code=HTTP_200_OK,
        summary="Keep the voice of a recording as a role",
        dependencies={"wanted": Provide(body_of(AddSpeakerBody))},
        opt=body_route(AddSpeakerBody),
    )
    async def add_speaker(
        self,
        request: AnyRequest,
        service: SharedService,
        wanted: NamedDependency[AddSpeakerBody],
    ) -> RoleDone:
        """A role of that name is replaced only with `overwrite`; else the answer is 409."""
        source = Source(
            audio=wanted.audio,
            upload=wanted.audio_file,
            fields=("audio", "audio_file"),
            transcript=wanted.reference_text,
            latent=wanted.latent_file,
        )
        async with Connected(request.receive):
            name = await service.add_voice(wanted.name, source, overwrite=wanted.overwrite)
        return RoleDone(name)

    @post(
        ["/delete_speaker", "/v1/delete_speaker"],
        status_code=HTTP_200_OK,
        summary="Forget a role",
        dependencies={"wanted": Provide(body_of(DeleteSpeakerBody))},
        opt=body_route(DeleteSpeakerBody),
    )
    async def delete_speaker(self, service: SharedService, wanted: NamedDependency[DeleteSpeakerBody]) -> RoleDone:
        """Built-in roles cannot be deleted: 422."""
        await service.synthesizer.voices.remove(wanted.name)
        return RoleDone(wanted.name)

    @post(
        ["/rename_speaker", "/v1/rename_speaker"],
        status_code=HTTP_200_OK,
        summary="Give a role another name",
        dependencies={"wanted": Provide(body_of(RenameSpeakerBody))},
        opt=body_route(RenameSpeakerBody),
    )
    async def rename_speaker(self, service: SharedService, wanted: NamedDependency[RenameSpeakerBody]) -> RoleDone:
        """The answer has the new name. Built-in roles keep theirs: 422. A name that is in use: 409."""
        return RoleDone(await service.synthesizer.voices.rename(wanted.name, wanted.new_name))
