"""The golden checkpoint through the command line and through every endpoint of a real server."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from engines.orpheus import golden
from engines.orpheus.playing import open_on_torch
from flashtts_core.cli.main import build
from flashtts_core.plugins import Plugins
from flashtts_core.testing.fakes import tone_reference
from flashtts_server.testing import LiveServer

SPOKEN = 12 * 2048
ENGLISH = ["tara", "leah", "jess", "leo", "dan", "mia", "zac", "zoe"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LiveServer(open_on_torch) as server:
        yield server.url


def samples_in(content: bytes) -> int:
    """Return the length of a wav of 24 kHz."""
    with wave.open(BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels()) == (24_000, 1)
        return int(file.getnframes())


def test_infer_writes_what_the_model_says(tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    flags = ["-m", str(golden.CHECKPOINT), "--backend", "torch", "--llm_device", "cpu", "--max_length", "512"]
    done = CliRunner().invoke(build(Plugins.discover()), ["infer", "-i", "Hello there.", "-o", str(out), *flags])
    assert done.exit_code == 0, done.output
    assert samples_in(out.read_bytes()) == SPOKEN


def test_infer_without_a_codec_says_which_path_to_give(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "snac").rename(tmp_path / "codec")
    arguments = ["infer", "-i", "Hello.", "-o", str(tmp_path / "out.wav"), "-m", str(checkpoint)]
    command = [sys.executable, "-m", "flashtts_core", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--snac_path" in done.stderr
    assert "Traceback" not in done.stderr


def test_speak_and_audio_roles(url: str) -> None:
    assert httpx.get(f"{url}/audio_roles").json() == {"success": True, "roles": ENGLISH}
    body = {"name": "leo", "text": "<laugh> So funny!", "response_format": "wav"}
    whole = httpx.post(f"{url}/speak", json=body, timeout=30)
    assert whole.status_code == 200, whole.text
    assert samples_in(whole.content) == SPOKEN
    pcm = {**body, "response_format": "pcm"}
    streamed = httpx.post(f"{url}/speak", json={**pcm, "stream": True}, timeout=30).content
    assert streamed == httpx.post(f"{url}/speak", json=pcm, timeout=30).content
    assert len(streamed) == 2 * SPOKEN


def test_multi_speak(url: str) -> None:
    body = {"text": "<role:tara>Hello. <role:zac,speed:moderate>Hi!", "response_format": "wav"}
    answer = httpx.post(f"{url}/multi_speak", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    assert samples_in(answer.content) == 2 * SPOKEN


def test_the_openai_route_streams_sound_and_events(url: str) -> None:
    body = {"model": "orpheus", "input": "Hello there.", "voice": "mia", "response_format": "pcm"}
    answer = httpx.post(f"{url}/v1/audio/speech", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == 2 * SPOKEN
    events = httpx.post(f"{url}/v1/audio/speech", json={**body, "stream_format": "sse"}, timeout=30)
    told = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: {")]
    sound = b"".join(base64.b64decode(each["audio"]) for each in told if each["type"] == "speech.audio.delta")
    assert sound == answer.content
    assert told[-1]["usage"]["output_tokens"] == 84


def test_what_a_model_without_cloning_refuses(url: str) -> None:
    upload = {"reference_audio_file": tone_reference().audio}
    answer = httpx.post(f"{url}/clone_voice", data={"text": "Hi."}, files=upload, timeout=30)
    assert answer.status_code == 422
    assert "cannot clone" in answer.text
    answer = httpx.post(f"{url}/add_speaker", data={"name": "new"}, files={"audio_file": tone_reference().audio})
    assert answer.status_code == 422
    assert "cannot clone" in answer.text
    answer = httpx.post(f"{url}/speak", json={"name": "pierre", "text": "Hi."})
    assert answer.status_code == 404
    assert "tara" in answer.text
    answer = httpx.post(f"{url}/speak", json={"name": "tara", "text": "Hi.", "pitch": "high"})
    assert answer.status_code == 422
