"""Lets in who has the API key. Routes that say ``public`` are open to all: health, readiness and the pages."""

from __future__ import annotations

import secrets
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from flashtts_core.errors import Unauthorized

PUBLIC = {"public": True}
"""The ``opt`` of a route that needs no key."""


class ApiKeyGuard:
    """Raises ``Unauthorized`` for a request that does not bring the key; without a key everyone is let in."""

    def __init__(self, key: str | None) -> None:
        self._expected = None if key is None else key.encode()

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Check one request."""
        # A browser asks with OPTIONS what it may do before it sends a key.
        if self._expected is None or handler.opt.get("public") or connection.scope.get("method") == "OPTIONS":
            return
        header = next((value for name, value in connection.scope["headers"] if name == b"authorization"), b"")
        scheme, _, given = header.partition(b" ")
        if scheme.lower() != b"bearer" or not secrets.compare_digest(given.strip(), self._expected):
            raise Unauthorized("The API key is missing or wrong. Send the header 'Authorization: Bearer <KEY>'.")
