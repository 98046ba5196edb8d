"""The contract of backends: answers end where they should, closing frees the place, death is reported."""

from __future__ import annotations

import asyncio
import contextlib
import random
from contextlib import aclosing

import pytest

from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.errors import BackendDied, FlashTTSError, RequestError
from flashtts_core.testing.conformance.choosing import ChoosingContract
from flashtts_core.testing.conformance.opened import endless, gathered, ids_of, skip

FREED_WITHIN = 4
"""Deltas that a neighbour may get until a place is free: two may be on their way and one step may be running."""


class BackendContract(ChoosingContract):
    """What a backend has to do. Subclass it, give ``spec``, ``open_backend`` and ``reference``.

    A backend that does not derive from ``ThreadedBackend`` gives ``kill`` too. Backends that open model folders in the
    official layout subclass ``CheckpointContract``, which makes folder and reference itself.
    """

    def test_max_tokens_is_held_exactly(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            for limit in (1, 2, 17):
                assert len(await ids_of(backend, self.request(max_tokens=limit))) == limit

        self.check(work)

    def test_the_context_holds_prompt_and_answer_and_not_more(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            room = 5
            request = self.request(prompt=(1,) * (backend.max_length - room), max_tokens=1000)
            assert len(await ids_of(backend, request)) == room

        self.check(work)

    def test_generation_ends_before_a_stop_id(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            free = await ids_of(backend, self.request(temperature=0.0))
            stop = free[5]
            stopped = self.request(temperature=0.0, stop=frozenset({stop, backend.vocab_size - 1}))
            end = next(at for at, token in enumerate(free) if token in stopped.stop)
            assert await ids_of(backend, stopped) == free[:end]
            company = [stopped, self.request("free", temperature=0.0)]
            assert await gathered([ids_of(backend, request) for request in company]) == [free[:end], free]

        self.check(work)

    def test_closing_a_stream_frees_its_place_within_a_step(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            async with aclosing(endless(backend, self.request("stays", max_tokens=400))) as neighbour:
                await anext(neighbour)
                for count in (0, 1, 3):
                    async with aclosing(backend.generate(self.request("goes", max_tokens=400))) as leaving:
                        await skip(leaving, count)
                    for _ in range(FREED_WITHIN):
                        await anext(neighbour)
                    assert backend.running <= 1
            await self._idle(backend)
            assert len(await ids_of(backend, self.request(max_tokens=3))) == 3

        self.check(work)

    def test_a_hundred_joins_and_aborts_leave_nothing(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            draw = random.Random(5)
            prompts = self.prompts(backend.vocab_size)
            calm = self.request(temperature=0.0)
            expected = await ids_of(backend, calm)

            async def visit(number: int) -> None:
                request = self.request(f"v{number}", prompt=draw.choice(prompts), max_tokens=draw.randint(1, 40))
                for _ in range(draw.randint(0, 60)):
                    await asyncio.sleep(0)
                async with aclosing(backend.generate(request)) as deltas:
                    await skip(deltas, draw.randint(0, 12))

            await gathered([visit(number) for number in range(100)])
            await self._idle(backend)
            assert await ids_of(backend, calm) == expected

        self.check(work)

    def test_bad_prompts_are_refused_and_harm_nobody(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            async with aclosing(endless(backend, self.request("stays", max_tokens=400))) as neighbour:
                await anext(neighbour)
                for prompt in ((), (backend.vocab_size,), (1 << 40,), (-1,), (1,) * (backend.max_length + 1)):
                    with pytest.raises(RequestError):
                        await ids_of(backend, self.request(prompt=prompt))
                await anext(neighbour)
            assert await ids_of(backend, self.request(max_tokens=2))

        self.check(work)

    def test_a_dead_engine_is_reported_and_nothing_hangs(self) -> None:
        async def work() -> None:
            bare = await self.open_backend()
            backend = GuardedBackend(bare, max_length=1 << 20)
            try:
                requests = [self.request(f"d{number}", max_tokens=400) for number in range(12)]
                running = [asyncio.create_task(ids_of(backend, request)) for request in requests]
                async with aclosing(endless(backend, self.request(max_tokens=400))) as deltas:
                    await anext(deltas)
                    await self.kill(bare)
                    with pytest.raises(BackendDied):
                        await skip(deltas, 10_000)
                for result in await asyncio.gather(*running, return_exceptions=True):
                    # A fast model may have written the whole answer before it was killed.
                    complete = isinstance(result, list) and len(result) == 400
                    assert complete or isinstance(result, BackendDied), result
                assert not backend.alive
                with pytest.raises(BackendDied):
                    await ids_of(backend, self.request())
                assert backend.running == 0
            finally:
                await backend.aclose()

        self.run(work())

    def test_closing_ends_what_runs_and_a_closed_backend_says_so(self) -> None:
        async def work() -> None:
            backend = await self.open_guarded()
            try:
                async with aclosing(backend.generate(self.request(max_tokens=400))) as deltas:
                    await anext(deltas)
                    await backend.aclose()
                    with contextlib.suppress(FlashTTSError):
                        await skip(deltas, 500)
            finally:
                await backend.aclose()
            assert not backend.alive
            assert backend.running == 0
            with pytest.raises(BackendDied):
                await ids_of(backend, self.request())

        self.run(work())

    async def _idle(self, backend: GuardedBackend) -> None:
        async with asyncio.timeout(60):
            while backend.running:
                await asyncio.sleep(0.001)
