"""Real servers on the loopback: one that speaks in tones and clones, one with the embedded voice, any others."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from flashtts_core.settings import Settings
from flashtts_core.testing import ToneEngine, ToneSettings
from flashtts_engine_hibari.engine import HibariEngine
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

ToneServer = Callable[..., LiveServer]
Eventually = Callable[[LiveServer, Callable[[], bool]], None]


def tone_server(
    tone: ToneSettings | None = None,
    server_settings: ServerSettings | None = None,
    settings: Settings | None = None,
) -> LiveServer:
    async def make() -> ToneEngine:
        return ToneEngine(tone)

    return LiveServer(make, server_settings, settings)


@pytest.fixture(scope="session")
def tones() -> Iterator[LiveServer]:
    with tone_server() as server:
        yield server


@pytest.fixture(scope="session")
def english() -> Iterator[LiveServer]:
    with LiveServer(HibariEngine.load) as server:
        yield server


@pytest.fixture
def start() -> Iterator[ToneServer]:
    """Start servers made to measure; they end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(tone_server(*given, **named))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def eventually() -> Eventually:
    """Ask the server until something is so; every question gives it time."""

    def wait(server: LiveServer, condition: Callable[[], bool]) -> None:
        for _ in range(2000):
            if condition():
                return
            httpx.get(f"{server.url}/health")
        raise AssertionError("it did not come about")

    return wait


@pytest.fixture(scope="session")
def as_base64() -> Callable[[bytes], str]:
    return lambda content: base64.b64encode(content).decode("ascii")
