"""A process that ends right after threads that computed with MLX ends in order."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlx.core as mx
import pytest

from flashtts_backend_mlx.model import load_mlx_model
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint

DRAW_AND_END = """
import os, threading
import mlx.core as mx
from flashtts_backend_mlx.threads import forgetting_mlx

if hasattr(os, "sched_setaffinity"):  # on one core, threads that have ended wait longest for their turn to go
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

def draw():
    with forgetting_mlx():
        mx.eval(mx.random.uniform(shape=(4,)))

threads = [threading.Thread(target=draw) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_a_process_that_ends_with_its_threads_is_not_aborted() -> None:
    # Without forgetting_mlx, about half of such processes are.
    for _ in range(8):
        done = subprocess.run([sys.executable, "-c", DRAW_AND_END], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_closed_model_leaves_nothing_of_mlx_to_its_thread(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model", "llama")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: load_mlx_model(folder, Settings(llm_device="cpu")).close()).result()
        with pytest.raises(RuntimeError, match="Stream"):
            thread.submit(lambda: mx.eval(mx.ones(3) + 1)).result()
