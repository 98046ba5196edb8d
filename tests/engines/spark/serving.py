"""A real server with the golden checkpoint on the torch backend, and recordings to send it."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import httpx
import numpy as np

from engines.spark import golden
from flashtts_core.engines import Engine
from flashtts_core.host import open_synthesizer
from flashtts_core.settings import Settings
from flashtts_server.testing import LiveServer

RATE = 16_000
TOKEN_BYTES = 2 * 320
"""What one token of speech takes as pcm at the engine's rate."""
SHORT = {"response_format": "pcm", "max_tokens": 70}
"""Cuts answers after about half a second of speech; the model's own are up to three seconds long."""


def spark_server(voice_dir: Path, **changes: object) -> LiveServer:
    """Return a server that keeps its voices in ``voice_dir``; ``changes`` are settings."""
    given = {"model_path": str(golden.CHECKPOINT), "voice_dir": str(voice_dir), "max_length": 1024, **changes}
    settings = Settings(**given)  # type: ignore[arg-type]  # by name

    async def make() -> Engine:
        return (await open_synthesizer(settings)).engine

    return LiveServer(make, settings=settings)


def ask(url: str, path: str = "/speak", **fields: object) -> httpx.Response:
    """Post a JSON body of speech; short, and pcm, unless ``fields`` say otherwise."""
    return httpx.post(url + path, json={"text": "Hello there.", **SHORT, **fields}, timeout=60)


def pcm_of(answer: httpx.Response) -> bytes:
    """Return the sound of an answer that went well: whole tokens of it."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-sample-rate"] == str(RATE)
    assert len(answer.content) > 0
    assert len(answer.content) % TOKEN_BYTES == 0
    return answer.content


def recorded(seconds: float = 1.5, *, rate: int = RATE, channels: int = 1, width: int = 2, loud: float = 0.4) -> bytes:
    """Return a wav file of a voice-like tone; ``width`` is the bytes of a sample."""
    time = np.arange(int(seconds * rate)) / rate
    tone = loud * np.sin(2 * np.pi * 150 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    levels = np.round(tone * (2 ** (8 * width - 1) - 1))
    samples = (levels + 128).astype(np.uint8) if width == 1 else levels.astype(f"<i{width}")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).tobytes())
    return sink.getvalue()
