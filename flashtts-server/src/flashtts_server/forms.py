"""Reads forms, multipart and urlencoded: text fields, and uploads, which stay in memory, as a body has its limit.

Litestar's own readers are passed by where they hold on to things: the urlencoded one keeps the last 1024 bodies, the
multipart one leaves the temporary files of a form that is refused on the way to the garbage collector.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from flashtts_core.errors import RequestError
from flashtts_server.scope import AnyRequest

MAX_FIELDS = 64
"""Fields of a form, of either kind; more are an attempt to keep the server busy."""


class Upload:
    """A file in a form."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content


Field: TypeAlias = str | Upload


async def read_multipart(request: AnyRequest) -> dict[str, Field]:
    """Return the fields of a form; raises ``RequestError`` for one that is none, or names a field twice."""
    _, options = request.content_type
    fields: dict[str, Field] = {}
    try:
        async with aclosing(_parts(request, options.get("boundary", ""))) as parts:
            async for part, content in parts:
                if part.name in fields:
                    raise RequestError(
                        f"The field {part.name} stands in the form more than once; send it once.", param=part.name
                    )
                fields[part.name] = Upload(content) if part.filename else _text(part, content)
    except ParserLimitReached as error:
        raise RequestError(f"The form is too large: {error}. Send at most {MAX_FIELDS} fields.") from error
    except MultipartError as error:
        raise RequestError(f"The body is not a complete form: {error}. Send multipart/form-data.") from error
    return fields


def read_urlencoded(body: bytes) -> dict[str, Field]:
    """Return the fields of a form, the last of several with one name; raises ``RequestError``."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError as error:  # also UnicodeDecodeError
        raise RequestError(f"The body is not a form: {error}. Send UTF-8 and at most {MAX_FIELDS} fields.") from error


async def _parts(request: AnyRequest, boundary: str) -> AsyncGenerator[tuple[MultipartSegment, bytes], None]:
    """Yield each part with its content."""
    if not boundary:
        raise RequestError("The header Content-Type of the form names no boundary. Send multipart/form-data.")
    part: MultipartSegment | None = None
    content = bytearray()
    with PushMultipartParser(boundary, max_segment_count=MAX_FIELDS) as parser:
        async for chunk in request.stream():
            for event in parser.parse(chunk) if chunk and not parser.closed else ():
                if isinstance(event, MultipartSegment):
                    part, content = event, bytearray()
                elif event is not None:
                    content += event
                elif part is not None:
                    yield part, bytes(content)


def _text(part: MultipartSegment, content: bytes) -> str:
    try:
        return content.decode(part.charset or "utf-8")
    except (LookupError, ValueError) as error:  # also UnicodeDecodeError, and a NUL in the name of the charset
        raise RequestError(
            f"The field {part.name} of the form is not text in the charset it names: {error}. Send UTF-8; a file needs "
            f"a filename to be one.",
            param=part.name,
        ) from error
