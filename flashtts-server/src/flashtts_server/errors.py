"""What an error looks like to a client: one table of statuses, one shape of body (OpenAI's, on every route).

An error that is ours is logged here, once, with the request's id; one that is the caller's is not logged.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from litestar import MediaType, Response
from litestar.exceptions import HTTPException

from flashtts_core.errors import (
    BackendDied,
    BadAudio,
    ConfigError,
    EngineError,
    FlashTTSError,
    Forbidden,
    NotReady,
    NotSupported,
    Overloaded,
    RequestError,
    RequestTimeout,
    TooLarge,
    Unauthorized,
    UnknownModel,
    UnknownVoice,
    VoiceExists,
    VoiceStoreError,
)
from flashtts_server.replies import ErrorDetail, ErrorReply
from flashtts_server.scope import AnyRequest, AnyScope, AnySocket, param_name, request_id

logger = logging.getLogger(__name__)


class UpgradeRequired(RequestError):
    """The address speaks WebSocket only."""

    code = "upgrade_required"


STATUSES: Mapping[type[FlashTTSError], int] = {
    FlashTTSError: 500,
    RequestError: 400,
    Unauthorized: 401,
    Forbidden: 403,
    UnknownVoice: 404,
    UnknownModel: 404,
    VoiceExists: 409,
    TooLarge: 413,
    BadAudio: 415,
    NotSupported: 422,
    UpgradeRequired: 426,
    Overloaded: 429,
    ConfigError: 500,
    VoiceStoreError: 500,
    EngineError: 500,
    BackendDied: 503,
    NotReady: 503,
    RequestTimeout: 504,
}
"""The status of each class; a class that is not here has that of its nearest base."""

QUIET = (NotReady, RequestTimeout)
"""Errors of the server that are no fault to look into: they are answered and not logged with a traceback."""

CLIENT_GONE = 499
"""What the metrics call a request whose client left before the answer; nobody receives it."""


class ClientGone(Exception):
    """The client closed the connection before its answer began."""


def status_of(error: FlashTTSError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def detail_of(error: FlashTTSError, request: AnyRequest | AnySocket) -> ErrorDetail:
    """Return the body of an error."""
    param = param_name(request.scope, error.param)
    return ErrorDetail(str(error), _kind(status_of(error)), param, error.code)


def on_flashtts_error(request: AnyRequest, error: FlashTTSError) -> Response[ErrorReply]:
    """Answer an error raised on purpose."""
    status = status_of(error)
    _log(request, error)
    return _response(status, detail_of(error, request), headers_of(error))


def on_http_exception(request: AnyRequest, error: HTTPException) -> Response[ErrorReply]:
    """Answer what the framework refuses: unknown routes and methods, bodies that are too large or malformed."""
    status = error.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return on_unexpected(request, error)
    path = request.scope["path"]
    messages = {
        404: f"There is nothing at {path}. The API is described at /docs.",
        405: f"{request.method} is not possible at {path}; the header Allow says what is.",
        413: "The body is larger than this server takes. Send less, or raise --max_body_size.",
    }
    codes = {404: "not_found", 405: "method_not_allowed", 413: TooLarge.code}
    message, param = _refused(error)
    detail = ErrorDetail(messages.get(status, message), _kind(status), param, codes.get(status, RequestError.code))
    headers = dict(error.headers or {})
    if "GET" in headers.get("allow", "").split(", "):
        headers["allow"] += ", HEAD"
    return _response(status, detail, headers)


def refused_handshake(scope: AnyScope) -> tuple[int, ErrorDetail]:
    """Return what to answer to a handshake that the framework refuses: it found no handler, or that one failed."""
    if scope.get("route_handler") is not None:
        return 500, _defect(scope)
    message = f"There is no WebSocket at {scope['path']}. The API is described at /docs."
    return 404, ErrorDetail(message, _kind(404), None, "not_found")


def on_client_gone(_: AnyRequest, __: ClientGone) -> Response[None]:
    """Answer a client that is not there any more, for the metrics."""
    return Response(None, status_code=CLIENT_GONE, media_type=MediaType.TEXT)


def broken_off(request: AnyRequest | AnySocket, error: Exception) -> ErrorDetail:
    """Return what an event says of an error that came after the answer began, and log it if it is ours."""
    if isinstance(error, FlashTTSError):
        _log(request, error)
        return detail_of(error, request)
    return _unexpected(request, error)


def on_unexpected(request: AnyRequest, error: Exception) -> Response[ErrorReply]:
    """Answer a defect of the server, without telling its insides."""
    return _response(500, _unexpected(request, error), {})


def _log(request: AnyRequest | AnySocket, error: FlashTTSError) -> None:
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, QUIET):
        logger.error("Request %s failed.", request_id(request.scope), exc_info=error)


def _unexpected(request: AnyRequest | AnySocket, error: Exception) -> ErrorDetail:
    logger.error("Request %s failed unexpectedly.", request_id(request.scope), exc_info=error)
    return _defect(request.scope)


def _defect(scope: AnyScope) -> ErrorDetail:
    message = f"Something went wrong on the server. Report it with the request id {request_id(scope)}."
    return ErrorDetail(message, _kind(500), None, "internal_error")


def _refused(error: HTTPException) -> tuple[str, str | None]:
    """Return the sentence and the field of a parameter that the framework refused."""
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    if isinstance(first, dict) and "key" in first:
        return f"The parameter {first['key']} does not fit. {first['message']}.", str(first["key"])
    return f"{error.detail.rstrip('.')}.", None


def headers_of(error: FlashTTSError) -> dict[str, str]:
    """Return the headers that belong to an error."""
    if isinstance(error, Overloaded):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, NotReady):
        return {"Retry-After": "1"}
    if isinstance(error, UpgradeRequired):
        return {"Upgrade": "websocket", "Connection": "Upgrade"}
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _kind(status: int) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _response(status: int, detail: ErrorDetail, headers: Mapping[str, str]) -> Response[ErrorReply]:
    return Response(ErrorReply(detail), status_code=status, headers=dict(headers), media_type=MediaType.JSON)
