"""Run inside an environment that holds nothing but our wheels and what they require (``nox -s dist``).

With ``core`` as argument the environment holds flashtts-core alone.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = [
    *("flashtts", "flashtts-core", "flashtts-server", "flashtts-engine-hibari"),
    *("flashtts-backend-sglang", "flashtts-backend-trt", "flashtts-backend-vllm"),
]
FORBIDDEN = ["torch", "transformers", "vllm", "sglang", "tensorrt-llm", "scipy"]


def flashtts(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flashtts_core", *arguments], capture_output=True, text=True, check=False
    )


def main() -> None:
    installed = {distribution.name.lower() for distribution in importlib.metadata.distributions()}
    assert not installed & set(FORBIDDEN), installed & set(FORBIDDEN)
    if sys.argv[1:] == ["core"]:
        spoken = flashtts("infer", "-i", "hello", "-o", "never.wav")
        assert spoken.returncode == 2, spoken
        assert "pip install" in spoken.stderr, spoken.stderr
        return
    assert set(OURS) <= installed
    for name in OURS:
        files = {str(path) for path in importlib.metadata.files(name) or []}
        assert any(path.endswith("py.typed") for path in files), name
        assert any("LICENSE" in path for path in files), name
    assert "Broken" not in (listing := flashtts("plugins").stdout), listing
    assert "flashtts[vllm-cpu]" in listing, "a backend without its runtime is listed with the command that brings it"
    assert flashtts("serve", "--help").returncode == 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "hello.mp3"
        spoken = flashtts("infer", "-i", "Hello from an empty environment.", "-o", str(out))
        assert spoken.returncode == 0, spoken.stderr
        assert out.stat().st_size > 10_000


if __name__ == "__main__":
    main()
