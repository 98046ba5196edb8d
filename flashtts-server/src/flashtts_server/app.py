"""Puts the application together: routes, errors, the API key, and the model that is opened while the server starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from typing import Any, cast

from anyio import CancelScope
from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.file_system import BaseLocalFileSystem
from litestar.static_files import create_static_files_router
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, PathType, Receive, Scope, Send
from litestar.types.file_types import FileInfo

from flashtts_core.errors import FlashTTSError, RequestTimeout
from flashtts_core.synthesizer import Synthesizer
from flashtts_server.broken_off import behind
from flashtts_server.controllers import CONTROLLERS
from flashtts_server.errors import (
    ClientGone,
    on_client_gone,
    on_flashtts_error,
    on_http_exception,
    on_unexpected,
)
from flashtts_server.exchange import Exchange
from flashtts_server.guards import PUBLIC, ApiKeyGuard, OriginGuard, refuse_early
from flashtts_server.openapi import description, openapi_config
from flashtts_server.service import VERSION, Service
from flashtts_server.settings import ServerSettings, listed

logger = logging.getLogger(__name__)

Load = Callable[[], Awaitable[Synthesizer]]


class Hooks:
    """What whoever runs the application wants to hear of; the methods here only log."""

    def ready(self, synthesizer: Synthesizer) -> None:
        """Hear that the model is open and warm."""
        logger.info("The model is ready.")

    def failed(self, error: BaseException) -> None:
        """Hear that the model cannot be opened; the server will never be ready."""
        logger.error("The model cannot be opened.", exc_info=error)

    def let_go(self, scope: Scope) -> None:
        """Hear that the connection of a request is to be closed, sent or not."""


def create_app(settings: ServerSettings, load: Load, hooks: Hooks | None = None) -> Litestar:
    """Return the application; ``load`` opens the model and is awaited beside the running server.

    The application closes what ``load`` returned. Until then /health answers, /ready is red, and speech is refused
    with 503. Raises ``ConfigError`` for settings that contradict themselves. The ``Service`` is ``app.state.service``.
    """
    service, hooks = Service(settings), hooks or Hooks()
    key = settings.key
    guard = OriginGuard(listed(settings.cors_origins)) if key is None else ApiKeyGuard(key)
    app = SpeechApp(
        [*CONTROLLERS, _static_files()],
        lifespan=[_lifespan(service, load, hooks)],
        dependencies={"service": Provide(lambda: service, sync_to_thread=False)},
        guards=[guard, refuse_early],
        exception_handlers={
            FlashTTSError: on_flashtts_error,
            HTTPException: on_http_exception,
            ClientGone: on_client_gone,
            Exception: on_unexpected,
        },
        cors_config=_cors(settings),
        openapi_config=openapi_config(VERSION, secured=key is not None),
        request_max_body_size=settings.max_body_size,
        logging_config=None,
    )
    app.state.service = service
    app.state.guard = guard
    app.state.hooks = hooks
    app.state.description = description(app)
    return app


class SpeechApp(Litestar):
    """Litestar, with every answer named by its request's id, counted and logged, also those that found no route."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """Handle one request, one WebSocket session, or the life of the server."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        exchange = Exchange((scope, cast("Receive", receive), cast("Send", send)), self.state.service.metrics)
        try:
            await super().__call__(exchange.scope, exchange.receive, exchange.send)
        except Exception as error:
            if any(isinstance(each, RequestTimeout) for each in behind(error)):
                self.state.hooks.let_go(scope)
            raise
        finally:
            exchange.end()


def _lifespan(service: Service, load: Load, hooks: Hooks) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        opening = asyncio.create_task(_open(service, load, hooks), name="flashtts-open")
        try:
            yield
        finally:
            service.drain()
            opening.cancel()
            with CancelScope(shield=True):  # a second signal cancels this, too; unjoined threads would keep the process
                await asyncio.wait([opening])
                await service.aclose()

    return lifespan


async def _open(service: Service, load: Load, hooks: Hooks) -> None:
    try:
        synthesizer = await load()
        service.open(synthesizer)
    except Exception as error:  # noqa: BLE001  # whatever it is, whoever runs the application decides what to do
        hooks.failed(error)
    else:
        hooks.ready(synthesizer)


class _Files(BaseLocalFileSystem):
    """Files in which a name that no file can have (too long, with a NUL) is that of no file, and not an error."""

    async def info(self, path: PathType, **options: Any) -> FileInfo:
        """Return what is known of a file; raises ``FileNotFoundError``."""
        try:
            return await super().info(path, **options)
        except (OSError, ValueError):
            raise FileNotFoundError(path) from None


def _static_files() -> Router:
    return create_static_files_router(
        "/static",
        [str(files("flashtts_server") / "web")],
        file_system=_Files(),
        opt=PUBLIC,
        include_in_schema=False,
        cache_control=CacheControlHeader(no_cache=True),  # scripts of two versions must not meet in one page
    )


def _cors(settings: ServerSettings) -> CORSConfig | None:
    """Let the named origins in; by default a browser keeps pages of other origins out."""
    origins = listed(settings.cors_origins)
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        expose_headers=["X-Sample-Rate", "X-Flashtts-Ignored", "X-Request-Id", "Retry-After"],
    )
