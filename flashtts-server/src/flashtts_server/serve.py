"""Runs the server: takes the port, answers at once, opens the model beside that, and ends in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from types import FrameType

import click
import uvicorn
from litestar.types import Scope

from flashtts_core.errors import ConfigError
from flashtts_core.host import open_synthesizer
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_server.app import Hooks, create_app
from flashtts_server.broken_off import SHORTEN
from flashtts_server.impatience import impatient, watchful
from flashtts_server.records import logging_to
from flashtts_server.service import Service
from flashtts_server.settings import ServerSettings
from flashtts_server.unchunked import Unchunked

BACKLOG = 2048
KEEP_ALIVE = 75
"""Seconds that a connection may be idle. Proxies and load balancers keep theirs for a minute, and a request that they
send at the moment in which the server closes is lost; pauses of a conversation are longer than uvicorn's 5 s."""
_SHOWN_VOICES = 5
_LAST_WORDS = 1.0
"""Seconds that a connection which is let go has for what is still to be sent."""


def serve(settings: Settings, server_settings: ServerSettings, plugins: Plugins) -> None:
    """Serve until told to stop; raises ``ConfigError`` if the server or the model cannot be started."""
    listener = listen(server_settings.host, server_settings.port)
    try:
        server = SpeechServer(server_settings, listener, settled(loader(settings, plugins)))
        with logging_to(sys.stderr, server_settings):
            server.run(sockets=[listener])
    finally:
        listener.close()
    if server.failure is not None:
        raise server.failure


def loader(settings: Settings, plugins: Plugins) -> Callable[[], Awaitable[Synthesizer]]:
    """Return what opens the model of ``settings`` and warms it up."""

    async def load() -> Synthesizer:
        synthesizer = await open_synthesizer(settings, plugins)
        try:
            await synthesizer.warm_up()
        except BaseException:
            await synthesizer.aclose()
            raise
        return synthesizer

    return load


def settled(load: Callable[[], Awaitable[Synthesizer]]) -> Callable[[], Awaitable[Synthesizer]]:
    """Return ``load`` for a process that only serves: what is loaded then stays, and is not looked through again.

    Python's garbage collector would stop all streams for 50 ms each time it did.
    """

    async def load_and_settle() -> Synthesizer:
        synthesizer = await load()
        gc.collect()
        gc.freeze()
        return synthesizer

    return load_and_settle


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; raises ``ConfigError`` if that cannot be had."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        # Named, or asyncio takes the connections for no TCP and leaves Nagle's delay of 40 ms on small pieces.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # elsewhere the option would let two servers share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"The server cannot listen on {host}:{port}: {error.strerror or error}. Choose another --host or --port."
        ) from error
    listener.setblocking(False)
    return listener


class SpeechServer(uvicorn.Server, Hooks):
    """Uvicorn around the application; ``failure`` says why the model could not be opened."""

    def __init__(
        self, settings: ServerSettings, listener: socket.socket, load: Callable[[], Awaitable[Synthesizer]]
    ) -> None:
        app = create_app(settings, load, self)
        self.failure: BaseException | None = None
        self._settings = settings
        self._leave_at: float | None = None
        self._leave_by = 0.0
        self.service: Service = app.state.service
        scheme = "http" if settings.ssl_certfile is None else "https"
        self._url = f"{scheme}://{_shown_host(settings.host)}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            Unchunked(app),
            log_config=None,
            log_level="warning",
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=settings.max_body_size,
            ws_per_message_deflate=False,  # audio does not shrink, and a packed message could unpack to anything
            proxy_headers=False,  # nothing here asks where a client is, and anybody can send them
            lifespan="on",
            ssl_keyfile=settings.ssl_keyfile,
            ssl_certfile=settings.ssl_certfile,
            timeout_graceful_shutdown=settings.drain_timeout,
            timeout_keep_alive=KEEP_ALIVE,
        )
        _load_certificate(config, settings)
        _set_limits(config, settings)
        logging.getLogger("uvicorn.error").addFilter(SHORTEN)
        super().__init__(config)

    def ready(self, synthesizer: Synthesizer) -> None:
        """Tell the user, in one line, where and what."""
        engine = synthesizer.engine
        voices = list(engine.voices)
        shown = ", ".join(voices[:_SHOWN_VOICES]) or "only those that are added"
        more = f" and {len(voices) - _SHOWN_VOICES} more" if len(voices) > _SHOWN_VOICES else ""
        click.echo(
            f"flashtts is ready at {self._url} "
            f"(engine {engine.name}; voices: {shown}{more}; API described at {self._url}/docs)"
        )

    def failed(self, error: BaseException) -> None:
        """End the server."""
        self.failure = error
        self.should_exit = True

    def let_go(self, scope: Scope) -> None:
        """Close the connection of a request soon, though its client has not taken what was sent."""
        for connection in self.server_state.connections:
            if getattr(connection, "scope", None) is scope:
                asyncio.get_running_loop().call_later(_LAST_WORDS, connection.transport.abort)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Turn /ready red and refuse new speech; what runs may finish. To be told to stop is no failure.

        Told again, the server stops at once.
        """
        if self.should_exit or self._leave_at is not None:
            self.should_exit = self.force_exit = True
        self.service.drain()
        self._leave_at = time.monotonic() + self._settings.drain_delay
        self._leave_by = time.monotonic() + self._settings.drain_timeout
        if sig != signal.SIGTERM:  # uvicorn raises it again at the end, which for SIGTERM would be the exit code
            self._captured_signals.append(sig)

    async def on_tick(self, counter: int) -> bool:
        """Say whether to leave: once told to stop, when nobody is being spoken to any more, or time is up."""
        if self._leave_at is not None:
            now = time.monotonic()
            done = now >= self._leave_at and not self.service.busy
            if done or now >= max(self._leave_by, self._leave_at):
                self.should_exit = True
                self.config.timeout_graceful_shutdown = max(1, int(self._leave_by - now))
        return await super().on_tick(counter)


def _load_certificate(config: uvicorn.Config, settings: ServerSettings) -> None:
    if settings.ssl_keyfile is not None and settings.ssl_certfile is None:
        raise ConfigError("--ssl_keyfile needs --ssl_certfile: give the certificate of the key, too.")
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The TLS certificate cannot be read ({error.strerror or error}). Check --ssl_certfile "
            f"{settings.ssl_certfile} and --ssl_keyfile {settings.ssl_keyfile}."
        ) from error


def _set_limits(config: uvicorn.Config, settings: ServerSettings) -> None:
    """Bound how long a connection may stand still."""
    assert config.ws_protocol_class is not None
    config.http_protocol_class = impatient(
        watchful(config.http_protocol_class, settings.send_timeout), settings.read_timeout
    )
    config.ws_protocol_class = watchful(config.ws_protocol_class, settings.send_timeout)


def _shown_host(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  # shown as something that can be clicked
        return "localhost"
    return f"[{host}]" if ":" in host else host
