"""What is remembered about one request while it runs: its id, and how its fields are called."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from litestar import Request, WebSocket
from litestar.exceptions import NotFoundException
from litestar.types import HTTPScope, Scope

AnyScope: TypeAlias = Scope | HTTPScope
AnyRequest: TypeAlias = Request[Any, Any, Any]
AnySocket: TypeAlias = WebSocket[Any, Any, Any]

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def request_id(scope: AnyScope) -> str:
    """Return the id of the request: the one its ``x-request-id`` brings, if that is harmless, else a new one."""
    state = scope["state"]
    if "request_id" not in state:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        state["request_id"] = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
    return str(state["request_id"])


def as_written(scope: AnyScope, parameter: str) -> str:
    """Return the last parameter of a path as the client wrote it; raises ``NotFoundException`` if it cannot be found.

    The router drops slashes that are doubled or come last, though a name may have them.
    """
    prefix = str(scope["path_template"]).partition("{")[0]
    _, _, rest = scope["raw_path"].decode("ascii", "replace").partition(prefix)
    written = unquote(rest)
    if _parts(written) != _parts(parameter):  # the path before it was written in some other way
        raise NotFoundException
    return written


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def remember_renamed(scope: AnyScope, renamed: Mapping[str, str]) -> None:
    """Keep how this request calls fields of the core."""
    scope["state"]["renamed"] = renamed


def param_name(scope: AnyScope, param: str | None) -> str | None:
    """Return the request's own name of a field of the core."""
    renamed: Mapping[str, str] = scope["state"].get("renamed", {})
    return None if param is None else renamed.get(param, param)
