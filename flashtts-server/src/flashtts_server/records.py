"""The server's log: one record for each request, with its id, and never a word of what is spoken.

Every record that is logged while a request is handled carries the request's id. ``note`` adds to what the one record at
the end of a request tells.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

from flashtts_server.settings import ServerSettings

logger = logging.getLogger(__name__)

Value = str | int | float | bool


class RequestRecord:
    """What the log will say about one request."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.fields: dict[str, Value] = {}
        self._began = time.monotonic()

    def write(self, *, method: str, route: str, status: int) -> None:
        """Log that the request has ended."""
        milliseconds = round(1000 * (time.monotonic() - self._began), 1)
        logger.log(
            _level_of(route, status),
            "%s %s answered %d after %s ms",
            method,
            route,
            status,
            milliseconds,
            extra={
                "event": "request",
                "fields": {"method": method, "route": route, "status": status, "ms": milliseconds, **self.fields},
                "request_id": self.request_id,
            },
        )


def _level_of(route: str, status: int) -> int:
    """Rank what is asked every few seconds by machines below what people ask."""
    probes = ("/health", "/ready", "/metrics", "/v1/health", "/v1/ready", "/v1/metrics")
    return logging.DEBUG if route in probes and status < 400 else logging.INFO


_current: ContextVar[RequestRecord | None] = ContextVar("flashtts_request", default=None)


def begin_record(request_id: str) -> RequestRecord:
    """Return the record of the request that this task, and those it starts, handle from now on."""
    record = RequestRecord(request_id)
    _current.set(record)
    return record


def note(**fields: Value) -> None:
    """Add to the record of the request that is being handled, if there is one."""
    record = _current.get()
    if record is not None:
        record.fields.update(fields)


def count(**fields: float) -> None:
    """Add to numbers of that record: a WebSocket session speaks more than once."""
    record = _current.get()
    if record is not None:
        for name, number in fields.items():
            before = record.fields.get(name, 0)
            assert isinstance(before, int | float)
            record.fields[name] = round(before + number, 2)


@contextmanager
def logging_to(stream: TextIO, settings: ServerSettings) -> Iterator[None]:
    """Log to ``stream`` in the block, in the format and from the level that the settings name."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_add_request_id)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    root = logging.getLogger()
    replaced = [other for other in root.handlers if type(other) is logging.StreamHandler]
    level = root.level
    for other in replaced:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for other in replaced:
            root.addHandler(other)


def _add_request_id(record: logging.LogRecord) -> bool:
    """Name the request that is being handled; the event loop's tasks know it, the model's own threads do not."""
    if not hasattr(record, "request_id"):
        current = _current.get()
        record.request_id = None if current is None else current.request_id
    return True


class TextLines(logging.Formatter):
    """A line for people: level, logger, message, what else is known, and the request."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name in the base class
        """Return the line without a traceback."""
        known = {"method", "route", "status", "ms"}
        fields = getattr(record, "fields", {})
        told = [f"{name}={value}" for name, value in fields.items() if name not in known]
        request_id = getattr(record, "request_id", None)
        parts = [super().formatMessage(record), *told, *([f"request={request_id}"] if request_id else [])]
        return " ".join(parts)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request_id, and the fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        content: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("request_id", "event"):
            if (value := getattr(record, name, None)) is not None:
                content[name] = value
        content |= getattr(record, "fields", {})
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False, default=str)
