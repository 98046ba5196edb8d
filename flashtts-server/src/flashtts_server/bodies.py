"""Reads the body of a request into its struct, whether it comes as JSON, as multipart form or urlencoded.

JSON is taken strictly, but null counts as left out; ``lenient`` says what else is forgiven. Forms know only text,
so their numbers and switches are converted, and a field left empty counts as left out. What does not fit is refused in
a sentence that names the field and what it may be.
"""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
from litestar.exceptions import InternalServerException
from msgspec import inspect as mi

from flashtts_core.errors import RequestError
from flashtts_core.kinds import expected
from flashtts_server.deadlines import deadline_in, until
from flashtts_server.errors import ClientGone
from flashtts_server.forms import Field, read_multipart, read_urlencoded
from flashtts_server.lenient import fields_of, read_json
from flashtts_server.scope import AnyRequest, remember_renamed
from flashtts_server.service import SharedService
from flashtts_server.wire import MULTIPART, URLENCODED, Body

LARGE = 256 * 1024
"""Bodies of more bytes are decoded on a thread, so that the event loop stays free."""

B = TypeVar("B", bound=Body)


def body_of(kind: type[B]) -> Callable[[AnyRequest, SharedService], Awaitable[B]]:
    """Return the provider of a body that is JSON, or a form if it says so."""

    # It takes the service, so that Litestar resolves one after the other and not both in tasks of their own.
    async def provide(request: AnyRequest, service: SharedService) -> B:
        seconds = service.settings.read_timeout
        async with until(deadline_in(seconds), f"The body did not arrive within {seconds:g} s; send it faster."):
            body = await read_body(request, kind)
        remember_renamed(request.scope, kind.renamed)  # from here on it is the core that names fields
        return body

    return provide


async def read_body(request: AnyRequest, kind: type[B]) -> B:
    """Return the body as ``kind``; raises ``RequestError`` that says what does not fit."""
    media_type, _ = request.content_type
    if (coding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        raise RequestError(f"The body is compressed ({coding}), which is not read here. Send it as it is.")
    try:
        if media_type == MULTIPART:
            return _from_form(await read_multipart(request), kind)
        body = await request.body()
    except InternalServerException:  # Litestar's word for a client that left while it sent
        raise ClientGone from None
    written = body.removeprefix(BOM_UTF8).lstrip()
    is_json = media_type != URLENCODED or written.startswith(b"{")  # curl -d says urlencoded of JSON, too
    decode = _from_json if is_json else _from_urlencoded
    return await asyncio.to_thread(decode, body, kind) if len(body) > LARGE else decode(body, kind)


def _from_urlencoded(body: bytes, kind: type[B]) -> B:
    return _from_form(read_urlencoded(body), kind)


def _from_form(values: Mapping[str, Field], kind: type[B]) -> B:
    required = {field.name for field in _fields(kind) if field.required}
    given = {name: value for name, value in values.items() if value != "" or name in required}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise refusal(error, kind) from error


def _from_json(body: bytes, kind: type[B]) -> B:
    try:
        values = read_json(body)
        return msgspec.convert(fields_of(values) if isinstance(values, dict) else values, kind)
    except msgspec.ValidationError as error:
        raise refusal(error, kind) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RequestError(f"The body is not valid JSON: {reason}. Send a JSON object in UTF-8.") from error


def _fields(kind: type[Body]) -> tuple[mi.Field, ...]:
    info = mi.type_info(kind)
    assert isinstance(info, mi.StructType)
    return info.fields


def refusal(error: msgspec.ValidationError, kind: type[Body]) -> RequestError:
    """Say what does not fit, in words of the API."""
    reason, _, path = str(error).partition(" - at `$")
    fields = {field.name: field for field in _fields(kind)}
    name = path.removesuffix("`").strip(".").split(".")[0].split("[")[0]
    if name in fields:
        return RequestError(f"The field {name} must be {_expected(fields[name])}. {reason}.", param=name)
    field = reason.split("`")[1] if "`" in reason else None
    if "missing" in reason:
        return RequestError(f"The field {field} is missing; it must be {_expected(fields[str(field)])}.", param=field)
    if "unknown" in reason:
        known = f"the fields are: {', '.join(fields)}" if fields else "it takes none"
        return RequestError(f"There is no field {field} here; {known}.", param=field)
    return RequestError(f"The body does not fit: {reason}. Send the fields: {', '.join(fields)}.")


def _expected(field: mi.Field) -> str:
    return expected(field.type).removesuffix(".")  # an example may be a sentence
