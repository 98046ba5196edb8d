"""A real server for tests: uvicorn on a thread and a free port of the loopback, around an engine you make.

For authors of engines and clients: ``with LiveServer(make_engine) as server: httpx.get(server.url + "/server_info")``.
"""

from __future__ import annotations

import signal
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from flashtts_core.engines import Engine
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_server.serve import SpeechServer, listen
from flashtts_server.service import Service
from flashtts_server.settings import ServerSettings

START_SECONDS = 60.0
HOST = "127.0.0.1"
SERVER_THREAD = "flashtts-live-server"


class LiveServer:
    """A running server; ``engine`` and ``service`` are what runs in it, to be looked at and not to be called.

    ``make_engine`` is awaited on the server's own event loop. Voices are kept in a folder that is removed at the end,
    unless ``settings`` name one.
    """

    def __init__(
        self,
        make_engine: Callable[[], Awaitable[Engine]],
        server_settings: ServerSettings | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._make_engine = make_engine
        self._server_settings = server_settings or ServerSettings(host=HOST, port=0)
        self._settings = settings
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._voices = tempfile.TemporaryDirectory(prefix="flashtts-voices-")
        listener = listen(HOST, 0)
        scheme = "http" if self._server_settings.ssl_certfile is None else "https"
        self.url = f"{scheme}://{HOST}:{listener.getsockname()[1]}"
        try:
            self._server = _Announcing(self._ready, self._server_settings, listener, self._load)
        except BaseException:
            listener.close()
            self._voices.cleanup()
            raise
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, name=SERVER_THREAD)
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._server.failure is not None:
            self.close()
            raise RuntimeError("The server did not become ready.") from self._server.failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server as a signal would, and wait until it has ended."""
        if self._thread.is_alive():
            self._server.handle_exit(signal.SIGTERM, None)
        self._thread.join()
        self._voices.cleanup()

    @property
    def service(self) -> Service:
        """What the handlers share."""
        return self._server.service

    async def _load(self) -> Synthesizer:
        self.engine = await self._make_engine()
        return Synthesizer(self.engine, self._settings or Settings(voice_dir=self._voices.name))


class _Announcing(SpeechServer):
    """A server that sets an event instead of telling the user."""

    def __init__(
        self,
        event: threading.Event,
        settings: ServerSettings,
        listener: socket.socket,
        load: Callable[[], Awaitable[Synthesizer]],
    ) -> None:
        self._event = event
        super().__init__(settings, listener, load)

    def ready(self, synthesizer: Synthesizer) -> None:
        self._event.set()

    def failed(self, error: BaseException) -> None:
        super().failed(error)
        self._event.set()
