"""Speaks one line: prompts the language model, decodes its answer as it comes, tries again when it is no speech.

A new seed is tried as long as nothing has been played. Where an answer breaks down later, the line ends in an error:
sound that was heard cannot be taken back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.window import Schedule, due_spans
from flashtts_core.backends import Backend
from flashtts_core.engines.attempts import request_name, seed_at
from flashtts_core.engines.spark.guard import Listener, NoSpeech
from flashtts_core.engines.spark.prompt import Acoustics, Answer, Labels, Prompt, SpokenReference, Vocabulary
from flashtts_core.errors import EmptySpeech
from flashtts_core.types import AudioChunk, Line, TokenRequest, Usage

_LONGEST_ATTRIBUTES = 16
"""Tokens that the model may spend on pitch and speed; it needs four."""


class Stretch(Struct, frozen=True):
    """Semantic ``tokens`` with context, in the voice ``globals``; the sound of ``count`` from ``first`` is wanted."""

    globals: tuple[int, ...]
    tokens: tuple[int, ...]
    first: int
    count: int


class Instruments(Struct, frozen=True, eq=False):
    """What every line is spoken with; ``decode`` gives the samples of a stretch, ``retries`` bounds new seeds."""

    backend: Backend
    vocabulary: Vocabulary
    decode: Callable[[Stretch], Awaitable[NDArray[np.float32]]]
    schedule: Schedule
    sample_rate: int
    global_count: int
    retries: int


class Cloned(Struct, frozen=True):
    """A voice from a recording."""

    globals: tuple[int, ...]
    spoken: SpokenReference | None


class Take:
    """One answer of the language model on its way in; close it to stop the model."""

    def __init__(self, backend: Backend, vocabulary: Vocabulary, request: TokenRequest) -> None:
        self.answer = Answer(vocabulary)
        self.ended = False
        self._deltas = backend.generate(request)
        self._fresh = Usage(input_tokens=len(request.prompt))

    async def advance(self) -> None:
        """Wait for more ids, or for the end."""
        ids = await anext(self._deltas, None)
        if ids is None:
            self.ended = True
        else:
            self.answer.add(ids)
            self._fresh += Usage(output_tokens=len(ids))

    def usage(self) -> Usage:
        """Return the usage since the last call."""
        fresh, self._fresh = self._fresh, Usage()
        return fresh

    async def aclose(self) -> None:
        """Stop the model."""
        await self._deltas.aclose()


class Utterance:
    """One line being spoken. Close the generator of ``speak`` to stop the model."""

    def __init__(self, instruments: Instruments, line: Line) -> None:
        self._with = instruments
        self._line = line
        self._labels = labels_of(line)
        self._attempts = 0
        self._usage = Usage()
        self._open_take: Take | None = None

    async def clone(self, voice: Cloned) -> AsyncGenerator[AudioChunk, None]:
        """Speak with a cloned voice."""
        prompt = self._with.vocabulary.clone(self._line.text, voice.globals, self._labels, voice.spoken)
        async with aclosing(self._speak(prompt, voice.globals)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def control(
        self, settle: Callable[[Callable[[], Awaitable[Acoustics]]], Awaitable[Acoustics]]
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak with a built-in voice.

        The model makes up who exactly speaks. ``settle`` gets the function that lets it, and returns what holds: a
        voice that was made up before, or a new one.
        """
        async with aclosing(self):
            acoustics = await self._suited(await settle(self._make_up))
            prompt = self._control(acoustics.ids)
            async with aclosing(self._speak(prompt, acoustics.globals)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def make_up(self) -> Acoustics:
        """Let the model make up a voice, without speaking."""
        async with aclosing(self):
            return await self._make_up()

    async def aclose(self) -> None:
        """Stop the model."""
        if self._open_take is not None:
            await self._open_take.aclose()
            self._open_take = None

    async def _speak(self, prompt: Prompt, speaker: tuple[int, ...]) -> AsyncGenerator[AudioChunk, None]:
        while True:
            take = self._open_take or self._start(prompt)
            self._open_take = None
            listener = Listener(self._with.sample_rate)
            async with aclosing(take), aclosing(self._sound(take, speaker, listener)) as chunks:
                try:
                    async for chunk in chunks:
                        yield chunk
                except NoSpeech as fault:
                    self._give_up_or_go_on(fault, heard=listener.heard)
                else:
                    return

    async def _sound(
        self, take: Take, speaker: tuple[int, ...], listener: Listener
    ) -> AsyncGenerator[AudioChunk, None]:
        """Decode an answer while it comes in; what is silent is held back until there is sound."""
        done = 0
        held: list[NDArray[np.float32]] = []
        tokens = take.answer.semantics
        while not take.ended:
            await take.advance()
            listener.read(tokens)
            for span in due_spans(self._with.schedule, done=done, known=len(tokens), ended=take.ended):
                context = tuple(tokens[span.context_start : span.context_end])
                stretch = Stretch(speaker, context, span.start - span.context_start, span.end - span.start)
                held.append(await self._with.decode(stretch))
                done = span.end
                listener.hear(held[-1])
                self._usage += take.usage()
                if listener.heard:
                    for samples in held:
                        yield AudioChunk(samples, self._with.sample_rate, self._spent())
                    held.clear()
        self._usage += take.usage()
        listener.finish()

    def _spent(self) -> Usage:
        spent, self._usage = self._usage, Usage()
        return spent

    def _control(self, acoustics: Sequence[int] = ()) -> Prompt:
        return self._with.vocabulary.control(self._line.text, self._line.voice.name, self._labels, acoustics)

    async def _make_up(self) -> Acoustics:
        """Read an answer up to the end of the voice; the answer stays open, for the speech that follows."""
        while True:
            take = self._open_take = self._start(self._control())
            answer = take.answer
            while not (take.ended or answer.acoustic_ids or answer.semantics or self._too_many(answer)):
                await take.advance()
            if answer.acoustic_ids and len(answer.globals) == self._with.global_count:
                return Acoustics(answer.acoustic_ids, tuple(answer.globals), self._labels)
            await self._discard(take)
            self._give_up_or_go_on(NoSpeech("it did not describe a voice"), heard=False)

    def _too_many(self, answer: Answer) -> bool:
        return len(answer.head) > 2 * self._with.global_count + _LONGEST_ATTRIBUTES

    async def _suited(self, acoustics: Acoustics) -> Acoustics:
        """Return a voice with the pitch and speed of this line: the model names them, the speaker is kept."""
        if acoustics.labels == self._labels:
            return acoustics
        vocabulary = self._with.vocabulary
        prompt = vocabulary.attributes(self._line.text, self._line.voice.name, self._labels)
        take = self._open_take = self._start(prompt, max_tokens=_LONGEST_ATTRIBUTES)
        while not take.ended:
            await take.advance()
        await self._discard(take)
        ids = vocabulary.acoustics(take.answer.head, acoustics.globals)
        return Acoustics(ids, acoustics.globals, self._labels)

    async def _discard(self, take: Take) -> None:
        self._usage += take.usage()
        await self.aclose()

    def _start(self, prompt: Prompt, *, max_tokens: int | None = None) -> Take:
        """Open an answer; every attempt but the first has a seed of its own."""
        sampling = self._line.sampling
        seed = seed_at(self._line, self._attempts)
        limit = sampling.max_tokens if max_tokens is None else max_tokens
        request = TokenRequest(
            id=request_name(self._line),
            prompt=prompt.ids,
            stop=prompt.stop,
            sampling=msgspec.structs.replace(sampling, seed=seed, max_tokens=limit),
            allowed=(prompt.allowed,),
        )
        return Take(self._with.backend, self._with.vocabulary, request)

    def _give_up_or_go_on(self, fault: NoSpeech, *, heard: bool) -> None:
        """Count a failed attempt; raises ``EmptySpeech`` if no other is possible."""
        self._attempts += 1
        if heard:
            raise EmptySpeech(f"The model's answer broke down: {fault}. Try another seed, or shorter text.") from fault
        if self._line.sampling.temperature == 0:
            raise EmptySpeech(
                f"The model gave no speech for this text: {fault}. At temperature 0 it always answers so; use a higher "
                f"one, or other words."
            ) from fault
        if self._attempts > self._with.retries:
            raise EmptySpeech(
                f"The model gave no speech for this text in {self._attempts} attempts: {fault}. Try other words, "
                f"another seed or a lower temperature."
            ) from fault
        self._usage += Usage(retries=1)


def labels_of(line: Line) -> Labels:
    """Return pitch and speed of a line; what is not given is moderate (numbers are paced after the engine)."""
    speed = line.style.speed
    return Labels(line.style.pitch or "moderate", speed if isinstance(speed, str) else "moderate")
