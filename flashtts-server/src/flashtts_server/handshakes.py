"""How a WebSocket handshake is refused: in HTTP, with the status and the body that a request would get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
from litestar.types import Message

from flashtts_server.replies import ErrorDetail, ErrorReply


def refusal(status: int, detail: ErrorDetail, headers: Mapping[str, str]) -> tuple[Message, Message]:
    """Return the messages of an ASGI extension that Litestar's types do not know, to be sent in place of any other."""
    body = msgspec.json.encode(ErrorReply(detail))
    named = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    start = {
        "type": "websocket.http.response.start",
        "status": status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
    }
    return cast("Message", start), cast("Message", {"type": "websocket.http.response.body", "body": body})
