"""The JSON answers of the API."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from flashtts_core.settings import describe


class ErrorDetail(Struct, frozen=True):
    """What went wrong, in OpenAI's shape."""

    message: Annotated[str, describe("A sentence that says what was wrong, what is possible and what to do.")]
    type: Annotated[str, describe("The kind of error, as OpenAI names kinds.")]
    param: Annotated[str | None, describe("The field at fault, if it is one.")]
    code: Annotated[str, describe("The stable name of the error.")]


class ErrorReply(Struct, frozen=True):
    """The body of every error."""

    error: Annotated[ErrorDetail, describe("What went wrong.")]


Success = Annotated[bool, describe("Always true; errors have another body.")]
RoleNames = Annotated[list[str], describe("Their names, the built-in ones first.")]


class Roles(Struct, frozen=True):
    """The roles there are."""

    roles: RoleNames
    success: Success = True


class RoleDone(Struct, frozen=True):
    """A role was added, renamed or deleted."""

    role: Annotated[str, describe("Its name.")]
    success: Success = True


class AbilitiesReply(Struct, frozen=True):
    """What the model can do."""

    languages: Annotated[list[str], describe("Languages it reads (ISO 639-1).")]
    cloning: Annotated[bool, describe("Clones voices from recordings.")]
    latent: Annotated[bool, describe("Cloning needs the latent of the recording too.")]
    pitch: Annotated[bool, describe("Has pitch levels; else only moderate is possible.")]
    speed_labels: Annotated[bool, describe("Has speed levels of its own; else they are fixed factors.")]
    sampling: Annotated[list[str], describe("The sampling fields that mean something to it.")]


class LimitsReply(Struct, frozen=True):
    """How much a request may ask for."""

    text_characters: Annotated[int, describe("Longest text, in characters.")]
    input_characters: Annotated[int, describe("Longest text under /v1/audio/speech, in characters.")]
    body_bytes: Annotated[int, describe("Largest request body.")]
    upload_bytes: Annotated[int, describe("Largest recording.")]
    reference_seconds: Annotated[float, describe("Longest recording.")]
    request_seconds: Annotated[float, describe("Longest time for one request.")]


class RoleReply(Struct, frozen=True):
    """One role, for people to choose from."""

    name: Annotated[str, describe("What a request calls it.")]
    builtin: Annotated[bool, describe("Belongs to the model or its role folder; cannot be renamed or deleted.")]
    language: Annotated[str | None, describe("Its language (ISO 639-1), if it has one.")]
    description: Annotated[str, describe("A few words about it, if there are any.")]


class SamplingControl(Struct, frozen=True):
    """A field of sampling or diffusion that changes something here, with what is needed to offer it."""

    name: Annotated[str, describe("The field of a speech request.")]
    description: Annotated[str, describe("What it does.")]
    whole: Annotated[bool, describe("Takes whole numbers only.")]
    default: Annotated[
        float | None, describe("What a request gets that leaves it out; null: the setting of the model.")
    ]
    minimum: Annotated[float, describe("Smallest value.")]
    minimum_excluded: Annotated[bool, describe("The smallest value is just beyond the range.")]
    maximum: Annotated[float | None, describe("Largest value; null: any.")]


class ServerInfo(Struct, frozen=True):
    """What is served."""

    version: Annotated[str, describe("Version of the server.")]
    engine: Annotated[str, describe("Name of the engine.")]
    model: Annotated[str, describe("Name of the model under /v1/models.")]
    roles: RoleNames
    voices: Annotated[list[RoleReply], describe("The same roles with what is known about them.")]
    sample_rate: Annotated[int, describe("Sample rate of the engine, in Hz.")]
    formats: Annotated[list[str], describe("The audio formats.")]
    levels: Annotated[list[str], describe("The labels of pitch and speed, from low to high.")]
    sampling: Annotated[
        list[SamplingControl], describe("The fields of sampling and diffusion that change something here.")
    ]
    abilities: Annotated[AbilitiesReply, describe("What the model can do.")]
    limits: Annotated[LimitsReply, describe("How much a request may ask for.")]
    success: Success = True


class Health(Struct, frozen=True):
    """How the server is."""

    status: Annotated[
        Literal["ok", "ready", "loading", "draining", "dead"],
        describe("ok or ready: all is well; dead: the backend is gone, restart the server."),
    ]


class Model(Struct, frozen=True):
    """A model, as OpenAI lists it."""

    id: Annotated[str, describe("A name the model answers to.")]
    created: Annotated[int, describe("When the server was started, in seconds since the epoch.")]
    owned_by: Annotated[str, describe("Always flashtts.")] = "flashtts"
    object: Annotated[Literal["model"], describe("Always model.")] = "model"


class Models(Struct, frozen=True):
    """The models, as OpenAI lists them."""

    data: Annotated[list[Model], describe("The names, the model's own first.")]
    object: Annotated[Literal["list"], describe("Always list.")] = "list"


class AudioModel(Struct, frozen=True):
    """A speech model, as Open WebUI reads it."""

    id: Annotated[str, describe("A name the model answers to.")]


class AudioModels(Struct, frozen=True):
    """The speech models, as Open WebUI reads them."""

    models: Annotated[list[AudioModel], describe("The names, the model's own first.")]


VoiceKind = Annotated[Literal["audio.voice"], describe("Always audio.voice.")]


class VoiceEntry(Struct, frozen=True):
    """One voice."""

    id: Annotated[str, describe("What a request calls it.")]
    name: Annotated[str, describe("The same as the id.")]
    builtin: Annotated[bool, describe("Belongs to the model and cannot be deleted.")]
    object: VoiceKind = "audio.voice"


class Voices(Struct, frozen=True):
    """The voices; ``data`` holds the same list for clients that look there."""

    voices: Annotated[list[VoiceEntry], describe("The voices, the built-in ones first.")]
    data: Annotated[list[VoiceEntry], describe("The same list.")]
    object: Annotated[Literal["list"], describe("Always list.")] = "list"


class VoiceNames(Struct, frozen=True):
    """The voices as bare strings, for older clients."""

    voices: RoleNames


class VoiceCreated(Struct, frozen=True):
    """A voice was added, as OpenAI says it."""

    id: Annotated[str, describe("Its id, which is its name.")]
    name: Annotated[str, describe("Its name.")]
    created_at: Annotated[int, describe("Seconds since the epoch.")]
    object: VoiceKind = "audio.voice"


class VoiceDeleted(Struct, frozen=True):
    """A voice was deleted, as OpenAI says it."""

    id: Annotated[str, describe("Its id.")]
    deleted: Annotated[bool, describe("Always true.")] = True
    object: Annotated[Literal["audio.voice.deleted"], describe("Always audio.voice.deleted.")] = "audio.voice.deleted"
