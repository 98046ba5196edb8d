"""Closes connections whose clients do not send the head of a request or take nothing of an answer.

Each would hold a file, and what was to be sent, for ever. Both limits belong to the connection and not to a request: a
head that is never complete begins none, and the end of an answer waits to be sent when its request is long over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import Any, ClassVar

if sys.platform != "win32":
    import fcntl
    import termios

logger = logging.getLogger(__name__)


def impatient(protocol: type[Any], seconds: float) -> type[Any]:
    """Return uvicorn's HTTP ``protocol`` with a limit on the time that the head of a request may take."""

    class Impatient(protocol):  # type: ignore[misc]  # which of uvicorn's protocols it is, is known when it runs
        """Closes what nothing comes of; a connection that is idle between requests is closed by uvicorn."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            """Take a connection, on which a request has to begin."""
            super().connection_made(transport)
            self._beginning: asyncio.TimerHandle | None = self.loop.call_later(seconds, self._give_up)

        def data_received(self, data: bytes) -> None:
            """Take bytes; those that begin no request are the first of its head, which has to come to an end."""
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                if self._beginning is None:
                    self._beginning = self.loop.call_later(seconds, self._give_up)
            elif self._beginning is not None:
                self._beginning.cancel()
                self._beginning = None

        def connection_lost(self, exc: Exception | None) -> None:
            """Look no more."""
            if self._beginning is not None:
                self._beginning.cancel()
            super().connection_lost(exc)

        def _give_up(self) -> None:
            if self.transport.get_protocol() is self:  # a WebSocket has another
                self.transport.abort()

    return Impatient


def watchful(protocol: type[Any], seconds: float) -> type[Any]:
    """Return one of uvicorn's protocols that lets a client go which takes nothing of what is sent for so long."""
    return type("Watchful", (Watch, protocol), {"patience": seconds})


class Watch(asyncio.Protocol):
    """Part of a protocol that asks to be told whenever something is left to be sent.

    Until that is gone nothing is added to it, so it and what the kernel holds before it can only shrink, and do if the
    client takes of it. There is a timer for slow clients only.
    """

    patience: ClassVar[float]
    transport: asyncio.Transport
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or take it over from another protocol."""
        super().connection_made(transport)
        # TLS takes a limit as reached, where it is to be exceeded elsewhere.
        high = 0 if transport.get_extra_info("sslcontext") is None else 1
        self.transport.set_write_buffer_limits(high=high, low=0)
        if self.transport.get_write_buffer_size():
            self._look_later()

    def pause_writing(self) -> None:
        """Look whether the client takes what is left."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """Look no more: it has taken all."""
        self._look_no_more()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._look_no_more()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._look_no_more()
        left = _untaken(self.transport)
        self._look = asyncio.get_running_loop().call_later(self.patience, self._let_go_unless_below, left)

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _let_go_unless_below(self, left: int) -> None:
        mine = self.transport.get_protocol() is self  # a WebSocket has another
        size = self.transport.get_write_buffer_size() if mine else 0
        if size and _untaken(self.transport) < left:
            self._look_later()
        elif size:
            logger.warning("The client took nothing of its answer for %g s and was let go.", self.patience)
            self.transport.abort()


def _untaken(transport: asyncio.Transport) -> int:
    """Return how many bytes the client's machine has not acknowledged, where the kernel tells; else those left here.

    The kernel holds up to 4 MB of a connection, and takes more only when a third of that is gone. A client that plays
    as it reads would need more than a minute for it.
    """
    size = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    if sys.platform != "win32" and connection is not None:
        with contextlib.suppress(OSError):  # closed by now, or a kernel that does not tell
            held = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
            size += int.from_bytes(held, sys.byteorder)
    return size
