"""Batched work on named threads: items from many requests, computed together, results back on the event loop.

A worker takes what piled up while the last batch ran; nothing ticks while there is no work. Only a batch that is not
full waits, at most ``wait`` seconds from the arrival of its first item, and never when ``max_batch`` is 1.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from flashtts_core.errors import EngineError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Job(Generic[Item, Result]):
    """An item on its way, with the future that waits for its result."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Result] = self.loop.create_future()
        self.arrived = time.monotonic()

    def resolve(self, result: Result | None, error: BaseException | None) -> None:
        """Hand over the outcome; called by the worker thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more, and others need the worker
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Result | None, error: BaseException | None) -> None:
        if self.future.done():  # the request was closed while its item was computed
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result


class Batcher(Generic[Item, Result]):
    """Computes items in batches on ``threads`` worker threads that it owns.

    ``compute`` gets one to ``max_batch`` items and returns a result for each, in order; it may block. If a batch of
    several raises, its items are computed one by one, so that one bad item fails alone.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        max_batch: int = 1,
        wait: float = 0.0,
        threads: int = 1,
        name: str = "flashtts-codec",
    ) -> None:
        self._compute = compute
        self._max_batch = max_batch
        self._wait = wait
        self._jobs: deque[Job[Item, Result]] = deque()
        self._ready = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}") for number in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def pending(self) -> int:
        """Items that no worker has taken yet."""
        return len(self._jobs)

    async def submit(self, item: Item) -> Result:
        """Compute ``item`` and return its result; cancelling drops the item if it has not been taken."""
        job: Job[Item, Result] = Job(item)
        with self._ready:
            if self._closing:
                raise EngineError("The engine is closed; open the model again to speak.")
            self._jobs.append(job)
            self._ready.notify()
        return await job.future

    async def aclose(self) -> None:
        """Finish the batches under way, fail what still waits and join the threads; closing twice is harmless."""
        with self._ready:
            self._closing = True
            dropped, self._jobs = list(self._jobs), deque()
            self._ready.notify_all()
        for job in dropped:
            job.resolve(None, EngineError("The engine was closed while the request waited."))
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _work(self) -> None:
        while batch := self._take():
            self._run(batch)

    def _take(self) -> list[Job[Item, Result]]:
        """Wait for jobs and take a batch; an empty one means that the batcher is closing."""
        with self._ready:
            while not self._closing:
                self._drop_cancelled()
                if not self._jobs:
                    self._ready.wait()
                    continue
                missing = len(self._jobs) < self._max_batch
                patience = self._jobs[0].arrived + self._wait - time.monotonic()
                if missing and self._max_batch > 1 and patience > 0:
                    self._ready.wait(patience)
                    continue
                count = min(self._max_batch, len(self._jobs))
                return [self._jobs.popleft() for _ in range(count)]
            return []

    def _drop_cancelled(self) -> None:
        while self._jobs and self._jobs[0].future.cancelled():
            self._jobs.popleft()

    def _results(self, items: Sequence[Item]) -> Sequence[Result]:
        results = self._compute(items)
        if len(results) != len(items):
            raise EngineError(f"The engine computed {len(results)} results for {len(items)} items.")
        return results

    def _run(self, batch: list[Job[Item, Result]]) -> None:
        wanted = [job for job in batch if not job.future.cancelled()]
        if not wanted:
            return
        try:
            results = self._results([job.item for job in wanted])
        except Exception as error:  # noqa: BLE001  # whatever the codec raises belongs to the requests, not to the thread
            if len(wanted) == 1:
                wanted[0].resolve(None, error)
            else:
                for job in wanted:
                    self._run([job])
            return
        for job, result in zip(wanted, results, strict=True):
            job.resolve(result, None)
