"""The description of the API at /openapi.json: Litestar's, completed with what it cannot see.

Bodies are read by our own providers, so their schemas come straight from the structs of ``wire``; audio answers are
plain ASGI responses, so their content types come from the table of formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.routes import BaseRoute, HTTPRoute
from litestar.serialization import encode_json
from litestar.types import ControllerRouterHandler

from flashtts_core.audio.formats import FORMATS
from flashtts_core.types import LEVELS
from flashtts_server.forms import Upload
from flashtts_server.messages import EXAMPLE, ClientMessage, ServerMessage
from flashtts_server.replies import ErrorReply
from flashtts_server.wire import Body

_REF = "#/components/schemas/{name}"
_ERRORS = {
    "400": "The request does not fit, or its text cannot be spoken.",
    "401": "The API key is missing or wrong.",
    "403": "The request comes from a page of another site.",
    "404": "No such voice or model.",
    "409": "A voice of that name exists.",
    "413": "The body, an upload or the text is too large.",
    "415": "The recording cannot be decoded.",
    "422": "The engine lacks an ability that is needed.",
    "429": "The queue is full; Retry-After says when to try again.",
    "500": "A fault of the server; report the request id.",
    "503": "Not ready, about to stop, or the backend is dead.",
    "504": "The request took too long.",
}
_SPEECH_HEADERS = {
    "X-Sample-Rate": "Sample rate of the audio, in Hz.",
    "X-Flashtts-Ignored": "Fields of the request that mean nothing to the engine, if there are any.",
}


def body_route(body: type[Body]) -> dict[str, Any]:
    """Return the ``opt`` of a route that takes ``body``."""
    return {"body": body}


def voice_route() -> dict[str, Any]:
    """Return the ``opt`` of a route whose path names a voice that is changed."""
    return {"errors": ("400", "403", "404", "422")}


def speech_route(body: type[Body]) -> dict[str, Any]:
    """Return the ``opt`` of a route that takes ``body`` and answers with audio."""
    return {"body": body, "audio": True}


def session_route() -> dict[str, Any]:
    """Return the ``opt`` of the route that describes the WebSocket."""
    return {"messages": (ClientMessage, ServerMessage)}


def openapi_config(version: str, *, secured: bool) -> OpenAPIConfig:
    """Return the configuration of the description; ``secured`` says that an API key is asked for."""
    return OpenAPIConfig(
        title="flashtts",
        version=version,
        description="Text to speech, streamed while it is made. Every answer carries `x-request-id`; every error has "
        "the body `{error: {message, type, param, code}}`.",
        tags=[
            Tag("Speech", "Text in, audio out."),
            Tag("Roles", "The voices that can be named."),
            Tag("OpenAI", "OpenAI's API, for its clients to work unchanged."),
            Tag("Server", "How the server is."),
        ],
        components=Components(
            security_schemes={"key": SecurityScheme("http", scheme="bearer", description="The server's --api_key.")}
        ),
        security=[{"key": []}] if secured else None,
        use_handler_docstrings=True,
        openapi_router=_NoRoutes("/docs/schema", route_handlers=[]),
        render_plugins=[JsonRenderPlugin()],
    )


class _NoRoutes(Router):
    """Keeps away Litestar's own routes, which catch all below their path; PagesController serves the description."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Register nothing."""
        return []


def description(app: Litestar) -> bytes:
    """Return the description of an application as JSON, with bodies, audio answers and errors filled in.

    It takes too long for the event loop of a running server, so it is made once, before.
    """
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    return encode_json(_complete(app.openapi_schema.to_schema(), routes))


