"""Closes connections that open and then do not send the whole head of a request: they would hold a file for ever."""

from __future__ import annotations

import asyncio
from typing import Any


def impatient(protocol: type[Any], seconds: float) -> type[Any]:
    """Return uvicorn's HTTP ``protocol`` with a limit on the time until its first request has begun."""

    class Impatient(protocol):  # type: ignore[misc]  # which of uvicorn's protocols it is, is known when it runs
        """Closes what nothing came of."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            """Take a connection, and look after it once."""
            super().connection_made(transport)
            self._first_look = self.loop.call_later(seconds, self._close_if_idle)

        def connection_lost(self, exc: Exception | None) -> None:
            """Look no more."""
            self._first_look.cancel()
            super().connection_lost(exc)

        def _close_if_idle(self) -> None:
            # A WebSocket has another protocol by now; an HTTP request has a cycle.
            if self.cycle is None and self.transport.get_protocol() is self:
                self.transport.abort()

    return Impatient
