"""Hundreds of requests of which most are cut off at a random moment leave nothing behind.

``benchmarks/load.py disconnects`` does the same with ten thousand, in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.sync.client import connect

from flashtts_core.engines import Engine
from flashtts_core.testing import ToneEngine, ToneSettings
from flashtts_server.testing import LiveServer

Eventually = Callable[[LiveServer, Callable[[], bool]], None]
REQUESTS = 240


@pytest.fixture
def serving() -> Iterator[tuple[LiveServer, Callable[[], tuple[int, int, int]]]]:
    """Run a server, and give what counts its tasks, the threads and the files."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def make() -> Engine:
        loops.append(asyncio.get_running_loop())
        return ToneEngine(ToneSettings(real_time_factor=0.05))

    with LiveServer(make) as server:
        yield (
            server,
            lambda: (len(asyncio.all_tasks(loops[0])), threads(), len(os.listdir("/proc/self/fd"))),
        )


def threads() -> int:
    """Return how many threads there are beside those of pools."""
    return sum(not thread.name.startswith(POOLS) for thread in threading.enumerate())


def leave(server: LiveServer, seed: int) -> None:
    """Make one request and go away: at once, in the middle, at the end, with or without saying goodbye."""
    chance = random.Random(seed)
    kind = chance.choice(["stream", "whole", "events", "session", "half"])
    text = "one two three four. " * chance.randrange(1, 12)
    patience = chance.choice([0.001, 0.02, 0.1, 0.2, 20.0])
    if kind == "session":
        url = server.url.replace("http", "ws", 1) + PATH
        with contextlib.suppress(TimeoutError), connect(url, close_timeout=1) as session:
            session.send(json.dumps({"type": "input.text", "text": text}))
            session.recv(timeout=patience)
            session.recv(timeout=min(patience, 1))
            if chance.random() < 0.5:
                session.socket.close()
        return
    if kind == "half":
        with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0)) as connection:
            connection.sendall(
                b"POST /speak HTTP/1.1\r\nHost: here\r\nContent-Length: 99\r\n\r\n{"[: chance.randrange(70)]
            )
        return
    body: dict[str, object] = {"text": text, "stream": kind == "stream"}
    path = "/speak"
    if kind == "events":
        body, path = {"model": "tts-1", "input": text, "voice": "alloy", "stream_format": "sse"}, "/v1/audio/speech"
    with (
        contextlib.suppress(httpx.TimeoutException),
        httpx.Client(timeout=patience) as client,
        client.stream("POST", server.url + path, json=body) as answer,
    ):
        for _ in answer.iter_raw():
            if chance.random() < 0.2:
                break


PATH = "/v1/audio/speech/stream"
POOLS = ("asyncio_", "uvloop_", "flashtts-io", "AnyIO worker")
"""Bounded pools, which get their threads one by one as work comes together; those are kept, not leaked."""


def test_nothing_is_left_behind(
    serving: tuple[LiveServer, Callable[[], tuple[int, int, int]]], eventually: Eventually
) -> None:
    server, count = serving

    def idle() -> bool:
        assert isinstance(server.engine, ToneEngine)
        return server.service.admission.running + server.service.sessions + server.engine.running == 0

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: leave(server, seed), range(REQUESTS // 4)))  # what is made once is made now
        eventually(server, idle)
        eventually(server, lambda: count()[0] <= 5)
        gc.collect()
        before, objects = count(), len(gc.get_objects())
        list(pool.map(lambda seed: leave(server, seed), range(REQUESTS)))
        eventually(server, idle)
        eventually(server, lambda: all(now <= then for now, then in zip(count(), before, strict=True)))
        gc.collect()
        assert len(gc.get_objects()) <= 1.05 * objects
    assert httpx.post(f"{server.url}/speak", json={"text": "One."}).status_code == 200
