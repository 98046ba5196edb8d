"""A model and its codec given as hub ids: the files that are needed are fetched, and no others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from engines.hub_server import REPOSITORY, Hub, only_this_hub, running_hub

MODEL = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
SNAC = {"config.json", "pytorch_model.bin"}
UNNEEDED = ("optimizer.bin", "pytorch_model_fsdp.bin", "original/consolidated.safetensors", "checkpoints/0/model.bin")


def infer(hub: Hub, folder: Path, *flags: str) -> None:
    arguments = ["-i", "Hello there.", "-o", "out.wav", "--backend", "torch", "--llm_device", "cpu", *flags]
    done = subprocess.run(
        [sys.executable, "-m", "flashtts_core", "infer", *arguments],
        env=only_this_hub(hub, folder / "cache"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "out.wav").stat().st_size > 24_000


def test_a_model_is_fetched_with_the_codec_inside_it(checkpoint: Path, tmp_path: Path) -> None:
    for name in UNNEEDED:
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).write_bytes(b"not needed")
    with running_hub(checkpoint) as hub:
        infer(hub, tmp_path, "-m", REPOSITORY)
    there = {path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if path.is_file()}
    assert hub.names == there & (MODEL | {f"snac/{name}" for name in SNAC})


def test_the_codec_alone_is_fetched_by_its_own_id(checkpoint: Path, tmp_path: Path) -> None:
    codec = Path(shutil.move(checkpoint / "snac", tmp_path / "codec"))
    (codec / "README.md").write_text("not needed")
    with running_hub(codec) as hub:
        infer(hub, tmp_path, "-m", str(checkpoint), "--snac_path", REPOSITORY)
    assert hub.names == SNAC
