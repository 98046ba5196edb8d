"""A start of the engine that is cancelled leaves neither an engine nor a thread behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from backends.sglang.fake import MAX_LENGTH, FakeEngine
from flashtts_backend_sglang.engine import EngineThread
from flashtts_core.testing.conformance import run

ARGUMENTS = {"context_length": MAX_LENGTH}


class Loading:
    """Makes an engine, or fails, when it is told to, and not before."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.engine: FakeEngine | None = None
        self._error = error

    def __call__(self, **kwargs: Any) -> FakeEngine:
        self.begun.set()
        assert self.go_on.wait(20)
        if self._error is not None:
            raise self._error
        self.engine = FakeEngine(**kwargs)
        return self.engine


async def start_and_cancel(loading: Loading) -> EngineThread:
    thread = EngineThread(loading, ARGUMENTS)
    starting = asyncio.create_task(thread.start())
    await asyncio.to_thread(loading.begun.wait, 20)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    loading.go_on.set()
    await asyncio.to_thread(thread._thread.join, 20)
    return thread


def test_an_engine_that_nobody_waits_for_any_more_is_shut_down_once_it_is_there() -> None:
    loading = Loading()
    thread = run(start_and_cancel(loading))
    assert not thread._thread.is_alive()
    assert loading.engine is not None
    assert loading.engine.shut_down


def test_an_engine_that_nobody_waits_for_may_fail_in_silence() -> None:
    thread = run(start_and_cancel(Loading(RuntimeError("CUDA out of memory"))))
    assert not thread._thread.is_alive()


def test_a_start_that_is_cancelled_as_the_engine_is_there_shuts_it_down() -> None:
    loading = Loading()
    loading.go_on.set()

    async def check() -> EngineThread:
        thread = EngineThread(loading, ARGUMENTS)
        starting = asyncio.create_task(thread.start())
        await asyncio.sleep(0)
        thread._opened.result(20)  # blocks this loop: it has not heard of the engine when the start is cancelled
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await asyncio.to_thread(thread._thread.join, 20)
        return thread

    thread = run(check())
    assert not thread._thread.is_alive()
    assert loading.engine is not None
    assert loading.engine.shut_down
