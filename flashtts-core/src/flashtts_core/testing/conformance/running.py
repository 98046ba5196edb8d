"""How the contracts run their checks: one event loop a check, bounded, iterators cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, with a bound so that a plugin that hangs fails."""
    return asyncio.run(asyncio.wait_for(work, timeout=120))


async def first(items: AsyncIterator[T], count: int) -> AsyncIterator[T]:
    """Yield the first ``count`` items and leave the iterator open."""
    for _ in range(count):
        try:
            yield await anext(items)
        except StopAsyncIteration:
            return
