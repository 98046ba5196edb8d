"""The pages for operators: every metric, message and flag is told of, and the example of a client runs."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from flashtts_core.settings import Settings, fields_of
from flashtts_server.admission import Reason
from flashtts_server.messages import KINDS, ServerMessage
from flashtts_server.metrics import Metrics, SpeechMetrics
from flashtts_server.service import Service
from flashtts_server.settings import ServerSettings

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
WEBSOCKET = (ROOT / "docs" / "reference" / "websocket.md").read_text(encoding="utf-8")


def test_every_metric_is_documented() -> None:
    service = Service(ServerSettings())
    SpeechMetrics(service.metrics.registry, "engine", "backend")
    text = service.metrics.render()[0].decode()
    assert isinstance(service.metrics, Metrics)
    names = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.MULTILINE))
    names = {name for name in names if not name.endswith("_created")}
    assert len(names) > 15
    for name in names:
        assert f"`{name}`" in OPERATIONS, name


def test_every_metric_of_the_page_exists(server_url: str) -> None:
    import httpx

    httpx.post(f"{server_url}/speak", json={"text": "One."}, timeout=60)
    text = httpx.get(f"{server_url}/metrics").text
    known = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    for name in set(re.findall(r"`(flashtts_[a-z_]+)`", OPERATIONS)):
        assert name in known, name


def test_every_reason_of_a_refusal_is_documented() -> None:
    for reason in get_args(Reason):
        assert f"`{reason}`" in OPERATIONS


@pytest.mark.parametrize("page", [OPERATIONS, WEBSOCKET], ids=["operations", "websocket"])
def test_every_flag_of_the_pages_exists(page: str) -> None:
    known = {*fields_of(Settings), *fields_of(ServerSettings)}
    flags = set(re.findall(r"`--([a-z_]+)", page))
    assert len(flags) > 3
    assert flags <= known


def test_every_message_and_its_fields_are_documented() -> None:
    for kind in KINDS:
        assert f'"type": "{kind}"' in WEBSOCKET, kind
    for message in get_args(ServerMessage):
        assert f"`{message.__struct_config__.tag}`" in WEBSOCKET
        for field in msgspec.structs.fields(message):
            assert f"`{field.name}`" in WEBSOCKET, field.name
    for field in msgspec.structs.fields(KINDS["session.config"]):
        assert f"`{field.name}`" in WEBSOCKET, field.name


def test_the_example_of_a_websocket_client_runs(tmp_path: Path, server_url: str) -> None:
    out = tmp_path / "speech.wav"
    command = [sys.executable, str(ROOT / "examples" / "websocket.py"), "Hello there. This is the second sentence."]
    command += ["--url", server_url.replace("http", "ws", 1), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0.00 s  Hello there." in done.stdout
    assert "completed: 2 sentences" in done.stdout
    with wave.open(str(out)) as file:
        assert file.getnframes() / file.getframerate() > 1.5
