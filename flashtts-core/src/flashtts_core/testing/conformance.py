"""What every plugin has to pass; needs pytest. Subclass a contract, say how to open the plugin, and run it.

::

    class TestMyEngine(EngineContract):
        async def open_engine(self) -> Engine:
            return await open_my_engine(...)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest

from flashtts_core.backends import Backend, BackendSpec, Restriction
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.engines import Engine
from flashtts_core.errors import BackendDied, FlashTTSError, NotSupported, RequestError
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing.fakes import tone_reference
from flashtts_core.types import (
    SAMPLING_FIELDS,
    AudioChunk,
    IdRanges,
    Line,
    Sampling,
    SpeechRequest,
    Style,
    TokenRequest,
)

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, with a bound so that a plugin that hangs fails."""
    return asyncio.run(asyncio.wait_for(work, timeout=120))


class EngineContract:
    """An engine speaks: sound of the right form, repeatable, many lines at once, closed at any moment.

    ``text`` is what is spoken; replace it with words the engine can read. ``tolerance`` is the largest difference of
    samples between an answer alone and in company.
    """

    text = "The quick brown fox jumps over the lazy dog. Then it takes a long nap in the sun."
    tolerance = 1e-5

    async def open_engine(self) -> Engine:
        """Open the engine under test."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """Open the engine and close it again."""
        engine = await self.open_engine()
        try:
            yield engine
        finally:
            await engine.aclose()

    def line(self, engine: Engine, *, index: int = 0, seed: int = 7, speed: float | None = None) -> Line:
        """Return a line for the engine's first voice."""
        sampling = msgspec.structs.replace(engine.defaults, seed=seed)
        voice = next(iter(engine.voices.values()))
        return Line("contract", index, self.text, engine.language(self.text), voice, Style(speed=speed), sampling)

    def test_defaults_set_every_sampling_field(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                assert all(getattr(engine.defaults, name) is not None for name in SAMPLING_FIELDS)

        run(check())

    def test_voices_are_the_engines_own_and_named_as_listed(self) -> None:
        async def check() -> None:
            async with self.engine() as engine:
                assert engine.voices
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
                        async for _ in _first(chunks, count):
                            pass
                assert [chunk async for chunk in engine.speak(self.line(engine))]

        run(check())

    def test_a_streamed_and_a_whole_answer_are_the_same(self, tmp_path: Any) -> None:
        async def check() -> None:
            synthesizer = Synthesizer(await self.open_engine(), Settings(voice_dir=str(tmp_path)))
            async with synthesizer:
                request = SpeechRequest(f"{self.text} {self.text}", sampling=Sampling(seed=3))
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
                    assert (await engine.encode_voice("new", tone_reference())).engine == engine.name
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


class BackendContract:
    """A backend generates: stop ids, limits, seeds, many requests at once, closing within a token, clear errors.

    ``spec`` is the backend's registration; ``prompt`` must be valid for the model that ``open_backend`` opens.
    """

    spec: BackendSpec
    prompt = tuple(range(1, 9))

    async def open_backend(self) -> Backend:
        """Open the backend under test on a small model."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def backend(self) -> AsyncIterator[GuardedBackend]:
        """Open the backend inside the host's guard, as engines see it, and close it again."""
        backend = GuardedBackend(await self.open_backend(), max_length=1 << 20)
        try:
            yield backend
        finally:
            await backend.aclose()

    def request(self, key: str = "contract", **changes: Any) -> TokenRequest:
        """Return a sampled request; ``changes`` are fields of ``Sampling`` or of ``TokenRequest``."""
        sampling = Sampling(0.9, 0, 1.0, 1.0, 24, 5)
        mine = {name: changes.pop(name) for name in SAMPLING_FIELDS if name in changes}
        request = TokenRequest(key, self.prompt, frozenset(), msgspec.structs.replace(sampling, **mine))
        return msgspec.structs.replace(request, **changes)

    def test_max_tokens_is_held_exactly(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                for limit in (1, 2, 17):
                    assert len(await _ids(backend, self.request(max_tokens=limit))) == limit

        run(check())

    def test_generation_ends_before_a_stop_id(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                free = await _ids(backend, self.request())
                stop = free[5]
                assert await _ids(backend, self.request(stop=frozenset({stop}))) == free[: free.index(stop)]

        run(check())

    def test_the_same_seed_gives_the_same_ids_alone_and_in_company(self) -> None:
        if "seed" not in self.spec.sampling:
            return  # the spec says that seeds are not honoured; the host tells the user

        async def check() -> None:
            async with self.backend() as backend:
                requests = [self.request(f"r{seed}", seed=seed) for seed in range(4)]
                alone = [await _ids(backend, request) for request in requests]
                together = await asyncio.gather(*(_ids(backend, request) for request in requests))
                assert alone == list(together)
                assert alone[0] != alone[1]

        run(check())

    def test_allowed_ids_are_never_violated(self) -> None:
        flat = (IdRanges(((10, 20), (40, 45))),)
        cycle = (IdRanges(((10, 20),)), IdRanges(((30, 40),)), IdRanges(((50, 60),)))
        known: dict[Restriction, list[tuple[IdRanges, ...]]] = {"none": [], "flat": [flat], "cycle": [flat, cycle]}

        async def check() -> None:
            async with self.backend() as backend:
                for allowed in known[self.spec.restriction]:
                    ids = await _ids(backend, self.request(allowed=allowed, max_tokens=60))
                    assert all(token in allowed[at % len(allowed)] for at, token in enumerate(ids))

        run(check())

    def test_closing_a_stream_frees_its_place(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                for count in (0, 1, 3):
                    async with aclosing(backend.generate(self.request(max_tokens=200))) as deltas:
                        async for _ in _first(deltas, count):
                            pass
                async with asyncio.timeout(20):
                    while backend.running:
                        await asyncio.sleep(0.001)
                assert len(await _ids(backend, self.request(max_tokens=3))) == 3

        run(check())

    def test_many_joins_and_aborts_leave_nothing(self) -> None:
        async def visit(backend: GuardedBackend, number: int) -> None:
            async with aclosing(backend.generate(self.request(f"v{number}", max_tokens=40))) as deltas:
                async for _ in _first(deltas, number % 5):
                    pass

        async def check() -> None:
            async with self.backend() as backend:
                await asyncio.gather(*(visit(backend, number) for number in range(30)))
                async with asyncio.timeout(20):
                    while backend.running:
                        await asyncio.sleep(0.001)

        run(check())

    def test_bad_prompts_are_refused_and_harm_nobody(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                for prompt in ((), (backend.vocab_size,), (-1,), (1,) * (backend.max_length + 1)):
                    with pytest.raises(RequestError):
                        await _ids(backend, self.request(prompt=prompt))
                assert await _ids(backend, self.request(max_tokens=2))

        run(check())

    def test_a_closed_backend_says_so(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                await backend.aclose()
                await backend.aclose()
                assert not backend.alive
                with pytest.raises(BackendDied):
                    await _ids(backend, self.request())

        run(check())

    def test_closing_ends_the_requests_that_run(self) -> None:
        async def check() -> None:
            request = self.request(max_tokens=10_000)
            async with self.backend() as backend, aclosing(backend.generate(request)) as deltas:
                await anext(deltas)
                await backend.aclose()
                with contextlib.suppress(FlashTTSError):
                    async for _ in deltas:
                        pass

        run(check())


async def _ids(backend: Backend, request: TokenRequest) -> list[int]:
    async with aclosing(backend.generate(request)) as deltas:
        return [token async for delta in deltas for token in delta]


async def _first(items: AsyncIterator[T], count: int) -> AsyncIterator[T]:
    """Yield the first ``count`` items and leave the iterator open."""
    for _ in range(count):
        try:
            yield await anext(items)
        except StopAsyncIteration:
            return


def _join(chunks: list[AudioChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])
