"""Voices of Spark-TTS on the command line and on disk: added, listed, removed, made anew for another codec."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from engines.spark import golden
from flashtts_core.cli.main import call
from flashtts_core.host import open_synthesizer
from flashtts_core.settings import Settings
from flashtts_core.types import Voice


def model(voices: Path, checkpoint: Path = golden.CHECKPOINT) -> list[str]:
    return ["--model_path", str(checkpoint), "--voice_dir", str(voices), "--max_length", "512"]


def loaded(name: str, voices: Path, checkpoint: Path = golden.CHECKPOINT) -> Voice:
    async def load() -> Voice:
        async with await open_synthesizer(
            Settings(model_path=str(checkpoint), voice_dir=str(voices), max_length=512)
        ) as synthesizer:
            return await synthesizer.voices.get(name)

    return asyncio.run(load())


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "a.wav"
    path.write_bytes(golden.recording("a"))
    return path


def test_voices_are_added_listed_and_removed_on_the_command_line(
    tmp_path: Path, recording: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    voices = tmp_path / "voices"
    adding = ["voices", "add", "Zoe\u0308", "--reference_audio", str(recording), *model(voices)]
    assert call([*adding, "--reference_text", "Words."]) == 0
    assert "Added Zo\u00eb." in capfd.readouterr().out
    assert call(adding) == 1
    assert "already" in capfd.readouterr().err
    assert call([*adding, "--overwrite"]) == 0
    assert call(["voices", "list", *model(voices)]) == 0
    assert capfd.readouterr().out.splitlines()[-3:] == ["female (built in)", "male (built in)", "Zo\u00eb"]
    assert next(voices.rglob("reference-*")).read_bytes() == recording.read_bytes(), "kept without loss"
    assert call(["voices", "remove", "Zo\u00eb", *model(voices)]) == 0
    assert call(["voices", "remove", "Zo\u00eb", *model(voices)]) == 1
    assert call(["voices", "list", *model(voices)]) == 0
    assert "Zo\u00eb" not in capfd.readouterr().out.splitlines()


def test_codes_of_another_codec_are_made_anew_from_the_recording(tmp_path: Path, recording: Path) -> None:
    voices, other = tmp_path / "voices", tmp_path / "other"
    assert call(["voices", "add", "anna", "--reference_audio", str(recording), *model(voices)]) == 0
    first = loaded("anna", voices)
    shutil.copytree(golden.CHECKPOINT, other)
    weights = safetensors.numpy.load_file(other / "BiCodec" / "model.safetensors")
    weights["quantizer.codebook.weight"] = np.ascontiguousarray(weights["quantizer.codebook.weight"][::-1])
    safetensors.numpy.save_file(weights, other / "BiCodec" / "model.safetensors")
    second = loaded("anna", voices, other)
    size = len(weights["quantizer.codebook.weight"])
    np.testing.assert_array_equal(second.codes["semantics"], size - 1 - first.codes["semantics"])
    again = loaded("anna", voices)
    np.testing.assert_array_equal(again.codes["semantics"], first.codes["semantics"])
    kept = json.loads(next(voices.rglob("voice.json")).read_text())["codes"]
    assert len(kept) == 2
    assert all(key.startswith("spark-") for key in kept)


def test_roles_of_the_working_directory_are_found(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    role = tmp_path / "data" / "roles" / "narrator"
    role.mkdir(parents=True)
    shutil.copy(recording, role / "voice.wav")
    monkeypatch.chdir(tmp_path)
    assert call(["voices", "list", *model(tmp_path / "voices")]) == 0
    assert "narrator (built in)" in capfd.readouterr().out
    assert call(["voices", "remove", "narrator", *model(tmp_path / "voices")]) == 1
