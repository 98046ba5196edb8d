"""Spark-TTS as an engine: a language model writes the codes of speech, BiCodec turns them into 16 kHz sound.

Built-in voices are made up by the model, anew for every request: the first line of a request decides who speaks, the
others take that voice over. Cloned voices are the tokens of a recording.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing

import msgspec
import numpy as np
from numpy.typing import NDArray

from flashtts_core.audio.window import Schedule
from flashtts_core.backends import Backend
from flashtts_core.batching import Batcher
from flashtts_core.closing import close_all
from flashtts_core.engines import Abilities, EngineContext, TextRules
from flashtts_core.engines.language_model import LINES_AT_ONCE, open_language_model
from flashtts_core.engines.spark import SparkSettings
from flashtts_core.engines.spark.checkpoint import SparkFiles, find_files
from flashtts_core.engines.spark.codec.decoder import Piece, Speaker
from flashtts_core.engines.spark.codec.encoder import Tokens
from flashtts_core.engines.spark.codec.loading import Codec, open_codec, plan_of
from flashtts_core.engines.spark.fixed import FixedVoices
from flashtts_core.engines.spark.prompt import GENDERS, Acoustics, SpokenReference, Vocabulary
from flashtts_core.engines.spark.reference import read_reference
from flashtts_core.engines.spark.speaking import Cloned, Instruments, Stretch, Utterance
from flashtts_core.errors import BadCheckpoint, EmptySpeech, RequestError
from flashtts_core.nn.turns import in_turn
from flashtts_core.settings import Settings, voice_folder
from flashtts_core.text.alphabet import chinese_or_english
from flashtts_core.text.markers import neutralize
from flashtts_core.types import SAMPLING_FIELDS, AudioChunk, Line, Reference, Sampling, Style, Voice

SPEAKERS_KEPT = 64
"""Voices whose conditioning stays in memory; 40 kB each."""


class SparkEngine:
    """An open Spark-TTS model, as an ``Engine``. Make it with ``open_spark``."""

    name = "spark"
    rules = TextRules(normalize=True, merge=True)
    defaults = Sampling(temperature=0.9, top_k=50, top_p=0.95, repetition_penalty=1.0, max_tokens=4096, seed=0)

    def __init__(self, codec: Codec, vocabulary: Vocabulary, backend: Backend, settings: Settings, own: SparkSettings):
        self.sample_rate = codec.audio.sample_rate
        self.abilities = Abilities(
            languages=("zh", "en"),
            scripts=frozenset({"Han", "Latin"}),
            cloning=True,
            labels=True,
            sampling=frozenset(SAMPLING_FIELDS),
            encoding=codec.decoder.encoding,
        )
        self.parallel = min(settings.llm_batch_size, LINES_AT_ONCE)
        self._codec = codec
        self._vocabulary = vocabulary
        self._backend = backend
        self._max_seconds = settings.max_reference_seconds
        self._normalize = codec.audio.volume_normalize and own.volume_normalize
        self._closed = False
        self._speakers: OrderedDict[tuple[int, ...], Speaker] = OrderedDict()  # used by the decoder's thread only
        size, wait, plan = settings.batch_size, settings.wait_timeout, codec.plan
        decode, encode = in_turn(plan.decoder_device, self._decode), in_turn(plan.encoder_device, codec.encoder.encode)
        self._decoder = Batcher(decode, max_batch=size, wait=wait, name="flashtts-codec")
        self._encoder = Batcher(encode, max_batch=size, wait=wait, name="flashtts-reference")
        self._instruments = Instruments(
            backend=backend,
            vocabulary=vocabulary,
            decode=self._decoder.submit,
            schedule=schedule_of(own, codec.decoder.reach),
            sample_rate=self.sample_rate,
            global_count=codec.config.speaker_encoder.token_num,
            retries=own.retries,
        )
        self._fixed = (
            FixedVoices(voice_folder(settings), vocabulary, self._instruments.global_count)
            if settings.fix_voice
            else None
        )
        self._voices = {
            name: Voice(name, self.name, builtin=True, description=f"A {name} voice that the model makes up.")
            for name in GENDERS
        }

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The built-in voices, ``female`` and ``male``."""
        return self._voices

    @property
    def alive(self) -> bool:
        """True until closed or the language model died."""
        return not self._closed and self._backend.alive

    def language(self, text: str) -> str:
        """Return ``zh`` for a text with any Chinese character, else ``en``."""
        return chinese_or_english(text)

    def count_tokens(self, text: str) -> int:
        """Return the length of ``text`` in tokens of the language model."""
        return len(self._vocabulary.encode(text))

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Speak a line; usage counts the ids of the prompts and of the answers, those of retries too."""
        utterance = Utterance(self._instruments, line)
        if line.voice.builtin:
            chunks = utterance.control(lambda make_up: self._settle(line, make_up))
        else:
            chunks = utterance.clone(cloned(line.voice, self._vocabulary, self._instruments.global_count))
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Make a voice from a recording; raises ``BadAudio``, ``TooLarge`` and ``RequestError``."""
        samples = await asyncio.to_thread(
            read_reference,
            reference.audio,
            self._codec.audio,
            max_seconds=self._max_seconds,
            normalize=self._normalize,
        )
        tokens = await self._encoder.submit(samples)
        return Voice(name, self.name, codes=_codes(tokens, reference.transcript), reference=reference)

    async def warm_up(self) -> None:
        """Speak a word, so that the language model and the decoder have run once."""
        voice = next(iter(self._voices.values()))
        sampling = msgspec.structs.replace(self.defaults, max_tokens=2 * self._instruments.global_count)
        line = Line("warm-up", 0, "Ready.", "en", voice, Style(), sampling)
        try:
            async with aclosing(Utterance(self._instruments, line).control(lambda make_up: make_up())) as chunks:
                async for _ in chunks:
                    pass
        except EmptySpeech:
            return  # too few tokens for a word of some model: everything has run all the same

    async def aclose(self) -> None:
        """Close the language model, join the codec's threads; closing twice is harmless."""
        self._closed = True
        await close_all(self._backend, self._decoder, self._encoder)

    async def _settle(self, line: Line, make_up: Callable[[], Awaitable[Acoustics]]) -> Acoustics:
        """Return who speaks a line: the kept voice of that name, or the voice of the request's first line."""
        if self._fixed is not None:
            return await self._fixed.settle(line.voice.name, Utterance(self._instruments, line).make_up)
        if line.continuity is None:
            return await make_up()
        settled = await line.continuity.settle(make_up)
        assert isinstance(settled, Acoustics)
        return settled

    def _decode(self, stretches: Sequence[Stretch]) -> list[NDArray[np.float32]]:
        return self._codec.decoder.decode(
            [Piece(self._speaker(each.globals), each.tokens, each.first, each.count) for each in stretches]
        )

    def _speaker(self, tokens: tuple[int, ...]) -> Speaker:
        if tokens not in self._speakers:
            self._speakers[tokens] = self._codec.decoder.speaker(tokens)
        self._speakers.move_to_end(tokens)
        while len(self._speakers) > SPEAKERS_KEPT:
            self._speakers.popitem(last=False)
        return self._speakers[tokens]


