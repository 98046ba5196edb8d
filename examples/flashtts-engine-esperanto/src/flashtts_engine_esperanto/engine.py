"""The engine: reads a line, asks the language model for the melody of each word, and makes its sound."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from flashtts_core import (
    Abilities,
    AudioChunk,
    Backend,
    IdRanges,
    Line,
    Reference,
    Sampling,
    Style,
    TextRules,
    TokenRequest,
    Usage,
    Voice,
)
from flashtts_core.batching import Batcher
from flashtts_core.closing import close_all
from flashtts_core.errors import BadCheckpoint, NotSupported, RequestError
from flashtts_core.types import SAMPLING_FIELDS
from flashtts_engine_esperanto.reading import Role, Word, read
from flashtts_engine_esperanto.sound import SAMPLE_RATE, Score, Timbre, perform

MIDDLE = 6
"""The id of the voice's own pitch; the ids around it are semitones."""
PITCHES = IdRanges(((0, 13),))
VOCABULARY = max(Role) + 1
"""Ids the language model has to have: pitches, then roles."""
_WORKERS = 2


class EsperantoEngine:
    """An ``Engine`` on any backend whose model writes pitches. It owns the backend and closes it."""

    name = "esperanto"
    sample_rate = SAMPLE_RATE
    abilities = Abilities(
        languages=("eo",),
        scripts=frozenset({"Latin"}),
        speed_range=(0.5, 2.0),
        sampling=frozenset(SAMPLING_FIELDS),
    )
    rules = TextRules(normalize=False, merge=False)
    defaults = Sampling(temperature=0.7, top_k=0, top_p=0.9, repetition_penalty=1.0, max_tokens=4096, seed=0)

    def __init__(self, timbres: Mapping[str, Timbre], backend: Backend) -> None:
        self._timbres = timbres
        self._backend = backend
        self._voices = {name: Voice(name, self.name, builtin=True, language="eo") for name in timbres}
        self._codec = Batcher(_perform, threads=_WORKERS)
        self.parallel = 4

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices of the checkpoint."""
        return self._voices

    @property
    def alive(self) -> bool:
        """False once the backend is closed or gone."""
        return self._backend.alive

    def language(self, text: str) -> str:
        """Return ``eo``: the voice reads every text as Esperanto."""
        return "eo"

    def count_tokens(self, text: str) -> int:
        """Return the number of syllables: the melody has one id for each."""
        return sum(len(word.syllables) for word in read(text))

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Speak a line, one chunk a word; raises ``RequestError`` if no letter of it has a sound."""
        words = read(line.text)
        if not words:
            raise RequestError("No letter of this text has a sound in Esperanto. Give words of it.", param="text")
        pitch, left = MIDDLE, line.sampling.max_tokens or 0
        for number, word in enumerate(words):
            request = self._request(line, number, (word.role, pitch), min(left, len(word.syllables)))
            melody = await self._melody(request)
            if not melody:
                return
            syllables = word.syllables[: len(melody)]  # fewer than the word has where max_tokens ends
            speed = line.style.speed if isinstance(line.style.speed, float | int) else 1.0
            semitones = tuple(token - MIDDLE for token in melody)
            seed = (line.sampling.seed or 0, line.index, number)
            timbre = self._timbres[line.voice.name]
            score = Score(Word(syllables, word.role, word.pause), semitones, timbre, speed, seed)
            samples = await self._codec.submit(score)
            yield AudioChunk(samples, self.sample_rate, Usage(len(request.prompt), len(melody)))
            pitch, left = melody[-1], left - len(melody)
            if not left:
                return

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Raise ``NotSupported``: a voice is a few numbers here, and a recording does not tell them."""
        raise NotSupported("This engine cannot clone. Add a voice to the checkpoint's voice.toml instead.")

    async def warm_up(self) -> None:
        """Speak a word."""
        voice = next(iter(self._voices.values()))
        line = Line("warm-up", 0, "saluton", "eo", voice, style=Style(), sampling=self.defaults)
        async with aclosing(self.speak(line)) as chunks:
            async for _ in chunks:
                pass

    async def aclose(self) -> None:
        """Close the backend and join the threads; closing twice is harmless."""
        await close_all(self._backend, self._codec)

    async def _melody(self, request: TokenRequest) -> list[int]:
        """Return the pitches of a word; ``aclosing`` stops the model when the listener is gone."""
        async with aclosing(self._backend.generate(request)) as deltas:
            return [token async for delta in deltas for token in delta]

    def _request(self, line: Line, number: int, prompt: tuple[int, ...], count: int) -> TokenRequest:
        """Ask for ``count`` pitches after a role and the pitch before; every word has a seed of its own."""
        state = np.random.SeedSequence((line.sampling.seed or 0, line.index, number)).generate_state(1, np.uint64)
        return TokenRequest(
            id=f"{line.request_id}:{line.index}:{number}",
            prompt=prompt,
            stop=frozenset(),  # the length is known; a model that writes its own end gets its stop ids here
            sampling=msgspec.structs.replace(line.sampling, max_tokens=count, seed=int(state[0] >> 1)),
            allowed=(PITCHES,),
        )


def read_timbres(path: Path) -> dict[str, Timbre]:
    """Read the voices of a checkpoint, by name; raises ``BadCheckpoint``."""
    try:
        timbres = msgspec.toml.decode(path.read_bytes(), type=dict[str, Timbre])
    except (OSError, msgspec.DecodeError) as error:
        raise BadCheckpoint(f"{path} does not describe voices: {error}.") from error
    if not timbres:
        raise BadCheckpoint(f"{path} names no voice. Add a table such as [karlo] with its pitch in Hz.")
    return timbres


def _perform(scores: Sequence[Score]) -> list[NDArray[np.float32]]:
    return [perform(score) for score in scores]
