"""The bodies of requests as they stand on the wire, and what they mean to the core.

Ranges and descriptions are those of ``flashtts_core.types``; names and defaults are the API's. ``to_core`` gets the
voice that the server found for the name, URL or upload in the body. Forms arrive as text and are converted to the same
structs as JSON.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from flashtts_core.audio.formats import AudioFormat
from flashtts_core.settings import describe
from flashtts_core.types import (
    Diffusion,
    LengthThreshold,
    MaxTokens,
    Pitch,
    RepetitionPenalty,
    Sampling,
    Seed,
    SpeakerWeight,
    SpeechRequest,
    SpeedFactor,
    SpeedLabel,
    SplitLimits,
    Style,
    Temperature,
    TextWeight,
    TimeStep,
    TopK,
    TopP,
    VoiceChoice,
    WindowSize,
)
from flashtts_core.voices.names import MAX_NAME_LENGTH
from flashtts_server.forms import Upload

JSON = "application/json"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

SampleRate = Literal[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
AudioText = Annotated[
    str, Meta(description="The recording as an http(s) URL, as base64, or as a data: URL.", examples=["https://..."])
]
Transcript = Annotated[str, describe("What is said in the recording; some engines clone better, or only, with it.")]
Recording = Annotated[Upload, describe("The recording as a file of any common audio format.")]
RoleName = Annotated[
    str, Meta(max_length=MAX_NAME_LENGTH, description="Name of the role, which is also its id.", examples=["anna"])
]
Latent = Annotated[Upload, describe("The .npy latent of the recording (MegaTTS 3).")]

_SPLIT = SplitLimits()


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all request bodies share: no field may be unknown."""

    renamed: ClassVar[dict[str, str]] = {}
    """Fields that the core knows by another name, for error messages."""
    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    """How it may be written; the first is the usual one. All are read, whatever stands here."""
    example: ClassVar[dict[str, object]] = {}


class SoundFields(Body, frozen=True, kw_only=True):
    """How something is to sound."""

    pitch: Pitch | None = None
    speed: SpeedLabel | SpeedFactor | None = None
    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: TopP | None = None
    repetition_penalty: RepetitionPenalty | None = None
    max_tokens: MaxTokens | None = None
    length_threshold: LengthThreshold = _SPLIT.length_threshold
    window_size: WindowSize = _SPLIT.window_size
    seed: Seed | None = None
    time_step: TimeStep | None = None
    p_w: TextWeight | None = None
    t_w: SpeakerWeight | None = None
    response_format: Annotated[
        AudioFormat, describe("Format of the audio; pcm is signed 16-bit little endian, mono.")
    ] = "mp3"

    def request(self, text: str, voice: VoiceChoice, *, script: bool = False) -> SpeechRequest:
        """Return what is asked for, in the vocabulary of the core."""
        return SpeechRequest(
            text=text,
            voice=voice,
            style=Style(pitch=self.pitch, speed=self.speed),
            sampling=Sampling(
                temperature=self.temperature,
                top_k=self.top_k,
                top_p=self.top_p,
                repetition_penalty=self.repetition_penalty,
                max_tokens=self.max_tokens,
                seed=self.seed,
            ),
            diffusion=Diffusion(time_step=self.time_step, p_w=self.p_w, t_w=self.t_w),
            limits=SplitLimits(length_threshold=self.length_threshold, window_size=self.window_size),
            script=script,
        )


class SpeechFields(SoundFields, frozen=True, kw_only=True):
    """The fields shared by all speech requests."""

    stream: Annotated[bool, describe("Send the audio while it is made, instead of all of it at the end.")] = False


StreamFormat = Annotated[
    Literal["audio", "sse"], describe("The audio itself, or server-sent events that carry it as base64.")
]
Text = Annotated[str, Meta(description="What is spoken.", examples=["Hello, this is flashtts."])]


class SpeakBody(SpeechFields, frozen=True, kw_only=True):
    """Speak a text with a role."""

    renamed: ClassVar[dict[str, str]] = {"voice": "name"}
    example: ClassVar[dict[str, object]] = {"text": "Hello, this is flashtts.", "stream": True}

    text: Text
    name: (
        Annotated[
            str,
            Meta(max_length=MAX_NAME_LENGTH, description="The role that speaks. Left out: the engine's first voice."),
        ]
        | None
    ) = None

    def to_core(self) -> SpeechRequest:
        """Return the request to the core."""
        return self.request(self.text, self.name)


class MultiSpeakBody(SpeechFields, frozen=True, kw_only=True):
    """Speak a dialogue."""

    renamed: ClassVar[dict[str, str]] = {"voice": "text"}
    example: ClassVar[dict[str, object]] = {"text": "<role:female>Good morning.<role:male,speed:low>Good morning."}

    text: Annotated[
        str,
        Meta(
            description="The dialogue, with <role:NAME> before each turn, also <role:NAME,pitch:high,speed:low>.",
            examples=["<role:female>Good morning.<role:male,speed:low>Good morning to you."],
        ),
    ]
    stream_format: StreamFormat = "audio"

    def to_core(self) -> SpeechRequest:
        """Return the request to the core."""
        return self.request(self.text, None, script=True)


