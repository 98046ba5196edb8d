"""Lets in who has the API key, and keeps out what pages of other sites make a browser send.

Routes that say ``public`` need no key: health, readiness and the pages. Guards are coroutines, though they wait for
nothing: Litestar runs plain functions in threads, which costs a request more than all that it has to be checked for.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler

from flashtts_core.errors import Forbidden, Unauthorized

PUBLIC = {"public": True}
"""The ``opt`` of a route that needs no key."""

KEY_SUBPROTOCOL = "flashtts-key."
"""What the key stands behind, in base64url, among the subprotocols that a WebSocket offers."""

Connection: TypeAlias = ASGIConnection[Any, Any, Any, Any]


async def refuse_early(connection: Connection, handler: BaseRouteHandler) -> None:
    """Raise ``Refused`` for speech that can have no place, ``NotReady`` or ``BackendDied``, before the body is read."""
    if handler.opt.get("audio"):
        connection.app.state.service.check_room()


class ApiKeyGuard:
    """Raises ``Unauthorized`` for a request that does not bring the key."""

    def __init__(self, key: str) -> None:
        self._expected = key.encode()

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Check one request; a WebSocket is checked by its handler, which can say what is wrong."""
        # A browser asks with OPTIONS what it may do before it sends a key.
        asks = connection.scope.get("method") == "OPTIONS"
        if not (asks or handler.opt.get("public") or connection.scope["type"] == ScopeType.WEBSOCKET):
            self.check(connection)

    def check(self, connection: Connection) -> None:
        """Raise ``Unauthorized`` unless the key is there."""
        header = next((value for name, value in connection.scope["headers"] if name == b"authorization"), None)
        given = _key_of_protocols(connection) if header is None else _key_of_header(header)
        if given is None or not secrets.compare_digest(given, self._expected):
            raise Unauthorized("The API key is missing or wrong. Send the header 'Authorization: Bearer <KEY>'.")


def _key_of_header(header: bytes) -> bytes | None:
    scheme, _, given = header.partition(b" ")
    return given.strip() if scheme.lower() == b"bearer" else None


def _key_of_protocols(connection: Connection) -> bytes | None:
    """Return the key of a WebSocket that a page opened: of its headers, a page can set the subprotocols alone."""
    for offered in cast("Sequence[str]", connection.scope.get("subprotocols", ())):
        if offered.startswith(KEY_SUBPROTOCOL):
            given = offered.removeprefix(KEY_SUBPROTOCOL)
            with contextlib.suppress(ValueError):
                return base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
    return None


class OriginGuard:
    """Raises ``Forbidden`` for a request that changes or costs something and comes from a page of another site.

    A browser sends forms anywhere, without asking; only a key, which no form can carry, or this guard keeps a foreign
    page from adding and deleting roles. ``origins`` are the sites that may (``*``: any). Programs send no ``Origin``.
    """

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = origins

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Check one request; a WebSocket is checked by its handler, which can say what is wrong."""
        if connection.scope["type"] != ScopeType.WEBSOCKET and connection.scope.get("method") not in _HARMLESS:
            self.check(connection)

    def check(self, connection: Connection) -> None:
        """Raise ``Forbidden`` if it comes from a page that may not; of WebSockets no browser asks before."""
        origin = connection.headers.get("origin")
        if origin is None or {"*", origin} & set(self._origins):
            return
        # Browsers say it themselves to https and localhost; elsewhere the addresses are compared.
        said = connection.headers.get("sec-fetch-site")
        foreign = said == "cross-site" if said else urlsplit(origin).netloc != connection.headers.get("host")
        if foreign:
            raise Forbidden(
                f"Pages of {origin} may not use this server. Start it with --cors_origins {origin}, or with an API key."
            )


_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