def _complete(schema: dict[str, Any], routes: list[HTTPRoute]) -> dict[str, Any]:
    operations = list(_operations(schema, routes))
    bodies = sorted({opt["body"] for _, opt in operations if "body" in opt}, key=lambda kind: kind.__name__)
    messages = [kind for _, opt in operations for union in opt.get("messages", ()) for kind in get_args(union)]
    _, schemas = msgspec.json.schema_components(
        [*bodies, *messages, ErrorReply], ref_template=_REF, schema_hook=_schema
    )
    for operation, opt in operations:
        if "body" in opt:
            operation["requestBody"] = _request_body(opt["body"])
        if "messages" in opt:
            operation.update(_session(*opt["messages"]))
            continue
        if opt.get("audio"):
            operation["responses"]["200"] = _audio(events="stream_format" in opt["body"].__struct_fields__)
        operation["responses"] = {
            status: answer for status, answer in operation["responses"].items() if status.startswith("2")
        } | _errors(opt)
        if opt.get("public"):
            operation["security"] = []
    components = schema["components"]
    for each in schemas.values():
        _in_order(each)
    for message in messages:
        schemas[message.__name__]["properties"]["type"].setdefault("description", "Says which message it is.")
    return schema | {"components": components | {"schemas": components.get("schemas", {}) | schemas}}


def _in_order(node: Any) -> None:
    """Put levels and formats, which a schema lists by the alphabet, into the order that people expect."""
    if isinstance(node, dict):
        for names in (LEVELS, tuple(FORMATS)):
            if set(node.get("enum", ())) == set(names):
                node["enum"] = list(names)
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _in_order(part)


def _operations(schema: dict[str, Any], routes: list[HTTPRoute]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every described operation with the ``opt`` of its handler."""
    for route in routes:
        path = schema["paths"].get(route.path_format, {})
        for method, (handler, _) in route.route_handler_map.items():
            if method.lower() in path:
                yield path[method.lower()], dict(handler.opt)


def _schema(kind: type) -> dict[str, Any]:
    if kind is Upload:
        return {"type": "string", "format": "binary"}
    raise NotImplementedError(f"no JSON schema is known for {kind}")


def _request_body(body: type[Body]) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": {"$ref": _REF.format(name=body.__name__)}}
    if body.example:
        media["example"] = body.example
    return {"required": True, "content": dict.fromkeys(body.media_types, media)}


def _session(client: object, server: object) -> dict[str, Any]:
    """Describe a WebSocket as far as OpenAPI can: the handshake, and the messages of either side."""

    def listed(union: object) -> list[dict[str, str]]:
        return [{"$ref": _REF.format(name=kind.__name__)} for kind in get_args(union)]

    error = {"application/json": {"schema": {"$ref": _REF.format(name="ErrorReply")}}}
    refusals = {status: _ERRORS[status] for status in ("401", "403", "429", "503")}
    return {
        "responses": {
            "101": {"description": "The session is open; frames follow."},
            "426": {"description": "This was no WebSocket handshake.", "content": error},
            **{status: {"description": meaning, "content": error} for status, meaning in refusals.items()},
        },
        "x-websocket": {
            "client": {"oneOf": listed(client), "example": EXAMPLE},
            "server": {"oneOf": listed(server), "description": "Binary frames are audio."},
        },
    }


def _audio(*, events: bool) -> dict[str, Any]:
    content: dict[str, Any] = {spec.content_type: {"schema": _schema(Upload)} for spec in FORMATS.values()}
    if events:
        content["text/event-stream"] = {
            "schema": {
                "type": "string",
                "description": "speech.audio.delta events with base64 audio, then speech.audio.done with the usage; "
                "speech.audio.error if it fails on the way.",
            }
        }
    headers = {
        name: {"schema": {"type": "string"}, "description": meaning} for name, meaning in _SPEECH_HEADERS.items()
    }
    return {"description": "The speech.", "content": content, "headers": headers}


def _errors(opt: dict[str, Any]) -> dict[str, Any]:
    if opt.get("public"):
        return {"503": {"description": "It is not; the status in the body says why."}}
    named = {"401", "500", "503", *opt.get("errors", ())}
    wanted = _ERRORS if "body" in opt else {status: words for status, words in _ERRORS.items() if status in named}
    content = {"application/json": {"schema": {"$ref": _REF.format(name="ErrorReply")}}}
    return {status: {"description": meaning, "content": content} for status, meaning in wanted.items()}
