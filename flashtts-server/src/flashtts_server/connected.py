"""Ends work for a client that has left.

Litestar looks for that only while it streams, and with a task for the body and one to look. Here the work stays in the
request's own task, which is cancelled, so a request costs one small task more and not three.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from litestar.types import Receive

from flashtts_server.errors import ClientGone


class Connected:
    """Cancels the block when the client leaves, and raises ``ClientGone`` in its place.

    A block that ends all the same, ends as usual: what it returns may have to be closed. The body of the request has to
    be read before. Use it as ``async with Connected(request.receive):``.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._watch = asyncio.create_task(self._look(), name="flashtts-connected")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watch.cancel()
        if not self._gone:
            return
        if kind is not asyncio.CancelledError:  # one that is still on its way would hit what comes next
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise ClientGone from None

    async def _look(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
