"""A small engine around any backend: every id of the answer is a short tone, so that tests can hear a backend work."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import numpy as np

from flashtts_core.backends import Backend
from flashtts_core.engines import Abilities, TextRules
from flashtts_core.errors import NotSupported
from flashtts_core.types import SAMPLING_FIELDS, AudioChunk, Line, Reference, Sampling, TokenRequest, Usage, Voice

SAMPLE_RATE = 16_000
ID_SECONDS = 0.05
"""How long one id sounds."""


class IdsEngine:
    """Speaks what a backend writes; the prompt of a line is ``prompt``, whatever its text."""

    name = "ids"
    sample_rate = SAMPLE_RATE
    rules = TextRules(normalize=False, merge=False)
    abilities = Abilities(languages=("en",), sampling=frozenset(SAMPLING_FIELDS))
    defaults = Sampling(temperature=0.9, top_k=0, top_p=1.0, repetition_penalty=1.0, max_tokens=4096, seed=0)
    parallel = 4

    def __init__(self, backend: Backend, prompt: tuple[int, ...] = tuple(range(1, 9))) -> None:
        self.backend = backend
        self._prompt = prompt
        self._numbers = itertools.count()
        self._voices = {"ids": Voice("ids", self.name, builtin=True, language="en")}

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The one built-in voice."""
        return self._voices

    @property
    def alive(self) -> bool:
        """Whether the backend is."""
        return self.backend.alive

    def language(self, text: str) -> str:
        """Return ``en``."""
        return "en"

    def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Sound one tone an id."""
        name = f"{line.request_id}:{line.index}:{next(self._numbers)}"
        request = TokenRequest(name, self._prompt, frozenset(), line.sampling)
        async with aclosing(self.backend.generate(request)) as deltas:
            async for ids in deltas:
                tones = [_tone(token) for token in ids]
                yield AudioChunk(np.concatenate(tones), SAMPLE_RATE, Usage(0, len(ids)))

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Raise ``NotSupported``."""
        raise NotSupported("This engine does not clone.")

    async def warm_up(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Close the backend."""
        await self.backend.aclose()


def _tone(token: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    time = np.arange(round(ID_SECONDS * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    return np.asarray(0.3 * np.sin(2 * np.pi * (100 + token % 400) * time), np.float32)