async def open_spark(context: EngineContext) -> SparkEngine:
    """Open a checkpoint; raises ``BadCheckpoint`` and what the backend raises."""
    assert context.folder is not None, "Spark-TTS is opened from a folder"
    own = context.own if isinstance(context.own, SparkSettings) else SparkSettings()
    files = find_files(context.folder)
    vocabulary, codec = await asyncio.to_thread(_load, files, context.settings)
    backend = await open_language_model(context, files.llm, highest=vocabulary.highest)
    return SparkEngine(codec, vocabulary, backend, context.settings, own)


def schedule_of(own: SparkSettings, reach: int) -> Schedule:
    """Return how answers are cut: all the context to the left, which is there anyway, and the chosen look-ahead."""
    return Schedule(
        start=own.first_chunk,
        growth=own.chunk_growth,
        maximum=max(own.first_chunk, own.largest_chunk),
        left=reach,
        right=min(own.look_ahead, reach),
    )


def _load(files: SparkFiles, settings: Settings) -> tuple[Vocabulary, Codec]:
    vocabulary = Vocabulary.load(files.tokenizer)
    codec = open_codec(files, plan_of(settings))
    named = len(vocabulary.semantics.ids), len(vocabulary.globals.ids)
    held = codec.config.quantizer.codebook_size, codec.config.speaker_encoder.codes
    if any(names < codes for names, codes in zip(named, held, strict=True)):
        raise BadCheckpoint(
            f"{files.tokenizer} names {named[0]} semantic and {named[1]} global tokens, the codec has {held[0]} and "
            f"{held[1]}. Fetch both from the same model."
        )
    return vocabulary, codec


def _codes(tokens: Tokens, transcript: str | None) -> dict[str, NDArray[np.generic]]:
    codes: dict[str, NDArray[np.generic]] = {
        "globals": np.array(tokens.globals, np.int32),
        "semantics": np.array(tokens.semantics, np.int32),
    }
    text = neutralize(transcript or "").strip()
    if text:
        codes["transcript"] = np.frombuffer(text.encode(), np.uint8)
    return codes


def cloned(voice: Voice, vocabulary: Vocabulary, global_count: int) -> Cloned:
    """Return the tokens of a cloned voice; raises ``RequestError`` if another model made them."""
    speaker, spoken = (tuple(int(token) for token in voice.codes[kind]) for kind in ("globals", "semantics"))
    if (
        len(speaker) != global_count
        or max(speaker) >= len(vocabulary.globals.ids)
        or max(spoken, default=0) >= len(vocabulary.semantics.ids)
    ):
        raise RequestError(
            f"The voice {voice.name!r} was made with another Spark-TTS model. Add it again from its recording.",
            param="voice",
        )
    if "transcript" not in voice.codes:
        return Cloned(speaker, None)
    return Cloned(speaker, SpokenReference(voice.codes["transcript"].tobytes().decode(), spoken))
