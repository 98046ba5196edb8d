"""What breaks: the model's thread, the process, slow and half-open clients; the server answers on and loses nothing."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.engines import Engine
from flashtts_core.testing import CountingModel, IdsEngine, ToneEngine, ToneSettings
from flashtts_server import answers, utterances
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

ENDLESS = {"text": "word " * 3000, "stream": True, "response_format": "pcm", "max_tokens": 100_000}
WHOLE = {"text": "word " * 3000, "response_format": "wav", "max_tokens": 100_000}
SHORT = {"text": "one two", "response_format": "pcm"}

Start = Callable[..., LiveServer]
Eventually = Callable[[LiveServer, Callable[[], bool]], None]


class MortalModel(CountingModel):
    """A model whose next step fails once it is told to die, as a runtime whose memory or process is gone."""

    def __init__(self) -> None:
        super().__init__(max_length=1 << 30)
        self.dying = threading.Event()

    def step(self) -> dict[str, list[int]]:
        if self.dying.wait(0.002):
            raise RuntimeError("the device fell off the bus")
        return dict(super().step())


@contextmanager
def mortal(settings: ServerSettings | None = None) -> Iterator[tuple[LiveServer, MortalModel]]:
    model = MortalModel()

    async def make() -> Engine:
        return IdsEngine(GuardedBackend(ThreadedBackend(model), max_length=1 << 30))

    with LiveServer(make, settings) as server:
        yield server, model


def test_a_dead_backend_fails_what_runs_and_waits_and_refuses_the_rest_at_once(
    eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    with mortal(ServerSettings(max_concurrency=1, max_queue_wait=1000)) as (server, model), httpx.Client() as client:
        waiting: list[httpx.Response] = []
        queued = threading.Thread(
            target=lambda: waiting.append(httpx.post(f"{server.url}/speak", json=SHORT, timeout=60)), name="queued"
        )
        with connect(server.url.replace("http", "ws", 1) + "/v1/audio/speech/stream") as session:
            session.recv(timeout=30)
            with client.stream("POST", f"{server.url}/speak", json=ENDLESS) as answer:
                sound = answer.iter_raw()
                next(sound)
                queued.start()
                eventually(server, lambda: server.service.admission.queued == 1)
                model.dying.set()
                with pytest.raises(httpx.RemoteProtocolError):  # broken off: nobody takes it for the whole
                    list(sound)
            queued.join()
            assert (waiting[0].status_code, waiting[0].json()["error"]["code"]) == (503, "backend_died")
            session.send(json.dumps({"type": "input.text", "text": "One. Two three. "}))
            session.send(json.dumps({"type": "input.done"}))
            refusal = json.loads(session.recv(timeout=30))
            assert refusal["error"]["code"] == "backend_died"
        for path in ("/health", "/ready"):
            assert client.get(server.url + path).status_code == 503
        for path, body in (("/speak", SHORT), ("/v1/audio/speech", {}), ("/multi_speak", {})):
            refused = client.post(server.url + path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "backend_died")
        assert "flashtts_ready 0.0" in client.get(f"{server.url}/metrics").text
    assert "fell off the bus" in caplog.text


def test_events_tell_that_the_backend_died() -> None:
    with mortal() as (server, model), httpx.Client() as client:
        body = {"model": "tts-1", "input": "word " * 500, "voice": "alloy", "stream_format": "sse", "max_tokens": 9999}
        with client.stream("POST", f"{server.url}/v1/audio/speech", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            model.dying.set()
            last = [line for line in lines if line][-1]
    assert '"speech.audio.error"' in last
    assert '"backend_died"' in last


def descriptors(server: LiveServer) -> int:
    httpx.get(f"{server.url}/health")  # what the event loop opens, it has opened by then
    return len(os.listdir("/proc/self/fd"))


def raw(server: LiveServer, *, receive_buffer: int | None = None) -> socket.socket:
    """Connect by hand."""
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", httpx.URL(server.url).port))
    return connection


def is_held(server: LiveServer, connection: socket.socket) -> bool:
    """Say whether the server still has its end of a connection; the client does not hear of it without reading."""
    held = list(server._server.server_state.connections)
    return connection.getsockname() in {getattr(each, "client", None) for each in held}


def post(path: str, body: Mapping[str, object], *headers: str) -> bytes:
    content = json.dumps(body).encode()
    length = f"Content-Length: {len(content)}"
    head = [f"POST {path} HTTP/1.1", "Host: here", "Content-Type: application/json", length, *headers]
    return "\r\n".join([*head, "", ""]).encode() + content


def idle(server: LiveServer) -> bool:
    assert isinstance(server.engine, ToneEngine)
    return server.service.admission.running == 0 and server.engine.running == 0


FORWARDED = "X-Forwarded-For: 203.0.113.9"


@pytest.mark.parametrize("headers", [(), (FORWARDED,)])
def test_a_client_that_takes_nothing_is_let_go_with_its_connection(
    start: Start, eventually: Eventually, caplog: pytest.LogCaptureFixture, headers: tuple[str, ...]
) -> None:
    server = start(server_settings=ServerSettings(send_timeout=0.5))
    before = descriptors(server)
    with raw(server, receive_buffer=4096) as connection:
        connection.sendall(post("/speak", ENDLESS, *headers))  # and then it reads nothing
        eventually(server, lambda: server.service.admission.running == 1)
        eventually(server, lambda: idle(server))
        eventually(server, lambda: not is_held(server, connection))
        # The server gives up its end though the client holds its own: only the client's descriptor is left.
        eventually(server, lambda: descriptors(server) <= before + 1)
        text = httpx.get(f"{server.url}/metrics").text
    assert 'route="/speak",status="200"} 1.0' in text
    assert "took nothing of its answer for 0.5 s and was let go" in caplog.text


def test_a_client_that_does_not_take_a_whole_answer_is_let_go_with_its_connection(
    start: Start, eventually: Eventually
) -> None:
    server = start(server_settings=ServerSettings(send_timeout=0.5))
    with raw(server, receive_buffer=4096) as connection:
        connection.sendall(post("/speak", WHOLE))
        eventually(server, lambda: b"200" in connection.recv(100, socket.MSG_PEEK))
        eventually(server, lambda: not is_held(server, connection))


def test_a_whole_answer_lasts_until_its_client_has_it_and_holds_no_place(
    start: Start, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    """It was over when it was written, and a TLS connection that ends then has half a minute for the rest."""
    caplog.set_level(logging.INFO)
    server = start()
    with raw(server, receive_buffer=4096) as connection:
        connection.sendall(post("/speak", WHOLE))
        eventually(server, lambda: b"200" in connection.recv(100, socket.MSG_PEEK))
        time.sleep(0.3)
        assert "POST /speak answered" not in caplog.text
        assert server.service.admission.running == 0
        head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
        size = int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"])
        received = len(body)
        while received < size:
            received += len(connection.recv(1 << 20))
        eventually(server, lambda: "POST /speak answered 200" in caplog.text)


def test_a_stream_that_is_over_its_time_takes_its_connection_along(
    start: Start, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SEND_GRACE", 0)
    server = start(server_settings=ServerSettings(request_timeout=0.5, send_timeout=1000))
    with raw(server, receive_buffer=4096) as connection:
        connection.sendall(post("/speak", ENDLESS, FORWARDED))
        eventually(server, lambda: server.service.admission.running == 1)
        eventually(server, lambda: idle(server))
        eventually(server, lambda: not is_held(server, connection))


def test_a_slow_reader_that_reads_is_kept(start: Start) -> None:
    server = start(server_settings=ServerSettings(send_timeout=5))
    body = {"text": "word " * 400, "stream": True, "response_format": "pcm"}
    with raw(server, receive_buffer=4096) as connection:
        connection.sendall(post("/speak", body))
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65_536)
    assert len(received) > 400 * 2 * 3200


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell what they hold")
@pytest.mark.parametrize("body", [ENDLESS, WHOLE], ids=["streamed", "whole"])
def test_a_reader_that_reads_steadily_is_kept_though_the_kernel_holds_megabytes_for_it(
    start: Start, caplog: pytest.LogCaptureFixture, body: dict[str, object]
) -> None:
    server = start(server_settings=ServerSettings(send_timeout=0.5))
    with raw(server, receive_buffer=4096) as connection:
        connection.sendall(post("/speak", body))
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert connection.recv(4096)
            time.sleep(0.01)
    assert "took nothing" not in caplog.text


@contextmanager
def deaf_session(server: LiveServer) -> Iterator[ClientConnection]:
    """Open a session behind a proxy that has a lot to hear and takes nothing of it."""
    connection = raw(server, receive_buffer=4096)
    url = server.url.replace("http", "ws", 1) + "/v1/audio/speech/stream"
    headers = dict([FORWARDED.split(": ")])
    with connect(
        url, sock=connection, max_queue=1, additional_headers=headers, ping_interval=None, close_timeout=0.1
    ) as session:
        session.send(json.dumps({"type": "input.text", "text": "word " * 3000 + "end. And more "}))
        yield cast("ClientConnection", session)


def test_a_session_that_takes_nothing_is_let_go(
    start: Start, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(server_settings=ServerSettings(send_timeout=0.5))
    with deaf_session(server) as session:
        eventually(server, lambda: server.service.admission.running == 1)
        eventually(server, lambda: not is_held(server, session.socket))
        eventually(server, lambda: idle(server) and server.service.sessions == 0)
    assert "took nothing of its answer for 0.5 s and was let go" in caplog.text


def test_an_utterance_that_is_not_taken_gives_its_place_back_when_its_time_is_up(
    start: Start, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utterances, "SEND_GRACE", 0)
    server = start(server_settings=ServerSettings(request_timeout=0.5, send_timeout=1000))
    with deaf_session(server):
        eventually(server, lambda: server.service.admission.running == 1)
        eventually(server, lambda: idle(server))
        assert server.service.sessions == 1


@pytest.mark.parametrize("sent", [0, 20, 150])
def test_half_a_request_holds_nothing_and_its_end_is_noticed(start: Start, eventually: Eventually, sent: int) -> None:
    server = start()
    before = descriptors(server)
    with raw(server) as connection:
        connection.sendall(post("/speak", ENDLESS)[:sent])
        assert httpx.post(f"{server.url}/speak", json=SHORT).status_code == 200
        assert server.service.admission.running == 0
    eventually(server, lambda: descriptors(server) <= before)


def test_a_body_that_does_not_arrive_is_not_waited_for(start: Start) -> None:
    server = start(server_settings=ServerSettings(read_timeout=0.3))
    with raw(server) as connection:
        connection.sendall(post("/speak", SHORT)[:-5])
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))  # and the server closes it
    assert answer.startswith(b"HTTP/1.1 504")
    assert b"The body did not arrive within 0.3 s" in answer


@pytest.mark.parametrize("sent", [b"", b"POST /speak HTTP/1.1\r\nHost: he"])
def test_a_connection_on_which_nothing_begins_is_closed(start: Start, sent: bytes) -> None:
    server = start(server_settings=ServerSettings(read_timeout=0.3))
    url = server.url.replace("http", "ws", 1) + "/v1/audio/speech/stream"
    with raw(server) as connection, connect(url) as session:
        connection.sendall(sent)
        with contextlib.suppress(ConnectionResetError):  # if the server had not read all of it
            assert connection.recv(10) == b""
        session.recv(timeout=30)
        session.send(json.dumps({"type": "input.done"}))  # what has begun goes on
        assert json.loads(session.recv(timeout=30))["type"] == "session.done"


def test_half_a_request_after_a_whole_one_is_not_waited_for(start: Start) -> None:
    server = start(server_settings=ServerSettings(read_timeout=0.3))
    with raw(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        received = b""
        while not received.endswith(b'{"status":"ok"}'):
            received += connection.recv(65_536)
        connection.sendall(b"GET /hea")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(10) == b""


def test_a_request_that_lasts_longer_than_its_head_may_is_answered(start: Start) -> None:
    server = start(ToneSettings(real_time_factor=1), ServerSettings(read_timeout=0.2))
    with httpx.Client() as client:
        for _ in range(2):  # on one connection
            assert len(client.post(f"{server.url}/speak", json=SHORT).content) == 2 * 2 * 3200


def test_a_connection_that_is_reset_frees_its_place(start: Start, eventually: Eventually) -> None:
    server = start(ToneSettings(real_time_factor=0.5))
    connection = raw(server)
    connection.sendall(post("/speak", ENDLESS))
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()  # RST instead of FIN
    eventually(server, lambda: idle(server))


class Process:
    """``flashtts serve`` in a process of its own, with the embedded voice."""

    def __init__(self, folder: Path, *flags: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self._command = [
            sys.executable,
            "-m",
            "flashtts_core",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        self._command += ["--voice_dir", str(folder / "voices"), *flags]

    def start(self) -> None:
        with self.log.open("a") as file:
            self.process = subprocess.Popen(self._command, stdout=file, stderr=file)
        for _ in range(1200):
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/ready", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)  # it is another process: there is nothing to wait on but its answer
        raise AssertionError(self.log.read_text())


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*flags: str) -> Process:
        started.append(Process(tmp_path, *flags))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()


LONG = {
    "model": "tts-1",
    "voice": "alloy",
    "input": "This is a sentence that takes a while. " * 40,
    "response_format": "pcm",
}


def test_a_killed_process_breaks_its_streams_off_and_comes_back_on_the_same_port(
    process: Callable[..., Process],
) -> None:
    server = process()
    with (
        httpx.Client(timeout=60) as client,
        client.stream("POST", f"{server.url}/v1/audio/speech", json=LONG) as answer,
    ):
        sound = answer.iter_raw()
        next(sound)
        server.process.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            list(sound)
    assert server.process.wait(30) == -signal.SIGKILL
    server.start()
    body = {"text": "Back again.", "response_format": "pcm"}
    assert httpx.post(f"{server.url}/speak", json=body, timeout=60).status_code == 200


def test_a_stop_lets_streams_finish_refuses_new_ones_and_exits_0(process: Callable[..., Process]) -> None:
    server = process("--drain_timeout", "120", "--log_format", "json")
    with (
        httpx.Client(timeout=120) as client,
        client.stream("POST", f"{server.url}/v1/audio/speech", json=LONG) as answer,
    ):
        sound = answer.iter_raw()
        received = len(next(sound))
        server.process.send_signal(signal.SIGTERM)
        ready = httpx.get(f"{server.url}/ready", timeout=30)
        while ready.status_code == 200:  # until the signal has been handled
            ready = httpx.get(f"{server.url}/ready", timeout=30)
        assert ready.json() == {"status": "draining"}
        refused = httpx.post(f"{server.url}/speak", json={"text": "Me too."}, timeout=30)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
        assert refused.headers["Retry-After"]
        assert httpx.get(f"{server.url}/health", timeout=30).status_code == 200
        received += sum(len(piece) for piece in sound)
    assert received > 40 * 24_000
    assert server.process.wait(30) == 0
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    records = [json.loads(line) for line in lines]
    (spoken,) = [each for each in records if each.get("route") == "/v1/audio/speech"]
    assert (spoken["status"], spoken["method"], spoken["level"]) == (200, "POST", "info")
    assert re.fullmatch("[0-9a-f]{32}", spoken["request_id"])
    assert spoken["first_audio_ms"] > 0
    assert spoken["audio_seconds"] > 40
    assert "sentence that takes" not in server.log.read_text()


def test_a_stop_that_comes_twice_ends_at_once(process: Callable[..., Process]) -> None:
    server = process()
    with (
        httpx.Client(timeout=60) as client,
        client.stream("POST", f"{server.url}/v1/audio/speech", json=LONG) as answer,
    ):
        sound = answer.iter_raw()
        next(sound)
        for _ in range(2):
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)  # signals of one kind that come together are one
        with pytest.raises(httpx.RemoteProtocolError):
            list(sound)
    assert server.process.wait(60) == 0
    assert "Traceback" not in server.log.read_text()
