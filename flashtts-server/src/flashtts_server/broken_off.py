"""Shortens the log of answers that were broken off on purpose: an ASGI server reports them as a crash.

The one way to break an answer off is to raise, and uvicorn then logs all of the traceback. For a request that took too
long, or was running when the server stopped, a line is enough; an error of the engine keeps its traceback. What a
client did wrong is no crash either.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from flashtts_server.errors import QUIET


class ShortenBrokenOff(logging.Filter):
    """Replaces the traceback of an answer that was broken off on purpose by one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record, if it is one of those; drop what is said of a second signal and of refusals."""
        if record.exc_info is None and str(record.msg).rstrip().endswith((_CUT_SHORT, _REFUSED)):
            return False
        error = record.exc_info[1] if record.exc_info else None
        reason = None if error is None else next((each for each in behind(error) if _is_meant(each)), None)
        if reason is not None:
            _shorten(record, " ".join([*getattr(reason, "__notes__", ()), str(reason)]))
        elif record.msg == _NO_UTF_8:
            _shorten(record, "A client sent a WebSocket text that is not UTF-8; its session was closed.")
        return True


def _shorten(record: logging.LogRecord, sentences: str) -> None:
    record.msg, record.args, record.exc_info = "%s", (sentences,), None
    record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)


_CUT_SHORT = "asyncio.exceptions.CancelledError"
"""How the message ends that Litestar makes of its own end when a second signal cancels that."""

_REFUSED = "ASGI callable returned without completing handshake."
"""What uvicorn says of every WebSocket handshake that is answered with a status."""

_NO_UTF_8 = "Invalid UTF-8 sequence received from client."
"""What uvicorn says, with a traceback, of a client's WebSocket frame, before it closes the session with code 1007."""

SHORTEN = ShortenBrokenOff()
"""The one filter; adding it to a logger twice is harmless."""


def _is_meant(error: BaseException) -> bool:
    return isinstance(error, (*QUIET, asyncio.CancelledError))


def behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those it was caused by or gathers."""
    yield error
    causes = [error.__cause__] if error.__cause__ is not None else []
    gathered = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for each in (*causes, *gathered):
        yield from behind(each)
