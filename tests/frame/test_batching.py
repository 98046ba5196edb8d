"""The batcher: order, batches, cancellation, failures, closing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from flashtts_core.batching import Batcher
from flashtts_core.errors import EngineError


class Worker:
    """Doubles numbers; waits before each batch until it may go on."""

    def __init__(self, *, open_gate: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        if open_gate:
            self.gate.set()

    def compute(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.entered.set()
        assert self.gate.wait(10)
        if -1 in items:
            raise ZeroDivisionError("minus one")
        return [2 * item for item in items]


def test_results_come_back_to_their_own_items() -> None:
    async def check() -> list[int]:
        batcher = Batcher(Worker().compute, max_batch=4, wait=0.005, threads=2)
        try:
            return await asyncio.gather(*(batcher.submit(item) for item in range(50)))
        finally:
            await batcher.aclose()

    assert asyncio.run(check()) == [2 * item for item in range(50)]


def test_what_piled_up_while_a_batch_ran_is_one_batch() -> None:
    async def check() -> list[list[int]]:
        worker = Worker(open_gate=False)
        batcher = Batcher(worker.compute, max_batch=8)
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.to_thread(worker.entered.wait, 10)
        rest = [asyncio.create_task(batcher.submit(item)) for item in range(1, 11)]
        await asyncio.sleep(0)
        worker.gate.set()
        await asyncio.gather(first, *rest)
        await batcher.aclose()
        return worker.batches

    assert asyncio.run(check()) == [[0], [1, 2, 3, 4, 5, 6, 7, 8], [9, 10]]


def test_a_cancelled_item_is_not_computed() -> None:
    async def check() -> list[list[int]]:
        worker = Worker(open_gate=False)
        batcher = Batcher(worker.compute)
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.to_thread(worker.entered.wait, 10)
        second, third = (asyncio.create_task(batcher.submit(item)) for item in (1, 2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        worker.gate.set()
        await asyncio.gather(first, third)
        await batcher.aclose()
        return worker.batches

    assert asyncio.run(check()) == [[0], [2]]


def test_one_bad_item_fails_alone() -> None:
    async def check() -> list[int | BaseException]:
        worker = Worker(open_gate=False)
        batcher = Batcher(worker.compute, max_batch=8)
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.to_thread(worker.entered.wait, 10)
        rest = [asyncio.create_task(batcher.submit(item)) for item in (1, -1, 2)]
        await asyncio.sleep(0)
        worker.gate.set()
        results = await asyncio.gather(first, *rest, return_exceptions=True)
        await batcher.aclose()
        return results

    results = asyncio.run(check())
    assert [result for result in results if isinstance(result, int)] == [0, 2, 4]
    assert isinstance(results[2], ZeroDivisionError)


def test_too_few_results_fail_the_items_and_not_the_worker() -> None:
    async def check() -> None:
        batcher: Batcher[int, int] = Batcher(lambda items: [item for item in items if item], max_batch=1)
        with pytest.raises(EngineError, match="0 results for 1 items"):
            await batcher.submit(0)
        assert await batcher.submit(1) == 1
        await batcher.aclose()

    asyncio.run(check())


def test_closing_fails_what_waits_and_joins_the_threads() -> None:
    async def check() -> None:
        worker = Worker(open_gate=False)
        batcher = Batcher(worker.compute, name="test-codec")
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.to_thread(worker.entered.wait, 10)
        second = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.aclose())
        await asyncio.sleep(0)
        worker.gate.set()
        await closing
        assert await first == 0
        with pytest.raises(EngineError, match="closed"):
            await second
        with pytest.raises(EngineError, match="closed"):
            await batcher.submit(2)
        await batcher.aclose()
        assert not any(thread.name.startswith("test-codec") for thread in threading.enumerate())

    asyncio.run(check())


def test_an_item_whose_event_loop_is_gone_takes_no_worker_with_it() -> None:
    worker = Worker(open_gate=False)

    async def begin() -> Batcher[int, int]:
        batcher = Batcher(worker.compute, name="test-codec")
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.to_thread(worker.entered.wait, 10)
        first.cancel()
        return batcher

    async def go_on(batcher: Batcher[int, int]) -> int:
        worker.gate.set()
        try:
            return await batcher.submit(1)
        finally:
            await batcher.aclose()

    batcher = asyncio.run(begin())
    assert asyncio.run(go_on(batcher)) == 2