class CloneBody(SpeechFields, frozen=True, kw_only=True):
    """Speak a text with the voice of a recording."""

    media_types: ClassVar[tuple[str, ...]] = (MULTIPART, JSON)
    example: ClassVar[dict[str, object]] = {"text": "Hello, this is a cloned voice."}

    text: Text
    reference_audio: AudioText | None = None
    reference_audio_file: Recording | None = None
    latent_file: Latent | None = None
    reference_text: Transcript | None = None

    def to_core(self, voice: VoiceChoice) -> SpeechRequest:
        """Return the request to the core; ``voice`` is the recording."""
        return self.request(self.text, voice)


class AddSpeakerBody(Body, frozen=True, kw_only=True):
    """Keep the voice of a recording as a role."""

    renamed: ClassVar[dict[str, str]] = {"reference_audio": "audio"}
    media_types: ClassVar[tuple[str, ...]] = (MULTIPART, JSON)
    example: ClassVar[dict[str, object]] = {"name": "anna", "overwrite": True}

    name: RoleName
    audio: AudioText | None = None
    audio_file: Recording | None = None
    latent_file: Latent | None = None
    reference_text: Transcript | None = None
    overwrite: Annotated[bool, describe("Replace a role of that name.")] = False


class DeleteSpeakerBody(Body, frozen=True, kw_only=True):
    """Forget a role."""

    media_types: ClassVar[tuple[str, ...]] = (MULTIPART, URLENCODED, JSON)
    example: ClassVar[dict[str, object]] = {"name": "anna"}

    name: RoleName


class RenameSpeakerBody(Body, frozen=True, kw_only=True):
    """Give a role another name."""

    media_types: ClassVar[tuple[str, ...]] = (MULTIPART, URLENCODED, JSON)
    example: ClassVar[dict[str, object]] = {"name": "anna", "new_name": "anna-calm"}

    name: RoleName
    new_name: Annotated[str, Meta(max_length=MAX_NAME_LENGTH, description="The name it gets; it must not be in use.")]


class AddVoiceBody(Body, frozen=True, kw_only=True):
    """Keep the voice of a recording, as OpenAI's API spells it."""

    renamed: ClassVar[dict[str, str]] = {"reference_audio": "audio_sample"}
    media_types: ClassVar[tuple[str, ...]] = (MULTIPART,)
    example: ClassVar[dict[str, object]] = {"name": "anna", "overwrite": True}

    name: RoleName
    audio_sample: Recording
    consent: Annotated[
        str | None, describe("Accepted for OpenAI's sake and not used: the speaker's consent is yours to have.")
    ] = None
    reference_text: Transcript | None = None
    latent_file: Latent | None = None
    overwrite: Annotated[bool, describe("Replace a voice of that name.")] = False


class VoiceId(Body, frozen=True, kw_only=True):
    """A voice by its id."""

    id: Annotated[str, Meta(description="Its id, which is its name.")]


class CreateSpeechBody(SpeechFields, frozen=True, kw_only=True):
    """Speak a text, as OpenAI's API spells it, with every field of the other speech requests beside."""

    renamed: ClassVar[dict[str, str]] = {"text": "input", "reference_audio": "voice", "latent_file": "voice"}
    example: ClassVar[dict[str, object]] = {"model": "tts-1", "input": "Hello, this is flashtts.", "voice": "alloy"}

    model: Annotated[
        str, Meta(max_length=MAX_NAME_LENGTH, description="Name of the model; see /v1/models.", examples=["tts-1"])
    ]
    input: Text
    voice: Annotated[
        str | VoiceId,
        Meta(
            description="A voice by name or as {'id': name}, one of OpenAI's voice names, or a recording to clone as "
            "an http(s) URL, base64 or data: URL.",
            examples=["alloy"],
        ),
    ]
    instructions: (
        Annotated[
            str,
            Meta(
                max_length=4096,
                description="How to speak. No engine follows it; the header X-Flashtts-Ignored says so.",
            ),
        ]
        | None
    ) = None
    stream: Annotated[bool, describe("Send the audio while it is made, instead of all of it at the end.")] = True
    stream_format: StreamFormat = "audio"
    sample_rate: Annotated[
        SampleRate | None,
        describe(
            "Sample rate of the audio, in Hz. Left out: 24000 for pcm, else the engine's own or the next that the "
            "format knows."
        ),
    ] = None
    reference_text: Transcript | None = None

    @property
    def voice_name(self) -> str:
        """The voice as one string, however it was written."""
        return self.voice if isinstance(self.voice, str) else self.voice.id

    def to_core(self, voice: VoiceChoice) -> SpeechRequest:
        """Return the request to the core; ``voice`` is the one that ``voice_name`` means."""
        return self.request(self.input, voice)
