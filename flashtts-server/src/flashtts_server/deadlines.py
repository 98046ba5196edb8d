"""How long a request may take."""

from __future__ import annotations

import asyncio
from types import TracebackType

from flashtts_core.errors import RequestTimeout


def deadline_in(seconds: float) -> float:
    """Return the time on the loop's clock that many seconds from now."""
    return asyncio.get_running_loop().time() + seconds


TOO_LONG = "The request took longer than this server allows. Send less text, or raise --request_timeout."


class until:  # noqa: N801  # read as "async with until(deadline)"; a class, as a generator costs every piece of audio
    """Raise ``RequestTimeout`` with ``message`` in the block when the loop's clock passes ``deadline``."""

    __slots__ = ("_message", "_timer")

    def __init__(self, deadline: float, message: str = TOO_LONG) -> None:
        self._timer = asyncio.timeout_at(deadline)
        self._message = message

    async def __aenter__(self) -> None:
        await self._timer.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._timer.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise RequestTimeout(self._message) from None
