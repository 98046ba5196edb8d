"""The messages of a WebSocket session, as they stand on the wire; `docs/reference/websocket.md` describes them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, cast

import msgspec
from msgspec import Meta, Struct

from flashtts_core.errors import RequestError
from flashtts_core.settings import describe
from flashtts_core.text.incoming import Granularity
from flashtts_core.types import SpeechRequest, VoiceChoice
from flashtts_server.bodies import refusal
from flashtts_server.lenient import fields_of, read_json
from flashtts_server.replies import ErrorDetail
from flashtts_server.wire import Body, SampleRate, SoundFields, Transcript, VoiceId

LONGEST_TEXT_MESSAGE = 65_536
"""Characters; a language model writes a few at a time."""


class SessionConfig(SoundFields, frozen=True, kw_only=True, tag_field="type", tag="session.config"):
    """How the utterances from now on are spoken."""

    renamed: ClassVar[dict[str, str]] = {"reference_audio": "voice"}

    model: Annotated[str, describe("Name of the model; see /v1/models.")] | None = None
    voice: (
        Annotated[str | VoiceId, describe("A voice as for /v1/audio/speech. Left out: the engine's first.")] | None
    ) = None
    reference_text: Transcript | None = None
    response_format: Annotated[
        Literal["pcm", "wav", "mp3", "opus", "aac", "flac"],
        describe("Format of the audio. pcm flows on without a seam; the others make one file of each sentence."),
    ] = "pcm"
    sample_rate: Annotated[
        SampleRate | None,
        describe("In Hz. Left out: 24000 for pcm, else the engine's own or the next that the format knows."),
    ] = None
    split_granularity: Annotated[
        Granularity, describe("Speak up to the end of a sentence, or of a clause, which is sooner and less lively.")
    ] = "sentence"

    def to_core(self, text: str, voice: VoiceChoice) -> SpeechRequest:
        """Return the request to speak a part of an utterance."""
        return self.request(text, voice)


class InputText(Body, frozen=True, kw_only=True, tag_field="type", tag="input.text"):
    """More of the text."""

    text: Annotated[str, Meta(max_length=LONGEST_TEXT_MESSAGE, description="The next piece, of any length.")]


class InputFlush(Body, frozen=True, kw_only=True, tag_field="type", tag="input.flush"):
    """Speak what is there, though no sentence has ended."""


class InputDone(Body, frozen=True, kw_only=True, tag_field="type", tag="input.done"):
    """The utterance is complete."""


class InputCancel(Body, frozen=True, kw_only=True, tag_field="type", tag="input.cancel"):
    """Be silent at once."""


class SessionClose(Body, frozen=True, kw_only=True, tag_field="type", tag="session.close"):
    """End the session; what is being spoken is broken off."""


EXAMPLE: list[dict[str, object]] = [
    {"type": "session.config", "response_format": "pcm", "sample_rate": 24000},
    {"type": "input.text", "text": "Hello. This is spoken while "},
    {"type": "input.text", "text": "it is still being written."},
    {"type": "input.done"},
]
"""What a client could send."""

ClientMessage = SessionConfig | InputText | InputFlush | InputDone | InputCancel | SessionClose
KINDS: dict[str, type[Body]] = {
    "session.config": SessionConfig,
    "input.text": InputText,
    "input.flush": InputFlush,
    "input.done": InputDone,
    "input.cancel": InputCancel,
    "session.close": SessionClose,
}


def parse(text: str) -> ClientMessage:
    """Read a message of the client; raises ``RequestError`` that says what does not fit."""
    try:
        content = read_json(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RequestError(f"The message is not valid JSON: {error}. Send a JSON object with a type.") from error
    kind = KINDS.get(content["type"]) if isinstance(content, dict) and isinstance(content.get("type"), str) else None
    if kind is None:
        raise RequestError(f"The message has no type that is known; the types are: {', '.join(KINDS)}.", param="type")
    try:
        return cast("ClientMessage", msgspec.convert(fields_of(content, halved="text"), kind))
    except msgspec.ValidationError as error:
        raise refusal(error, kind) from error


UtteranceIndex = Annotated[int, describe("Number of the utterance, counted from 0.")]
SentenceIndex = Annotated[int, describe("Number of the sentence in the utterance, counted from 0.")]
SentenceStart = Annotated[float, describe("Where it begins, in seconds of the utterance.")]


class SessionCreated(Struct, frozen=True, tag_field="type", tag="session.created"):
    """The session is open; ``id`` is its request's id."""

    id: Annotated[str, describe("Its id, which is that of the request.")]
    model: Annotated[str, describe("Name of the model that speaks.")]


class AudioStart(Struct, frozen=True, tag_field="type", tag="audio.start"):
    """The binary frames that follow are this sentence; it begins ``start`` seconds into the utterance."""

    utterance_index: UtteranceIndex
    sentence_index: SentenceIndex
    sentence_text: Annotated[str, describe("What is said.")]
    format: Annotated[str, describe("Format of the audio.")]
    sample_rate: Annotated[int, describe("Sample rate of the audio, in Hz.")]
    start: SentenceStart


class AudioDone(Struct, frozen=True, tag_field="type", tag="audio.done"):
    """The sentence is complete; it ends ``end`` seconds into the utterance."""

    utterance_index: UtteranceIndex
    sentence_index: SentenceIndex
    start: SentenceStart
    end: Annotated[float, describe("Where it ends, in seconds of the utterance.")]
    total_bytes: Annotated[int, describe("Bytes of audio that were sent for it.")]


class UsageReply(Struct, frozen=True):
    """Tokens, as OpenAI counts them."""

    input_tokens: Annotated[int, describe("Tokens that were read.")]
    output_tokens: Annotated[int, describe("Tokens that were generated.")]
    total_tokens: Annotated[int, describe("Both together.")]


class SessionDone(Struct, frozen=True, tag_field="type", tag="session.done"):
    """The utterance has ended; no more of it follows. The session goes on."""

    utterance_index: UtteranceIndex
    total_sentences: Annotated[int, describe("Sentences that were spoken.")]
    reason: Annotated[Literal["completed", "cancelled", "failed"], describe("Why it has ended.")]
    usage: Annotated[UsageReply, describe("What was read and generated for it.")]
    ignored: Annotated[list[str], describe("Fields and scripts that mean nothing to the engine.")]


class ErrorMessage(Struct, frozen=True, tag_field="type", tag="error", omit_defaults=True):
    """Something went wrong; with an ``utterance_index`` it ended that utterance, else a message was refused."""

    error: Annotated[ErrorDetail, describe("What went wrong.")]
    utterance_index: Annotated[int | None, describe("Number of the utterance that it ended, counted from 0.")] = None
    retry_after: Annotated[int | None, describe("Seconds to stay away, if the server is full.")] = None


ServerMessage = SessionCreated | AudioStart | AudioDone | SessionDone | ErrorMessage
