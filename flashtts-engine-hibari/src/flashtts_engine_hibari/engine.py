"""Speaks English with the hibari model: text to phonemes to 24 kHz sound, sentence by sentence.

The text comes written out (numbers, addresses, units): flashtts reads more of them right than the model's front end.
The noise in the sound is drawn from the request's seed,
the number of the line and that of the sentence, so it does not depend on what else runs or in which order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Self

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core import Abilities, AudioChunk, Line, Reference, Sampling, TextRules, Usage, Voice
from flashtts_core.batching import Batcher
from flashtts_core.closing import close_all
from flashtts_core.errors import NotSupported
from flashtts_core.processors import processors
from flashtts_core.text.segment import sentences
from flashtts_engine_hibari.readings import with_readings

MAX_PHONEMES = 400
"""The longest sentence the model was made for; time and memory of one pass grow with it."""
OUTPUT_FRAME = SAMPLE_RATE // 50
"""What ``usage`` counts as an output token: 20 ms."""
VOICE = "heart"
SPEEDS = (0.5, 1.0)
"""Factors asked of the model; above them the sound is stretched.

The model rounds the length of each phoneme to whole frames of 25 ms, so it stumbles where it should hurry: 1.25 came
out as 1.13, 1.35 as 1.46, 2 as 1.77, and at 2 twice as many words were misheard as in stretched speech.
"""

_CLAUSE_ENDS = ",;:—"
# A token is a sign, or up to eight characters of a word: a word without end must not pass as one token.
_TOKEN = re.compile(r"\w{1,8}|[^\w\s]")


class _Sentence(Struct, frozen=True):
    """Phonemes for one pass of the model; ``seed`` holds all that its noise depends on."""

    phonemes: str
    speed: float
    seed: tuple[int, ...]


class HibariEngine:
    """The embedded voice, as an ``Engine``. Make it with ``load``."""

    name = "hibari"
    sample_rate = SAMPLE_RATE
    abilities = Abilities(
        languages=("en",), scripts=frozenset({"Latin"}), speed_range=SPEEDS, sampling=frozenset({"seed"})
    )
    rules = TextRules(normalize=True, merge=False)
    defaults = Sampling(
        temperature=0.0, top_k=0, top_p=1.0, repetition_penalty=1.0, max_tokens=4096, seed=0
    )  # only the seed means something to this engine

    def __init__(self, model: Hibari, workers: int) -> None:
        self._model = model
        self._voices = {
            VOICE: Voice(VOICE, self.name, builtin=True, language="en", description="American English, female.")
        }
        self.parallel = workers
        self._reader = Batcher(self._read, threads=1, name="flashtts-text")
        self._codec = Batcher(self._sound, threads=workers)
        self._closed = False

    @classmethod
    async def load(cls, workers: int | None = None) -> Self:
        """Load the model; ``workers`` sentences are made at the same time (``None``: one a processor it may use)."""
        model = await asyncio.to_thread(Hibari, voice=VOICE, threads=1)
        return cls(model, workers or processors())

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The built-in voice."""
        return self._voices

    @property
    def alive(self) -> bool:
        """True until closed."""
        return not self._closed

    def language(self, text: str) -> str:
        """Return ``en``: the voice reads English only."""
        return "en"

    def count_tokens(self, text: str) -> int:
        """Return the number of signs and words in ``text``, long words counting for several."""
        return sum(1 for _ in _TOKEN.finditer(text))

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Speak a line, one chunk a sentence; usage counts phonemes read and 20 ms frames made."""
        speed = float(line.style.speed) if isinstance(line.style.speed, float | int) else 1.0
        for number, phonemes in enumerate(await self._reader.submit(line.text)):
            seed = (line.sampling.seed or 0, line.index, number)
            samples = await self._codec.submit(_Sentence(phonemes, speed, seed))
            frames = -(-len(samples) // OUTPUT_FRAME)
            yield AudioChunk(samples, self.sample_rate, Usage(len(phonemes), frames))

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Raise ``NotSupported``: this model has one voice and cannot learn another."""
        raise NotSupported("The embedded voice cannot clone. Start flashtts with a model that can, such as Spark-TTS.")

    async def warm_up(self) -> None:
        """Load the lexicons and run the model once on each worker."""
        (phonemes,) = await self._reader.submit("Ready.")
        await asyncio.gather(*(self._codec.submit(_Sentence(phonemes, 1.0, (0,))) for _ in range(self.parallel)))

    async def aclose(self) -> None:
        """Join the worker threads; closing twice is harmless."""
        self._closed = True
        await close_all(self._reader, self._codec)

    def _read(self, texts: Sequence[str]) -> list[list[str]]:
        return [list(self._passes(text)) for text in texts]

    def _passes(self, text: str) -> Iterator[str]:
        """Yield the phonemes of each sentence; the model's own cut makes two of "The U.S. Open" and "J.K. Rowling"."""
        for sentence in sentences(text, "en"):
            yield from _within_limit(self._model.g2p(with_readings(sentence.strip())))

    def _sound(self, sentences: Sequence[_Sentence]) -> list[NDArray[np.float32]]:
        return [
            self._model.from_ids(self._model.ids(each.phonemes), each.speed, np.random.default_rng(each.seed))
            for each in sentences
        ]


def _within_limit(phonemes: str) -> Iterator[str]:
    """Cut a phoneme string before the longest the model takes: after a clause, or at a space, or anywhere."""
    while len(phonemes) > MAX_PHONEMES:
        clause = max(phonemes.rfind(f"{mark} ", 0, MAX_PHONEMES) for mark in _CLAUSE_ENDS) + 1
        at = clause or phonemes.rfind(" ", 1, MAX_PHONEMES)
        at = at if at > 0 else MAX_PHONEMES
        yield phonemes[:at]
        phonemes = phonemes[at:].lstrip()
    if phonemes:
        yield phonemes
