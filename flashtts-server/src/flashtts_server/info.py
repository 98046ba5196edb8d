"""What ``/server_info`` says: the open model in the words of the API, for people and programs to choose from."""

from __future__ import annotations

from msgspec import inspect as mi

from flashtts_core.audio.formats import FORMATS
from flashtts_core.engines import Engine
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.types import LEVELS, Diffusion, Sampling
from flashtts_server.replies import AbilitiesReply, LimitsReply, RoleReply, SamplingControl, ServerInfo
from flashtts_server.settings import ServerSettings


async def server_info(synthesizer: Synthesizer, settings: ServerSettings, *, version: str, model: str) -> ServerInfo:
    """Return what is served; ``model`` is the name it goes by."""
    engine = synthesizer.engine
    roles = await _roles(synthesizer)
    return ServerInfo(
        version=version,
        engine=engine.name,
        model=model,
        roles=[role.name for role in roles],
        voices=roles,
        sample_rate=engine.sample_rate,
        formats=list(FORMATS),
        levels=list(LEVELS),
        sampling=[
            _control(name, kind, engine)
            for kind in (Sampling, Diffusion)
            for name in kind.__struct_fields__
            if name in synthesizer.honoured
        ],
        abilities=_abilities(engine),
        limits=LimitsReply(
            text_characters=synthesizer.settings.max_text_length,
            input_characters=settings.max_input_length,
            body_bytes=settings.max_body_size,
            upload_bytes=settings.max_upload_size,
            reference_seconds=synthesizer.settings.max_reference_seconds,
            request_seconds=settings.request_timeout,
        ),
    )


async def _roles(synthesizer: Synthesizer) -> list[RoleReply]:
    library, own = synthesizer.voices, synthesizer.engine.voices
    return [
        RoleReply(
            name,
            builtin=library.is_builtin(name),
            language=own[name].language if name in own else None,
            description=own[name].description if name in own else "",
        )
        for name in await library.names()
    ]


def _abilities(engine: Engine) -> AbilitiesReply:
    abilities = engine.abilities
    return AbilitiesReply(
        languages=list(abilities.languages),
        cloning=abilities.cloning,
        latent=abilities.latent,
        pitch=abilities.labels,
        speed_labels=abilities.labels,
        sampling=sorted(abilities.sampling),
    )


def _control(name: str, kind: type[Sampling | Diffusion], engine: Engine) -> SamplingControl:
    """Return the range that the vocabulary gives a field, and the engine's default if that is in its vocabulary."""
    description, number = _knob(name, kind)
    minimum = number.gt if number.ge is None else number.ge
    assert minimum is not None, "such a field has a smallest value"
    return SamplingControl(
        name=name,
        description=description,
        whole=isinstance(number, mi.IntType),
        default=getattr(engine.defaults, name, None),
        minimum=minimum,
        minimum_excluded=number.ge is None,
        maximum=number.le,
    )


def _knob(name: str, kind: type[Sampling | Diffusion]) -> tuple[str, mi.IntType | mi.FloatType]:
    struct = mi.type_info(kind)
    assert isinstance(struct, mi.StructType)
    union = next(field.type for field in struct.fields if field.name == name)
    assert isinstance(union, mi.UnionType)
    for part in union.types:
        description = ""
        if isinstance(part, mi.Metadata):
            description, part = str((part.extra_json_schema or {}).get("description", "")), part.type  # noqa: PLW2901
        if isinstance(part, mi.IntType | mi.FloatType):
            return description, part
    raise AssertionError(f"{name} is a number")
