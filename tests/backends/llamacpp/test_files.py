"""Which GGUF file is opened, and which folder holds the language model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flashtts_backend_llamacpp.files import find_gguf, find_language_model
from flashtts_core.errors import BadCheckpoint, ConfigError

GOLDEN = Path(__file__).parents[2] / "golden"


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"GGUF....")


def test_the_only_file_or_the_usual_name_is_taken(tmp_path: Path) -> None:
    make(tmp_path, "spark-q8.gguf", "._spark-q8.gguf")  # macOS leaves such a file beside
    assert find_gguf(tmp_path, None).name == "spark-q8.gguf"
    make(tmp_path, "model.gguf", "another.gguf")
    assert find_gguf(tmp_path, None).name == "model.gguf"


def test_one_of_several_is_chosen_by_name_or_path_and_the_error_lists_them(tmp_path: Path) -> None:
    make(tmp_path, "model-f16.gguf", "model-q8_0.gguf")
    with pytest.raises(ConfigError, match=r"model-f16.gguf, model-q8_0.gguf. Choose one with --llama_cpp_gguf"):
        find_gguf(tmp_path, None)
    for chosen in ("model-q8_0.gguf", "model-q8_0", str(tmp_path / "model-q8_0.gguf")):
        assert find_gguf(tmp_path, chosen) == tmp_path / "model-q8_0.gguf"
    with pytest.raises(ConfigError, match=r"no file nothing.*model-f16.gguf"):
        find_gguf(tmp_path, "nothing")


def test_a_split_file_is_opened_by_its_first_part(tmp_path: Path) -> None:
    make(tmp_path, "big-00001-of-00002.gguf", "big-00002-of-00002.gguf")
    assert find_gguf(tmp_path, None).name == "big-00001-of-00002.gguf"


def test_no_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"flashtts convert gguf {tmp_path}"):
        find_gguf(tmp_path, None)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"<html>")
    with pytest.raises(BadCheckpoint, match="no GGUF file"):
        find_gguf(tmp_path, None)


def test_the_language_model_is_found_in_the_folders_of_all_engines(tmp_path: Path) -> None:
    assert find_language_model(GOLDEN / "spark-tiny") == GOLDEN / "spark-tiny" / "LLM"
    assert find_language_model(GOLDEN / "spark-tiny" / "LLM") == GOLDEN / "spark-tiny" / "LLM"
    assert find_language_model(GOLDEN / "orpheus-tiny") == GOLDEN / "orpheus-tiny"
    for name, family in {"g2p": "qwen2", "wavvae": "other"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({"model_type": family}))
    assert find_language_model(tmp_path) == tmp_path / "g2p"
    (tmp_path / "wavvae" / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ConfigError, match="several language models: g2p, wavvae"):
        find_language_model(tmp_path)
    with pytest.raises(ConfigError, match="no language model"):
        find_language_model(GOLDEN / "spark-tiny" / "BiCodec")
