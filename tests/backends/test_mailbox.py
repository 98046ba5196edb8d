"""The mailbox between a model's thread and a request: what piled up, the end, errors, and a reader who is gone."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flashtts_core.backends.mailbox import Mailbox
from flashtts_core.errors import EngineError


def test_what_piled_up_is_taken_at_once_and_then_comes_the_end() -> None:
    async def check() -> None:
        mailbox = Mailbox()
        for ids in ([1], [2, 3], [4]):
            mailbox.put(ids)
        mailbox.end()
        await asyncio.sleep(0)
        assert await mailbox.take() == [1, 2, 3, 4]
        assert await mailbox.take() == []

    asyncio.run(check())


def test_an_error_comes_after_the_ids_before_it() -> None:
    async def check() -> None:
        mailbox = Mailbox()

        def produce() -> None:
            mailbox.put([1])
            mailbox.end(EngineError("The model broke."))

        thread = threading.Thread(target=produce, name="producer")
        thread.start()
        await asyncio.to_thread(thread.join)
        assert await mailbox.take() == [1]
        with pytest.raises(EngineError, match="broke"):
            await mailbox.take()

    asyncio.run(check())


def test_a_reader_whose_event_loop_is_closed_does_not_trouble_the_producer() -> None:
    async def make() -> Mailbox:
        return Mailbox()

    mailbox = asyncio.run(make())
    mailbox.put([1])
    mailbox.end()
