"""Speech over a WebSocket: text in as it is written, audio out as it is made."""

from __future__ import annotations

from litestar import Controller, Response, get, websocket

from flashtts_server.errors import UpgradeRequired
from flashtts_server.openapi import session_route
from flashtts_server.scope import AnySocket
from flashtts_server.service import SharedService
from flashtts_server.sessions import serve_session


class SessionsController(Controller):
    """The WebSocket, and what it says to those who come without one."""

    path = "/v1/audio/speech/stream"
    tags = ("Speech",)

    @websocket()
    async def session(self, socket: AnySocket, service: SharedService) -> None:
        """Serve a session; its messages are in `docs/reference/websocket.md`."""
        await serve_session(service, socket)

    @get(summary="Speak a text while it is written (WebSocket)", opt=session_route(), sync_to_thread=False)
    def upgrade(self) -> Response[None]:
        """Open it as a WebSocket. Send `input.text` messages and, at the end of an utterance, `input.done`; events and
        binary frames with audio come back. A plain request is answered 426."""
        raise UpgradeRequired("This address speaks WebSocket: connect with ws:// or wss:// instead.")
