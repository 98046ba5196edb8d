"""The pages of the HTTP API and of errors, from the routes, the wire structs and the table of statuses."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import msgspec
from litestar.routes import BaseRoute, HTTPRoute
from msgspec import inspect as mi

from flashtts_core import errors as error_classes
from flashtts_core.errors import FlashTTSError
from flashtts_core.kinds import expected
from flashtts_core.synthesizer import Synthesizer
from flashtts_server import wire
from flashtts_server.app import create_app
from flashtts_server.errors import status_of
from flashtts_server.settings import ServerSettings

FRAMEWORK = ("/static", "/docs/schema")
"""Paths below which the framework serves files."""


def routes() -> list[BaseRoute]:
    """Return the routes of a server, sorted by path."""

    async def load() -> Synthesizer:
        raise AssertionError("the server is not started")

    app = create_app(ServerSettings(), load)
    return sorted((route for route in app.routes if not route.path.startswith(FRAMEWORK)), key=lambda each: each.path)


def operations() -> Iterator[tuple[str, str, str, bool, type[wire.Body] | None]]:
    """Yield path, method, summary, whether it is open without a key, and body, of each operation over HTTP."""
    for route in routes():
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in sorted(route.route_handler_map.items()):
                if method not in {"HEAD", "OPTIONS"}:
                    said = handler.summary or (inspect.getdoc(handler.fn) or "").partition("\n")[0]
                    body = handler.opt.get("body")
                    yield route.path_format, str(method), said.rstrip("."), bool(handler.opt.get("public")), body


def http() -> str:
    """Return the page of routes and fields."""
    parts = [
        "# HTTP: routes and fields",
        "",
        "How to use them, with examples: [HTTP](../http.md). The same, interactive: `/docs` of your server. Those "
        "marked *open* need no API key. A route under `/v1` that is another one's second name is not repeated.",
        "",
        "| route | what it does | body | |",
        "|---|---|---|---|",
    ]
    known = list(operations())
    paths = {path for path, *_ in known}
    bodies: dict[str, type[wire.Body]] = {}
    for path, method, summary, is_open, body in known:
        if path.startswith("/v1/") and path.removeprefix("/v1") in paths:
            continue
        link = f"[{body.__name__}](#{body.__name__.lower()})" if body else ""
        parts.append(f"| `{method} {path}` | {summary} | {link} | {'open' if is_open else ''} |")
        if body:
            bodies[body.__name__] = body
    parts += [f"| `{route.path}` | WebSocket | | |" for route in routes() if not isinstance(route, HTTPRoute)]
    for name, body in sorted(bodies.items()):
        kinds = ", ".join(body.media_types)
        parts += ["", f"## {name}", "", f"{(body.__doc__ or '').strip()} Sent as {kinds}.", "", *_own_fields(body)]
    shared = "## Shared by all speech requests"
    parts += ["", shared, "", "Where the table of a body names a field as well, that one stands.", ""]
    parts += _fields(wire.SpeechFields)
    return "\n".join(parts)


def errors() -> str:
    """Return the page of errors."""
    parts = [
        "# Errors",
        "",
        'Every error has the body `{"error": {"message", "type", "param", "code"}}`; in Python it is an exception of '
        "`flashtts_core.errors`. Errors of the settings end the command line with exit code 2, any other with 1. "
        "What to do about one: [Troubleshooting](../troubleshooting.md).",
        "",
        "| class | code | status | meaning |",
        "|---|---|---|---|",
    ]
    for kind in classes():
        meaning = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")
        status = status_of(kind("."))
        depth = sum(issubclass(each, FlashTTSError) for each in kind.__mro__) - 1
        indent = "&nbsp;&nbsp;" * depth
        parts.append(f"| {indent}`{kind.__name__}` | `{kind.code}` | {status} | {meaning} |")
    return "\n".join(parts)


def classes() -> list[type[FlashTTSError]]:
    """Return the classes of errors in the order in which they are written."""
    found = vars(error_classes).values()
    return [each for each in found if isinstance(each, type) and issubclass(each, FlashTTSError)]


def _own_fields(body: type[wire.Body]) -> list[str]:
    """Return the rows of a body, without those that it shares with the other speech requests."""
    if not issubclass(body, wire.SpeechFields):
        return _fields(body)
    shared = _fields(wire.SpeechFields)[2:]
    link = "Further, those [shared by all speech requests](#shared-by-all-speech-requests)."
    return [*(row for row in _fields(body) if row not in shared), "", link]


def _fields(body: type[msgspec.Struct]) -> list[str]:
    info = mi.type_info(body)
    assert isinstance(info, mi.StructType)
    rows = ["| field | is | default | meaning |", "|---|---|---|---|"]
    for field in info.fields:
        default = "required" if field.required else _shown(field.default)
        rows.append(f"| `{field.name}` | {expected(field.type)} | {default} | {' '.join(_meanings(field.type))} |")
    return rows


def _shown(default: object) -> str:
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _meanings(kind: mi.Type) -> Iterator[str]:
    if isinstance(kind, mi.Metadata):
        said = (kind.extra_json_schema or {}).get("description")
        if said:
            yield str(said)
        else:
            yield from _meanings(kind.type)
    elif isinstance(kind, mi.UnionType):
        for part in kind.types:
            yield from _meanings(part)
