"""What every backend has to pass behind the server: whoever leaves frees the place, and the model stops.

Subclass ``ServerStops`` beside the tests of a backend and say how to open it with its steps counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.sync.client import connect

from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.engines import Engine
from flashtts_core.testing import IdsEngine
from flashtts_core.testing.conformance import CountedBackend
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

PATH = "/v1/audio/speech/stream"
ENDLESS = {"text": "Go on and on.", "stream": True, "response_format": "pcm", "max_tokens": 100_000}


class ServerStops:
    """A server around one backend; every way to leave it stops the model within ``allowance`` steps."""

    allowance = 1
    prompt = tuple(range(1, 9))

    async def open_counted(self) -> CountedBackend:
        """Open the backend under test on a small model with a context of some thousand tokens."""
        raise NotImplementedError

    @contextmanager
    def server(self, settings: ServerSettings | None = None) -> Iterator[LiveServer]:
        """Run a server around the backend."""

        async def make() -> Engine:
            opened = await self.open_counted()
            self.steps = opened.steps
            return IdsEngine(GuardedBackend(opened.backend, max_length=1 << 30), self.prompt)

        with LiveServer(make, settings) as server:
            yield server

    def assert_stops(self, server: LiveServer) -> None:
        """Wait until the place is free, then check that the model does nothing more."""
        assert isinstance(server.engine, IdsEngine)
        for _ in range(3000):
            if server.service.admission.running == 0 and server.engine.backend.running == 0:
                break
            httpx.get(f"{server.url}/health")
        else:
            raise AssertionError("the place was not given back")
        stopped = self.steps()
        for _ in range(5):
            httpx.get(f"{server.url}/health")
        assert self.steps() <= stopped, "the model works on with nobody listening"
        assert httpx.post(f"{server.url}/speak", json={"text": "Again.", "max_tokens": 3}).status_code == 200

    def test_a_client_that_leaves(self) -> None:
        with self.server() as server:
            with httpx.Client() as client, client.stream("POST", f"{server.url}/speak", json=ENDLESS) as answer:
                sound = answer.iter_raw()
                next(sound)
            self.assert_stops(server)

    def test_a_client_that_gives_up_on_a_whole_answer(self) -> None:
        with self.server() as server:
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{server.url}/speak", json={**ENDLESS, "stream": False}, timeout=0.3)
            self.assert_stops(server)

    def test_a_request_that_takes_too_long(self) -> None:
        with self.server(ServerSettings(request_timeout=0.5)) as server:
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(f"{server.url}/speak", json=ENDLESS, timeout=30)
            self.assert_stops(server)

    def test_a_session_that_cancels(self) -> None:
        with (
            self.server() as server,
            connect(server.url.replace("http", "ws", 1) + "/v1/audio/speech/stream") as socket,
        ):
            socket.send(json.dumps({"type": "session.config", "max_tokens": 100_000}))
            socket.send(json.dumps({"type": "input.text", "text": "Go on and on. And then some more. "}))
            while isinstance(socket.recv(timeout=30), str):
                pass
            socket.send(json.dumps({"type": "input.cancel"}))
            frame: str | bytes = b""
            while not (isinstance(frame, str) and json.loads(frame)["type"] == "session.done"):
                frame = socket.recv(timeout=30)
            assert server.service.admission.running == 0  # said only when the model has stopped
            self.assert_stops(server)
