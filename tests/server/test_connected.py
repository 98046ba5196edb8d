"""Work ends when its client leaves, and only then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import pytest
from litestar.types import HTTPReceiveMessage

from flashtts_server.connected import Connected
from flashtts_server.errors import ClientGone


class Client:
    """A client that stays until told to leave."""

    def __init__(self) -> None:
        self._left = asyncio.Event()

    async def receive(self) -> HTTPReceiveMessage:
        await self._left.wait()
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        self._left.set()


def run(work: Coroutine[Any, Any, None]) -> None:
    async def watched() -> None:
        async with asyncio.timeout(20):
            await work
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(watched())


def test_work_is_cancelled_when_the_client_leaves() -> None:
    async def work() -> None:
        client = Client()

        async def sleep() -> None:
            async with Connected(client.receive):
                client.leave()
                await asyncio.sleep(3600)

        with pytest.raises(ClientGone):
            await sleep()
        await asyncio.sleep(0)  # and what comes after it is not

    run(work())


def test_work_that_ends_is_left_alone() -> None:
    async def work() -> None:
        client = Client()
        async with Connected(client.receive):
            await asyncio.sleep(0)
        client.leave()
        await asyncio.sleep(0.01)

    run(work())


def test_work_that_does_not_mind_ends_as_usual_and_so_does_what_comes_next() -> None:
    async def work() -> None:
        client = Client()
        async with Connected(client.receive):
            client.leave()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        await asyncio.sleep(0)

    run(work())


def test_errors_pass_and_so_does_a_cancellation_from_elsewhere() -> None:
    async def work() -> None:
        client = Client()
        with pytest.raises(KeyError):
            async with Connected(client.receive):
                raise KeyError("mine")

        async def outer() -> None:
            async with Connected(client.receive):
                await asyncio.sleep(3600)

        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        client.leave()
        with pytest.raises((asyncio.CancelledError, ClientGone)):
            await task

    run(work())


def test_a_time_limit_around_it_is_told_from_the_client() -> None:
    async def work() -> None:
        client = Client()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), Connected(client.receive):
                await asyncio.sleep(3600)

    run(work())
