"""What belongs together is closed together, whatever happens on the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from flashtts_core.closing import close_all
from flashtts_core.testing.conformance import run


class Part:
    """A part that takes a turn of the loop to close, and may fail."""

    def __init__(self, closed: list[Part], error: Exception | None = None) -> None:
        self._closed = closed
        self._error = error

    async def aclose(self) -> None:
        self._closed.append(self)
        await asyncio.sleep(0)
        if self._error is not None:
            raise self._error


def test_parts_are_closed_in_order_and_those_after_one_that_fails_too() -> None:
    closed: list[Part] = []
    parts = [Part(closed), Part(closed, RuntimeError("the runtime is gone")), Part(closed)]
    with pytest.raises(RuntimeError, match="the runtime is gone"):
        run(close_all(*parts))
    assert closed == parts


def test_all_are_closed_when_whoever_closes_them_is_interrupted() -> None:
    async def check() -> None:
        closed: list[Part] = []
        parts = [Part(closed), Part(closed), Part(closed)]
        closing = asyncio.create_task(close_all(*parts))
        await asyncio.sleep(0)
        assert closed == parts[:1]
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        assert closing.cancelled()
        assert closed == parts

    run(check())
