"""How long a request may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flashtts_core.errors import RequestTimeout


def deadline_in(seconds: float) -> float:
    """Return the time on the loop's clock that many seconds from now."""
    return asyncio.get_running_loop().time() + seconds


TOO_LONG = "The request took longer than this server allows. Send less text, or raise --request_timeout."


@asynccontextmanager
async def until(deadline: float, message: str = TOO_LONG) -> AsyncIterator[None]:
    """Raise ``RequestTimeout`` with ``message`` in the block when the loop's clock passes ``deadline``."""
    timer = asyncio.timeout_at(deadline)
    try:
        async with timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        raise RequestTimeout(message) from None
