"""One deadline for many blocks: what waits when it passes is cut off, and nothing else."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from flashtts_core.errors import RequestTimeout
from flashtts_server.deadlines import Deadline, deadline_in


def run_now(work: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make a test of a coroutine function."""

    @functools.wraps(work)
    def test() -> None:
        asyncio.run(asyncio.wait_for(work(), 20))

    return test


async def _waited(deadline: Deadline, what: Awaitable[object]) -> None:
    with deadline:
        await what


async def _forever() -> None:
    await asyncio.Event().wait()


@run_now
async def test_blocks_that_end_in_time_are_left_alone() -> None:
    deadline = Deadline(deadline_in(0.2))
    for _ in range(3):
        await _waited(deadline, asyncio.sleep(0.01))
    deadline.close()
    deadline.close()
    await asyncio.sleep(0.25)  # it would ring now


@run_now
async def test_what_waits_when_it_passes_is_cut_off() -> None:
    deadline = Deadline(deadline_in(0.1))
    await _waited(deadline, asyncio.sleep(0))
    began = time.monotonic()
    with pytest.raises(RequestTimeout, match="--request_timeout"):
        await _waited(deadline, _forever())
    assert 0.05 < time.monotonic() - began < 1
    await asyncio.sleep(0.05)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


@run_now
async def test_between_blocks_it_cuts_nothing_off_and_later_only_what_waits() -> None:
    deadline = Deadline(deadline_in(0.01))
    await asyncio.sleep(0.05)
    for _ in range(2):
        with deadline:
            pass  # what is there already
        await asyncio.sleep(0.02)
        with pytest.raises(RequestTimeout):
            await _waited(deadline, _forever())


@run_now
async def test_one_that_had_passed_from_the_start_cuts_off_what_waits() -> None:
    with pytest.raises(RequestTimeout):
        await _waited(Deadline(deadline_in(-1)), _forever())


@run_now
async def test_an_error_of_the_block_stays_what_it_is() -> None:
    deadline = Deadline(deadline_in(10))
    with pytest.raises(ValueError, match="mine"), deadline:
        raise ValueError("mine")
    deadline.close()


@run_now
async def test_a_task_that_others_cancel_at_the_same_time_stays_cancelled() -> None:
    deadline = Deadline(deadline_in(0.05))
    task = asyncio.create_task(_waited(deadline, _forever()))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(deadline_in(0.05), task.cancel)
    time.sleep(0.1)  # noqa: ASYNC251  # both are due when the loop runs again
    await asyncio.wait([task])
    assert task.cancelled()


@run_now
async def test_a_task_that_others_cancelled_before_is_cancelled_and_not_timed_out() -> None:
    deadline = Deadline(deadline_in(10))
    task = asyncio.create_task(_waited(deadline, _forever()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    deadline.close()
