"""The fake backend passes the contract, so the contract can be passed; and the thread around a model behaves."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from flashtts_core.backends import Backend, BackendSpec
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.errors import BackendDied, RequestError
from flashtts_core.testing import CountingModel, CountingReference, counting_backend
from flashtts_core.testing.conformance import (
    BackendContract,
    CancellationContract,
    CountedBackend,
    Reference,
    counted,
    run,
)
from flashtts_core.types import Sampling, TokenRequest


async def never_opened(context: object) -> Backend:
    raise AssertionError("the test opens its backend itself")


class TestCountingBackend(BackendContract):
    spec = BackendSpec("counting", "A fake.", never_opened, restriction="cycle")

    async def open_backend(self) -> Backend:
        return counting_backend()

    def reference(self) -> Reference:
        return CountingReference()


def request(key: str = "a", *, max_tokens: int = 8, prompt: tuple[int, ...] = (1, 2, 3)) -> TokenRequest:
    return TokenRequest(key, prompt, frozenset(), Sampling(0.9, 0, 1.0, 1.0, max_tokens, 1))


async def collect(backend: Backend, asked: TokenRequest) -> list[int]:
    async with aclosing(backend.generate(asked)) as deltas:
        return [token async for delta in deltas for token in delta]


def test_more_requests_than_slots_wait_their_turn() -> None:
    async def check() -> int:
        model = CountingModel(slots=2)
        backend = ThreadedBackend(model)
        answers = await asyncio.gather(*(collect(backend, request(str(number))) for number in range(6)))
        await backend.aclose()
        assert [len(answer) for answer in answers] == [8] * 6
        return model.most_at_once

    assert run(check()) == 2


def test_a_runtime_that_dies_fails_every_request_and_all_later_ones() -> None:
    async def check() -> None:
        backend = ThreadedBackend(CountingModel(fail_at=5))
        running = [asyncio.create_task(collect(backend, request(str(number), max_tokens=500))) for number in range(3)]
        for task in running:
            with pytest.raises(BackendDied, match="told to fail"):
                await task
        assert not backend.alive
        with pytest.raises(BackendDied):
            await collect(backend, request())
        await backend.aclose()

    run(check())


def test_a_runtime_that_dies_of_a_new_request_tells_that_request_too() -> None:
    class Choking(CountingModel):
        def admit(self, request: TokenRequest) -> None:
            raise RuntimeError("the counting model choked")

    async def check() -> None:
        backend = ThreadedBackend(Choking())
        async with asyncio.timeout(20):
            with pytest.raises(BackendDied, match="choked"):
                await collect(backend, request())
        await backend.aclose()

    run(check())


def test_the_model_is_closed_by_its_own_thread_when_the_backend_closes() -> None:
    async def check() -> bool:
        model = CountingModel()
        backend = ThreadedBackend(model)
        await backend.aclose()
        return model.closed

    assert run(check())


class TestCountingBackendStops(CancellationContract):
    async def open_counted(self) -> CountedBackend:
        return counted(CountingModel(max_length=1 << 30))


def test_max_tokens_is_cut_to_what_the_context_holds() -> None:
    async def check() -> int:
        backend = GuardedBackend(counting_backend(CountingModel(max_length=10)), max_length=1000)
        ids = await collect(backend, request(max_tokens=500))
        await backend.aclose()
        return len(ids)

    assert run(check()) == 7


def test_a_prompt_that_fills_the_context_is_refused_with_the_remedy() -> None:
    async def check() -> None:
        backend = GuardedBackend(counting_backend(), max_length=3)
        with pytest.raises(RequestError, match="--max_length"):
            await collect(backend, request())
        await backend.aclose()

    run(check())
