"""One request and its answer as they pass through the application: named, counted, logged, and not held up for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias, cast

from litestar.enums import ScopeType
from litestar.types import HTTPResponseStartEvent, Message, Receive, ReceiveMessage, Scope, Send

from flashtts_server.errors import CLIENT_GONE
from flashtts_server.metrics import Metrics
from flashtts_server.records import begin_record
from flashtts_server.scope import request_id

logger = logging.getLogger(__name__)

SMALL_BODY = 65_536
"""Bytes; more is not read for a request that is refused."""


Channel: TypeAlias = tuple[Scope, Receive, Send]


class Exchange:
    """Stands between the ASGI server and the application.

    ``patience`` bounds, in seconds, how long a send may take; ``let_go`` closes the connection of a client over it.
    """

    def __init__(self, channel: Channel, metrics: Metrics, *, patience: float, let_go: Callable[[], None]) -> None:
        scope, self._receive, self._send = channel
        self._scope = scope
        self._metrics = metrics
        self._patience = patience
        self._let_go = let_go
        self._watch: asyncio.TimerHandle | None = None
        self._sending_since: float | None = None
        self._record = begin_record(request_id(scope))
        self._status: int | None = None
        self._body_left = _has_large_body(scope)  # a small one is there with the head, or is about to be
        self._body_complete = scope["type"] != ScopeType.HTTP

    async def receive(self) -> ReceiveMessage:
        """Pass a message on to the application."""
        self._body_left = not self._body_complete
        message = await self._receive()
        if message["type"] == "http.request":
            self._body_complete = not message["more_body"]
            self._body_left = message["more_body"]
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on to the client."""
        if (status := _status_in(message)) is not None:
            self._begin(status)
            extra = [
                (b"x-request-id", request_id(self._scope).encode("ascii")),
                (b"x-content-type-options", b"nosniff"),
            ]
            if self._body_left:  # refused without it; the server would else wait for its end, for the next request
                extra.append((b"connection", b"close"))
            headers = cast("HTTPResponseStartEvent", message)  # all three kinds of message have them
            headers["headers"] = [*headers.get("headers", ()), *extra]
        loop = asyncio.get_running_loop()
        if self._watch is None:
            self._watch = loop.call_later(self._patience, self._look)
        self._sending_since = loop.time()
        try:
            await self._send(message)
        finally:
            self._sending_since = None

    def end(self) -> None:
        """Take note that the exchange is over; a client that has no answer left before it."""
        if self._watch is not None:
            self._watch.cancel()
        if self._status is None:
            self._begin(CLIENT_GONE)
        self._record.write(method=self._method, route=self._route, status=self._status or CLIENT_GONE)

    def _look(self) -> None:
        """Let the client go if it has taken nothing for too long; one timer for all sends, as there are many."""
        loop = asyncio.get_running_loop()
        due = (self._sending_since or loop.time()) + self._patience
        if self._sending_since is not None and loop.time() >= due:
            logger.warning("The client took nothing of its answer for %g s and was let go.", self._patience)
            self._let_go()
        else:
            self._watch = loop.call_at(due, self._look)

    @property
    def _route(self) -> str:
        return str(self._scope.get("path_template") or "(none)")

    @property
    def _method(self) -> str:
        return str(self._scope.get("method", "WEBSOCKET"))

    def _begin(self, status: int) -> None:
        self._status = status
        self._metrics.requests.labels(self._route, self._method, status).inc()


def _has_large_body(scope: Scope) -> bool:
    """Whether the request brings a body that does not come along with its head."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" in headers or not length.isdigit() or int(length) > SMALL_BODY


def _status_in(message: Message) -> int | None:
    """Return the HTTP status that a message begins an answer with, if it does."""
    if message["type"] in {"http.response.start", "websocket.http.response.start"}:
        return int(cast("HTTPResponseStartEvent", message)["status"])
    return 101 if message["type"] == "websocket.accept" else None
