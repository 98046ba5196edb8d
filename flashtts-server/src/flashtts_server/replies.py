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

    error: ErrorDetail


class Roles(Struct, frozen=True):
    """The roles there are."""

    roles: list[str]
    success: bool = True


class RoleDone(Struct, frozen=True):
    """A role was added or deleted."""

    role: str
    success: bool = True


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

    text_characters: int
    input_characters: int
    body_bytes: int
    upload_bytes: int
    reference_seconds: float
    request_seconds: float


class ServerInfo(Struct, frozen=True):
    """What is served."""

    version: str
    engine: str
    model: str
    roles: list[str]
    sample_rate: int
    formats: list[str]
    levels: Annotated[list[str], describe("The labels of pitch and speed, from low to high.")]
    abilities: AbilitiesReply
    limits: LimitsReply
    success: bool = True


class Health(Struct, frozen=True):
    """How the server is."""

    status: Annotated[
        Literal["ok", "ready", "loading", "draining", "dead"],
        describe("ok or ready: all is well; dead: the backend is gone, restart the server."),
    ]


class Model(Struct, frozen=True):
    """A model, as OpenAI lists it."""

    id: str
    created: int
    owned_by: str = "flashtts"
    object: Literal["model"] = "model"


class Models(Struct, frozen=True):
    """The models, as OpenAI lists them."""

    data: list[Model]
    object: Literal["list"] = "list"


class AudioModel(Struct, frozen=True):
    """A speech model, as Open WebUI reads it."""

    id: str


class AudioModels(Struct, frozen=True):
    """The speech models, as Open WebUI reads them."""

    models: list[AudioModel]


class VoiceEntry(Struct, frozen=True):
    """One voice."""

    id: str
    name: str
    builtin: Annotated[bool, describe("Belongs to the model and cannot be deleted.")]
    object: Literal["audio.voice"] = "audio.voice"


class Voices(Struct, frozen=True):
    """The voices; ``data`` holds the same list for clients that look there."""

    voices: list[VoiceEntry]
    data: list[VoiceEntry]
    object: Literal["list"] = "list"


class VoiceNames(Struct, frozen=True):
    """The voices as bare strings, for older clients."""

    voices: list[str]


class VoiceCreated(Struct, frozen=True):
    """A voice was added, as OpenAI says it."""

    id: str
    name: str
    created_at: Annotated[int, describe("Seconds since the epoch.")]
    object: Literal["audio.voice"] = "audio.voice"


class VoiceDeleted(Struct, frozen=True):
    """A voice was deleted, as OpenAI says it."""

    id: str
    deleted: bool = True
    object: Literal["audio.voice.deleted"] = "audio.voice.deleted"
