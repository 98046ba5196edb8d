"""A real server with the golden checkpoint on the torch backend, and what is sent to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from engines.mega import golden
from flashtts_core.engines import Engine
from flashtts_core.host import open_synthesizer
from flashtts_core.settings import Settings
from flashtts_server.testing import LiveServer

RATE = 24_000
HOP_BYTES = 2 * 960
"""What one latent takes as pcm."""
STEPS = 2
"""Diffusion steps of requests that do not say how many: the weights are random, so more are no better."""


def settings_of(voice_dir: Path, **changes: Any) -> Settings:
    own = {"mega": {"time_step": STEPS}}
    given = {"model_path": str(golden.CHECKPOINT), "voice_dir": str(voice_dir), "max_length": 1024, "plugin": own}
    return Settings(**{**given, **changes})


def mega_server(voice_dir: Path, **changes: Any) -> LiveServer:
    """Return a server that keeps its voices in ``voice_dir``; ``changes`` are settings."""
    settings = settings_of(voice_dir, **changes)

    async def make() -> Engine:
        return (await open_synthesizer(settings)).engine

    return LiveServer(make, settings=settings)


def ask(url: str, path: str = "/speak", **fields: object) -> httpx.Response:
    """Post a JSON body of speech; pcm, unless ``fields`` say otherwise."""
    return httpx.post(url + path, json={"text": "Good day.", "response_format": "pcm", **fields}, timeout=120)


def clone(
    url: str, *, audio: bytes = golden.RECORDING, latent: bytes | None = golden.LATENT, **fields: str
) -> httpx.Response:
    form = {"text": "Good day.", "response_format": "pcm", **fields}
    files = {"reference_audio_file": audio, **({} if latent is None else {"latent_file": latent})}
    return httpx.post(f"{url}/clone_voice", data=form, files=files, timeout=120)


def add(
    url: str, name: str, *, audio: bytes = golden.RECORDING, latent: bytes | None = golden.LATENT
) -> httpx.Response:
    files = {"audio_file": audio, **({} if latent is None else {"latent_file": latent})}
    return httpx.post(f"{url}/add_speaker", data={"name": name}, files=files, timeout=120)


def pcm_of(answer: httpx.Response) -> bytes:
    """Return the sound of an answer that went well."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-sample-rate"] == str(RATE)
    assert len(answer.content) > HOP_BYTES
    return answer.content
