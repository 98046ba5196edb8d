"""Ends answers of unknown length to HTTP/1.0 with the connection: chunks came with HTTP/1.1.

uvicorn's fast protocol sends chunks to everybody. Most clients take them all the same, but not those that speak
HTTP/1.0 to get none, as programs on microcontrollers do: there the lengths of the chunks would be played as sound.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Message, Receive, Scope, Send


class Unchunked:
    """An application around ``app``, for uvicorn."""

    def __init__(self, app: Litestar) -> None:
        self._app = app

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """Handle what the application handles."""
        cycle: Any = getattr(send, "__self__", None)
        if scope.get("http_version") == "1.0" and hasattr(cycle, "chunked_encoding"):
            send = _Answer(cycle).send
        await self._app(scope, receive, send)


class _Answer:
    """An answer on its way through one of uvicorn's cycles of request and response."""

    def __init__(self, cycle: Any) -> None:
        self._cycle = cycle
        self._open_ended = False

    async def send(self, message: Message) -> None:
        """Pass a message on; the cycle takes each piece for all that it expects."""
        if message["type"] == "http.response.start":
            self._open_ended = all(name.lower() != b"content-length" for name, _ in message["headers"])
            if self._open_ended:
                self._cycle.chunked_encoding = False
        elif message["type"] == "http.response.body" and self._open_ended:
            self._cycle.expected_content_length = len(message["body"])
        await self._cycle.send(message)
