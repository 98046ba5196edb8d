"""The contract of engines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
import numpy as np
import pytest

from flashtts_core.engines import Engine
from flashtts_core.errors import NotSupported, RequestError
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing.conformance.running import first, run
from flashtts_core.testing.fakes import tone_reference
from flashtts_core.types import (
    SAMPLING_FIELDS,
    AudioChunk,
    Line,
    Reference,
    Sampling,
    SpeechRequest,
    Style,
    Voice,
)


class EngineContract:
    """An engine speaks: sound of the right form, repeatable, many lines at once, closed at any moment.

    ``text`` is what is spoken; replace it with words the engine can read. ``tolerance`` is the largest difference of
    samples between an answer alone and in company. ``reference`` is a recording for an engine that has no voice of its
    own; the others speak with their first.
    """

    text = "The quick brown fox jumps over the lazy dog. Then it takes a long nap in the sun."
    tolerance = 1e-5
    reference: Reference | None = None
    _cloned: Voice | None = None

    async def open_engine(self) -> Engine:
        """Open the engine under test."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """Open the engine and close it again."""
        engine = await self.open_engine()
        try:
            if self.reference is not None:
                self._cloned = await engine.encode_voice("contract", self.reference)
            yield engine
        finally:
            await engine.aclose()

    def line(self, engine: Engine, *, index: int = 0, seed: int = 7, speed: float | None = None) -> Line:
        """Return a line for the engine's first voice, or the one that was cloned."""
        sampling = msgspec.structs.replace(engine.defaults, seed=seed)
        voice = self._cloned or next(iter(engine.voices.values()))
        return Line("contract", index, self.text, engine.language(self.text), voice, Style(speed=speed), sampling)

    def test_defaults_set_every_sampling_field(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                assert all(getattr(engine.defaults, name) is not None for name in SAMPLING_FIELDS)

        run(check())

    def test_voices_are_the_engines_own_and_named_as_listed(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                assert engine.voices or self.reference is not None
                for name, voice in engine.voices.items():
                    assert (voice.name, voice.engine, voice.builtin) == (name, engine.name, True)

        run(check())

    def test_chunks_are_mono_float32_within_range(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                chunks = [chunk async for chunk in engine.speak(self.line(engine))]
                assert sum(len(chunk.samples) for chunk in chunks) > 0.2 * engine.sample_rate
                for chunk in chunks:
                    assert chunk.sample_rate == engine.sample_rate
                    assert chunk.samples.dtype == np.float32
                    assert chunk.samples.ndim == 1
                    assert np.isfinite(chunk.samples).all()
                    assert np.abs(chunk.samples).max(initial=0) <= 1
                assert np.abs(_join(chunks)).max() > 0.01, "the speech is silent"

        run(check())

    def test_usage_counts_what_was_read_and_made(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                chunks = [chunk async for chunk in engine.speak(self.line(engine))]
                assert sum(chunk.usage.input_tokens for chunk in chunks) > 0
                assert sum(chunk.usage.output_tokens for chunk in chunks) > 0

        run(check())

    def test_the_same_line_and_seed_give_the_same_sound(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                first = _join([chunk async for chunk in engine.speak(self.line(engine))])
                again = _join([chunk async for chunk in engine.speak(self.line(engine))])
                np.testing.assert_array_equal(first, again)

        run(check())

    def test_company_does_not_change_the_sound(self) -> None:
        async def collect(engine: Engine, line: Line) -> np.ndarray:
            return _join([chunk async for chunk in engine.speak(line)])

        async def check() -> None:
            async with self.engine() as engine:
                lines = [self.line(engine, index=index, seed=index) for index in range(4)]
                alone = [await collect(engine, line) for line in lines]
                together = await asyncio.gather(*(collect(engine, line) for line in lines))
                for one, other in zip(alone, together, strict=True):
                    np.testing.assert_allclose(one, other, atol=self.tolerance)

        run(check())

    def test_a_stream_can_be_closed_at_any_chunk_and_the_engine_goes_on(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                for count in (0, 1, 2):
                    async with aclosing(engine.speak(self.line(engine))) as chunks:
                        async for _ in first(chunks, count):
                            pass
                assert [chunk async for chunk in engine.speak(self.line(engine))]

        run(check())

    def test_a_streamed_and_a_whole_answer_are_the_same(self, tmp_path: Any) -> None:
        async def check() -> None:
            synthesizer = Synthesizer(await self.open_engine(), Settings(voice_dir=str(tmp_path)))
            async with synthesizer:
                request = SpeechRequest(f"{self.text} {self.text}", self.reference, sampling=Sampling(seed=3))
                async with await synthesizer.open(request) as stream:
                    streamed = _join([chunk async for chunk in await stream.start()])
                async with await synthesizer.open(request, whole=True) as stream:
                    whole = (await stream.read()).samples
                np.testing.assert_allclose(streamed, whole, atol=self.tolerance)

        run(check())

    def test_cloning_works_or_is_refused_with_a_reason(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                if engine.abilities.latent:
                    with pytest.raises(RequestError):
                        await engine.encode_voice("new", tone_reference())
                elif engine.abilities.cloning:
                    voice = await engine.encode_voice("new", tone_reference())
                    assert (voice.name, voice.engine) == ("new", engine.name)
                    for array in voice.codes.values():
                        assert isinstance(array, np.ndarray)
                        assert array.dtype.kind in "biuf", "arrays of other things than numbers cannot be kept"
                else:
                    with pytest.raises(NotSupported):
                        await engine.encode_voice("new", tone_reference())

        run(check())

    def test_closing_twice_is_harmless(self) -> None:
        async def check() -> None:
            engine = await self.open_engine()
            await engine.aclose()
            await engine.aclose()
            assert not engine.alive

        run(check())


def _join(chunks: list[AudioChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])
