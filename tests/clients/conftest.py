"""A running server for the real clients of others; each file here runs where its client is installed.

``nox -s clients`` installs them, each in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from flashtts_core.testing import ToneEngine
from flashtts_server.testing import LiveServer

CLIENTS = {"test_pipecat.py": "pipecat", "test_livekit.py": "livekit", "test_wyoming.py": "wyoming_openai"}
collect_ignore = [file for file, package in CLIENTS.items() if find_spec(package) is None]


async def _tone() -> ToneEngine:
    return ToneEngine()


@pytest.fixture(scope="session")
def tones() -> Iterator[LiveServer]:
    with LiveServer(_tone) as server:
        yield server
