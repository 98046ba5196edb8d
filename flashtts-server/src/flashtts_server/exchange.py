"""One request and its answer as they pass through the application: named, counted and logged."""

from __future__ import annotations

from typing import TypeAlias, cast

from litestar.enums import ScopeType
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, Message, Receive, ReceiveMessage, Scope, Send

from flashtts_server.errors import CLIENT_GONE, refused_handshake
from flashtts_server.handshakes import refusal
from flashtts_server.metrics import Metrics
from flashtts_server.records import begin_record
from flashtts_server.scope import request_id

SMALL_BODY = 65_536
"""Bytes; more is not read for a request that is refused."""

PIECE = 65_536
"""Bytes of a body that are handed on at once; the next when those are on their way."""

Channel: TypeAlias = tuple[Scope, Receive, Send]


class Exchange:
    """Stands between the ASGI server and the application."""

    def __init__(self, channel: Channel, metrics: Metrics) -> None:
        scope, self._receive, self._send = channel
        self.scope = _as_get(scope)
        """What the application sees of the request."""
        self._method = str(scope.get("method", "WEBSOCKET"))
        self._metrics = metrics
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
        if message["type"] == "websocket.close" and self._status is None:  # the framework's way to refuse
            for each in refusal(*refused_handshake(self.scope), {}):
                await self.send(each)
            return
        if (status := _status_in(message)) is not None:
            self._begin(status)
            extra = [
                (b"x-request-id", request_id(self.scope).encode("ascii")),
                (b"x-content-type-options", b"nosniff"),
            ]
            if self._body_left:  # refused without it; the server would else wait for its end, for the next request
                extra.append((b"connection", b"close"))
            headers = cast("HTTPResponseStartEvent", message)  # all three kinds of message have them
            headers["headers"] = [*headers.get("headers", ()), *extra]
        if message["type"] == "http.response.body" and len(message.get("body", b"")) > PIECE:
            await self._send_in_pieces(message)
        else:
            await self._send(message)

    def end(self) -> None:
        """Take note that the exchange is over; a client that has no answer left before it."""
        if self._status is None:
            self._begin(CLIENT_GONE)
        self._record.write(method=self._method, route=self._route, status=self._status or CLIENT_GONE)

    async def _send_in_pieces(self, message: HTTPResponseBodyEvent) -> None:
        """Send a long body so that the request lasts until its client has nearly all of it.

        Handed over as one, it would lie where nobody sees whether the client takes of it, and over TLS the end of a
        connection, which has a limit of half a minute, would cut off those who need longer.
        """
        body = message["body"]
        for start in range(0, len(body), PIECE):
            piece: HTTPResponseBodyEvent = {**message, "body": body[start : start + PIECE], "more_body": True}
            await self._send(piece)
        await self._send({**message, "body": b""})

    @property
    def _route(self) -> str:
        return str(self.scope.get("path_template") or "(none)")

    def _begin(self, status: int) -> None:
        self._status = status
        self._metrics.requests.labels(self._route, self._method, status).inc()


def _as_get(scope: Scope) -> Scope:
    """Return the scope to handle a request in: HEAD is GET, and it is the ASGI server that leaves the body out."""
    return cast("Scope", {**scope, "method": "GET"}) if scope.get("method") == "HEAD" else scope


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
