"""How long a request may take."""

from __future__ import annotations

import asyncio
from types import TracebackType

from flashtts_core.errors import RequestTimeout


def deadline_in(seconds: float) -> float:
    """Return the time on the loop's clock that many seconds from now."""
    return asyncio.get_running_loop().time() + seconds


TOO_LONG = "The request took longer than this server allows. Send less text, or raise --request_timeout."


class until:  # noqa: N801  # read as "async with until(deadline)"
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


class Deadline:
    """``until`` for block after block, as in ``with deadline:``; to be closed after the last.

    One timer does for all of them. A stream waits for each of its pieces, and a timer for every wait, which almost
    never rings, would be a tenth of what the server does for a piece.
    """

    __slots__ = ("_before", "_cut", "_loop", "_passed", "_ring", "_task")

    def __init__(self, at: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._ring: asyncio.Handle | None = self._loop.call_at(at, self._pass)
        self._passed = False
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        self._cut = False

    def __enter__(self) -> None:
        """Begin a block; no other may be open. What needs not wait is still had after the deadline."""
        self._task = asyncio.current_task(self._loop)  # the loop is passed on as finding it is a system call
        assert self._task is not None
        self._before = self._task.cancelling()
        if self._passed:
            self._ring = self._loop.call_soon(self._pass)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._passed:
            self.close()
        if self._cut:
            self._cut = False
            assert task is not None
            if task.uncancel() <= self._before and kind is asyncio.CancelledError:  # else others cancelled it, too
                raise RequestTimeout(TOO_LONG) from None

    def close(self) -> None:
        """Ring no more; doing so again is harmless."""
        if self._ring is not None:
            self._ring.cancel()
            self._ring = None

    def _pass(self) -> None:
        self._passed = True
        self._ring = None
        if self._task is not None:
            self._cut = True
            self._task.cancel()
