"""Speaks one line: prompts the language model, decodes its answer as it comes, tries again when it is no speech.

An attempt is over when the model says so, and also when it has written ``LONGEST_IDLE`` ids without completing a frame.
If there was sound before, the line ends there; if there was none, another seed is tried.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.window import Schedule, due_spans
from flashtts_core.backends import Backend
from flashtts_core.engines.attempts import request_name, seed_at
from flashtts_core.engines.orpheus.codec.decoder import Piece
from flashtts_core.engines.orpheus.prompt import Answer, Prompt, Vocabulary
from flashtts_core.errors import EmptySpeech
from flashtts_core.types import AudioChunk, Line, TokenRequest, Usage

LONGEST_IDLE = 140
"""Ids without a whole frame after which no speech is expected any more: 20 frames' worth."""


class Instruments(Struct, frozen=True, eq=False):
    """What every line is spoken with; ``decode`` gives the samples of a piece, ``retries`` bounds new seeds."""

    backend: Backend
    vocabulary: Vocabulary
    decode: Callable[[Piece], Awaitable[NDArray[np.float32]]]
    schedule: Schedule
    sample_rate: int
    retries: int


class Utterance:
    """One line being spoken. Close the generator of ``speak`` to stop the model."""

    def __init__(self, instruments: Instruments, line: Line) -> None:
        self._with = instruments
        self._line = line
        self._usage = Usage()

    async def speak(self, text: str) -> AsyncGenerator[AudioChunk, None]:
        """Speak ``text`` in the voice of the line; raises ``EmptySpeech`` if no attempt gave any sound."""
        prompt = self._with.vocabulary.prompt(self._line.voice.name, text)
        attempts = 1 + (self._with.retries if self._line.sampling.temperature else 0)  # greedily it is always the same
        for attempt in range(attempts):
            self._usage += Usage(retries=min(attempt, 1))
            heard = False
            async with aclosing(self._attempt(self._request(prompt, attempt))) as chunks:
                async for chunk in chunks:
                    heard = True
                    yield chunk
            if heard:
                return
        raise EmptySpeech(
            f"The model gave no speech for this text in {attempts} attempt{'s' * (attempts > 1)}: its answer held no "
            f"whole frame of sound. Try other words, another seed or another temperature."
        )

    async def _attempt(self, request: TokenRequest) -> AsyncGenerator[AudioChunk, None]:
        """Decode one answer while it comes in."""
        self._usage += Usage(input_tokens=len(request.prompt))
        answer, done, ended = Answer(self._with.vocabulary), 0, False
        async with aclosing(self._with.backend.generate(request)) as deltas:
            while not ended:
                ids = await anext(deltas, None)
                answer.add(ids or ())
                self._usage += Usage(output_tokens=len(ids or ()))
                ended = ids is None or answer.idle >= LONGEST_IDLE
                known = len(answer.frames)
                for span in due_spans(self._with.schedule, done=done, known=known, ended=ended):
                    piece = Piece(
                        frames=answer.frames[span.context_start : span.context_end],
                        offset=span.context_start,
                        first=span.start - span.context_start,
                        count=span.end - span.start,
                        seed=self._line.sampling.seed or 0,
                    )
                    done = span.end
                    yield AudioChunk(await self._with.decode(piece), self._with.sample_rate, self._spent())

    def _request(self, prompt: Prompt, attempt: int) -> TokenRequest:
        return TokenRequest(
            id=request_name(self._line),
            prompt=prompt.ids,
            stop=prompt.stop,
            sampling=msgspec.structs.replace(self._line.sampling, seed=seed_at(self._line, attempt)),
            allowed=prompt.allowed,
        )

    def _spent(self) -> Usage:
        spent, self._usage = self._usage, Usage()
        return spent
