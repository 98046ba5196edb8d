"""Orpheus-TTS as an engine: a Llama writes the codes of speech, SNAC turns them into 24 kHz sound.

A checkpoint speaks one language (or two) in voices that were trained into it; it cannot clone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import msgspec
import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.window import Schedule
from flashtts_core.backends import Backend
from flashtts_core.batching import Batcher
from flashtts_core.closing import close_all
from flashtts_core.engines import Abilities, EngineContext, TextRules
from flashtts_core.engines.language_model import LINES_AT_ONCE, open_language_model
from flashtts_core.engines.orpheus import OrpheusSettings
from flashtts_core.engines.orpheus.checkpoint import OrpheusFiles, find_files, find_snac
from flashtts_core.engines.orpheus.codec.config import SLOTS
from flashtts_core.engines.orpheus.codec.decoder import Piece, SnacDecoder
from flashtts_core.engines.orpheus.codec.loading import open_codec
from flashtts_core.engines.orpheus.languages import Language, choose_language, spanish_or_italian
from flashtts_core.engines.orpheus.prompt import Vocabulary
from flashtts_core.engines.orpheus.speaking import Instruments, Utterance
from flashtts_core.engines.orpheus.tags import settle_tags
from flashtts_core.errors import EmptySpeech, NotSupported
from flashtts_core.nn.devices import choose_device
from flashtts_core.nn.turns import in_turn
from flashtts_core.settings import Settings
from flashtts_core.types import SAMPLING_FIELDS, AudioChunk, Line, Reference, Sampling, Style, Voice

_WARM_UP_FRAMES = 2


class Model(Struct, frozen=True, eq=False):
    """A loaded checkpoint, without its language model."""

    language: Language
    vocabulary: Vocabulary
    codec: SnacDecoder
    device: torch.device
    """Where the codec computes."""


class OrpheusEngine:
    """An open Orpheus-TTS model, as an ``Engine``. Make it with ``open_orpheus``."""

    name = "orpheus"
    rules = TextRules(normalize=True, merge=True)
    defaults = Sampling(temperature=0.6, top_k=50, top_p=0.8, repetition_penalty=1.1, max_tokens=4096, seed=0)

    def __init__(self, model: Model, backend: Backend, settings: Settings, own: OrpheusSettings) -> None:
        self.sample_rate = model.codec.config.sampling_rate
        self.parallel = min(settings.llm_batch_size, LINES_AT_ONCE)
        self.abilities = Abilities(
            languages=model.language.codes,
            scripts=model.language.scripts,
            sampling=frozenset(SAMPLING_FIELDS),
        )
        self._language = model.language
        self._vocabulary = model.vocabulary
        self._backend = backend
        self._closed = False
        self._decoder: Batcher[Piece, NDArray[np.float32]] = Batcher(
            in_turn(model.device, model.codec.decode),
            max_batch=settings.batch_size,
            wait=settings.wait_timeout,
            name="flashtts-codec",
        )
        self._instruments = Instruments(
            backend=backend,
            vocabulary=model.vocabulary,
            decode=self._decoder.submit,
            schedule=schedule_of(own, model.codec.reach),
            sample_rate=self.sample_rate,
            retries=own.retries,
        )
        self._voices = _voices(model.language)

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices of the checkpoint's language."""
        return self._voices

    @property
    def alive(self) -> bool:
        """True until closed or the language model died."""
        return not self._closed and self._backend.alive

    def language(self, text: str) -> str:
        """Return the language of the checkpoint; of one that speaks Spanish and Italian, that of ``text``."""
        return self._language.codes[0] if len(self._language.codes) == 1 else spanish_or_italian(text)

    def count_tokens(self, text: str) -> int:
        """Return the length of ``text`` in tokens of the language model."""
        return len(self._vocabulary.encode(text))

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Speak a line; usage counts the ids of the prompts and of the answers, those of retries too."""
        text = settle_tags(line.text, self._language.tags)
        async with aclosing(Utterance(self._instruments, line).speak(text)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Refuse: the checkpoints have no way to take a voice from a recording."""
        raise NotSupported(
            f"Orpheus-TTS models cannot clone voices. Use one of this model's own ({', '.join(self._voices)}), or "
            f"start flashtts with a model that clones, such as Spark-TTS."
        )

    async def warm_up(self) -> None:
        """Speak a word, so that the language model and the decoder have run once."""
        voice = next(iter(self._voices.values()))
        sampling = msgspec.structs.replace(self.defaults, max_tokens=_WARM_UP_FRAMES * SLOTS)
        line = Line("warm-up", 0, voice.name, self._language.codes[0], voice, Style(), sampling)
        try:
            async with aclosing(self.speak(line)) as chunks:
                async for _ in chunks:
                    pass
        except EmptySpeech:
            return  # the model has run all the same

    async def aclose(self) -> None:
        """Close the language model, join the codec's thread; closing twice is harmless."""
        self._closed = True
        await close_all(self._backend, self._decoder)


async def open_orpheus(context: EngineContext) -> OrpheusEngine:
    """Open a checkpoint; raises ``BadCheckpoint``, ``ConfigError`` and what the backend raises."""
    assert context.folder is not None, "Orpheus-TTS is opened from a folder"
    own = context.own if isinstance(context.own, OrpheusSettings) else OrpheusSettings()
    language = choose_language(context.folder, context.settings.lang)
    files = find_files(context.folder, await find_snac(context.folder, context.settings))
    model = await asyncio.to_thread(_load, files, language, context.settings)
    backend = await open_language_model(context, files.llm, highest=model.vocabulary.highest)
    return OrpheusEngine(model, backend, context.settings, own)


def schedule_of(own: OrpheusSettings, reach: int) -> Schedule:
    """Return how answers are cut: with all the context that the codec sees, so that the cuts leave no trace."""
    return Schedule(
        start=own.first_chunk,
        growth=own.chunk_growth,
        maximum=max(own.first_chunk, own.largest_chunk),
        left=reach,
        right=reach,
    )


def _load(files: OrpheusFiles, language: Language, settings: Settings) -> Model:
    device = choose_device("detokenizer_device", settings.detokenizer_device)
    codec = open_codec(files.snac_config, files.snac_weights, device)
    return Model(language, Vocabulary.load(files.llm), codec, device)


def _voices(language: Language) -> dict[str, Voice]:
    tags = " ".join(f"<{tag}>" for tag in sorted(language.tags))
    description = f"Tags it knows: {tags}." if tags else ""
    return {
        name: Voice(name, OrpheusEngine.name, builtin=True, language=code, description=description)
        for name, code in language.voices.items()
    }
