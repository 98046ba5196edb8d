"""Closes what belongs together, all of it: a thread that nobody ends keeps the whole process from ending."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Protocol


class Closable(Protocol):
    """What has an end of its own, such as a backend or a ``Batcher``."""

    async def aclose(self) -> None:
        """End it; closing twice is harmless."""
        ...


async def close_all(*parts: Closable) -> None:
    """Close parts in this order, the rest of them too where one fails or this is cancelled; then raises that."""
    async with AsyncExitStack() as stack:
        for part in reversed(parts):
            stack.push_async_callback(part.aclose)
