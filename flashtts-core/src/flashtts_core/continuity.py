"""What the lines of one request with one voice hand on: the first to ask decides, the others follow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Continuity:
    """Holds one value of the engine's choosing for the lines of a request that share a voice.

    Lines are made at the same time; who asks while another line still decides, waits for it.
    """

    def __init__(self) -> None:
        self._deciding = asyncio.Lock()
        self._decided: list[object] = []

    async def settle(self, decide: Callable[[], Awaitable[object]]) -> object:
        """Return what was decided, deciding now if nobody has; a decision that fails or is cancelled is no decision."""
        async with self._deciding:
            if not self._decided:
                self._decided.append(await decide())
            return self._decided[0]
