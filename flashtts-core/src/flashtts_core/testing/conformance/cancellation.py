"""The contract of closing: whoever stops listening frees the place, and the model stops within one token.

Steps are counted, not timed: between the moment a request is closed and the moment its place is free, the model may
finish the step it is in and begin no other than one that had been decided on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from msgspec import Struct

from flashtts_core.backends import Backend
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.backends.threaded import BatchModel, ThreadedBackend
from flashtts_core.errors import EngineError
from flashtts_core.testing.conformance.running import run
from flashtts_core.types import Sampling, TokenRequest

MORE = 100_000
"""More tokens than any test waits for."""


class CountedBackend(Struct, frozen=True):
    """A backend under test, and how many steps (tokens of one request, or rounds of a batch) its model has begun."""

    backend: Backend
    steps: Callable[[], int]


class CountedModel:
    """A ``BatchModel`` that counts the steps of another."""

    def __init__(self, model: BatchModel) -> None:
        self.vocab_size = model.vocab_size
        self.max_length = model.max_length
        self.slots = model.slots
        self.steps = 0
        self.admit = model.admit
        self.release = model.release
        self.close = model.close
        self._step = model.step

    def step(self) -> dict[str, list[int] | EngineError]:
        """Count, and advance the batch."""
        self.steps += 1
        return dict(self._step())


def counted(model: BatchModel) -> CountedBackend:
    """Return a running ``ThreadedBackend`` around a model whose steps are counted."""
    watched = CountedModel(model)
    return CountedBackend(ThreadedBackend(watched), lambda: watched.steps)


class CancellationContract:
    """A backend stops when nobody listens any more.

    ``prompt`` must be valid for the model that ``open_counted`` opens, whose context should hold some 200 tokens.
    ``allowance`` is how many steps may begin after a request is closed: one that was decided on already; a runtime in
    a process of its own may need more, and says so.
    """

    prompt = tuple(range(1, 9))
    allowance = 1

    async def open_counted(self) -> CountedBackend:
        """Open the backend under test on a small model."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def counted(self) -> AsyncIterator[CountedBackend]:
        """Open the backend inside the host's guard, as engines see it, and close it again."""
        opened = await self.open_counted()
        backend = GuardedBackend(opened.backend, max_length=1 << 20)
        try:
            yield CountedBackend(backend, opened.steps)
        finally:
            await backend.aclose()

    def request(self, key: str) -> TokenRequest:
        """Return a request that goes on as long as the context lasts."""
        return TokenRequest(key, self.prompt, frozenset(), Sampling(0.9, 0, 1.0, 1.0, MORE, 5))

    async def assert_stopped(self, opened: CountedBackend, closed_at: int) -> None:
        """Check that the place is free after at most the allowed steps, and that none follow."""
        async with asyncio.timeout(60):
            while opened.backend.running:
                await asyncio.sleep(0)
        stopped = opened.steps()
        assert stopped <= closed_at + self.allowance
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert opened.steps() == stopped, "the model works on with nobody listening"

    def test_closing_after_any_number_of_tokens_stops_the_model(self) -> None:
        async def check() -> None:
            async with self.counted() as opened:
                for count in (1, 2, 5):
                    async with aclosing(opened.backend.generate(self.request(f"close{count}"))) as deltas:
                        seen = 0
                        while seen < count:
                            seen += len(await anext(deltas))
                    await self.assert_stopped(opened, opened.steps())

        run(check())

    def test_cancelling_the_task_that_listens_stops_the_model(self) -> None:
        async def listen(backend: Backend, begun: asyncio.Event) -> None:
            async with aclosing(backend.generate(self.request("cancel"))) as deltas:
                async for _ in deltas:
                    begun.set()

        async def check() -> None:
            async with self.counted() as opened:
                begun = asyncio.Event()
                task = asyncio.create_task(listen(opened.backend, begun))
                await begun.wait()
                task.cancel()
                await asyncio.wait([task])
                await self.assert_stopped(opened, opened.steps())

        run(check())

    def test_a_timeout_stops_the_model(self) -> None:
        async def check() -> None:
            async with self.counted() as opened:
                with contextlib.suppress(TimeoutError):
                    async with (
                        asyncio.timeout(None) as limit,
                        aclosing(opened.backend.generate(self.request("timeout"))) as deltas,
                    ):
                        async for _ in deltas:
                            limit.reschedule(0)  # it is over from the first ids on
                await self.assert_stopped(opened, opened.steps())

        run(check())

    def test_closing_before_the_first_token_stops_the_model(self) -> None:
        async def check() -> None:
            async with self.counted() as opened:
                before = opened.steps()
                deltas = opened.backend.generate(self.request("early"))
                first = asyncio.ensure_future(anext(deltas))
                await asyncio.sleep(0)  # it is handed to the model
                first.cancel()
                await asyncio.wait([first])
                await deltas.aclose()
                await self.assert_stopped(opened, max(before + 1, opened.steps()))

        run(check())

    def test_the_others_go_on(self) -> None:
        async def check() -> None:
            async with self.counted() as opened:
                backend = opened.backend
                async with aclosing(backend.generate(self.request("stays"))) as stays:
                    await anext(stays)
                    for number in range(3):
                        async with aclosing(backend.generate(self.request(f"goes{number}"))) as goes:
                            await anext(goes)
                    async with asyncio.timeout(60):
                        while backend.running > 1:
                            await anext(stays)
                    assert await anext(stays)
                await self.assert_stopped(opened, opened.steps())

        run(check())
