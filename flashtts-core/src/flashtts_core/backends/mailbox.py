"""A mailbox between a model's thread and one consumer on the event loop: deltas merge while nobody reads.

The producer is never held back, and the reader takes everything that piled up at once. If the loop was closed, nobody
reads any more, and what comes is dropped: the model's thread has other requests to serve.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Mailbox:
    """Carries token ids of one request from any thread to the loop it was made on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._ids: list[int] = []
        self._error: BaseException | None = None
        self._ended = False

    def put(self, ids: list[int]) -> None:
        """Add ids; callable from any thread."""
        self._hand_over(ids, False, None)

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing more comes, or why; callable from any thread."""
        self._hand_over([], True, error)

    async def take(self) -> list[int]:
        """Return all ids that arrived since the last call; an empty list is the end. Raises the producer's error."""
        while not self._ids and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        if self._ids:
            ids, self._ids = self._ids, []
            return ids
        if self._error is not None:
            raise self._error
        return []

    def _hand_over(self, ids: list[int], ended: bool, error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._deliver, ids, ended, error)

    def _deliver(self, ids: list[int], ended: bool, error: BaseException | None) -> None:
        self._ids += ids
        self._ended = self._ended or ended
        self._error = self._error or error
        self._arrived.set()
