"""The number format that TensorRT-LLM is asked for, and what is said if the model's file names another."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from flashtts_backend_trt.plan import capability_of_first_card, number_format, plan
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Dtype, Settings


def write_config(folder: Path, **more: str) -> Path:
    config = {"model_type": "qwen2", "vocab_size": 1000, "max_position_embeddings": 600, **more}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("wanted", "family", "capability", "chosen"),
    [
        ("auto", "qwen2", (8, 0), "bfloat16"),
        ("auto", "llama", (9, 0), "bfloat16"),
        ("float16", "llama", (8, 6), "float16"),
        ("float32", "qwen2", (8, 0), "float32"),
        ("float16", "qwen2", (8, 0), "bfloat16"),
        ("auto", "qwen2", (7, 5), "float32"),
        ("float16", "qwen2", (7, 5), "float32"),
        ("auto", "llama", (7, 5), "float16"),
    ],
)
def test_the_number_format_is_one_in_which_the_model_speaks(
    wanted: Dtype, family: str, capability: tuple[int, int], chosen: Dtype
) -> None:
    assert number_format(wanted, family, capability) == chosen


def test_float16_gives_way_where_it_overflows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chosen = plan(write_config(tmp_path), Settings(torch_dtype="float16"))
    assert chosen.arguments["dtype"] == "bfloat16"
    assert "overflows in qwen2 models and gives no speech; bfloat16 is used instead" in caplog.text


@pytest.mark.parametrize("key", ["torch_dtype", "dtype"])
@pytest.mark.parametrize(("stored", "told"), [("float16", True), ("float32", True), ("bfloat16", False)])
def test_a_model_whose_file_names_another_format_is_reported(
    key: str, stored: str, *, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        plan(write_config(tmp_path, **{key: stored}), Settings())
    assert (f"names, {stored}, even if it is told another. Change it to bfloat16" in caplog.text) == told


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"qwen_type": "qwen2", "dtype": "float16"}, True),
        ({"qwen_type": "qwen2", "dtype": "bfloat16"}, False),
        ({"dtype": "float16"}, False),
        ({}, False),
    ],
)
def test_an_engine_that_was_built_in_a_format_that_overflows_is_reported(
    model: dict[str, str], *, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    built = {
        "build_config": {"max_batch_size": 256, "max_seq_len": 99},
        "pretrained_config": {"vocab_size": 9, **model},
    }
    engine = tmp_path / "tensorrt-engine"
    engine.mkdir()
    (engine / "config.json").write_text(json.dumps(built))
    assert plan(tmp_path, Settings()).engine
    assert ("was built in float16, which overflows in qwen2 models" in caplog.text) == told


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stand-in for torch with one card, whose parts a test may change."""
    cuda = {"device_count": lambda: 1, "get_device_capability": {0: (8, 9)}.__getitem__}
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    vars(sys.modules["torch"])["cuda"] = namespace = SimpleNamespace(**cuda)
    return vars(namespace)


def test_the_capability_is_that_of_the_first_card(torch: dict[str, Any]) -> None:
    assert capability_of_first_card() == (8, 9)
    torch["device_count"] = lambda: 0
    with pytest.raises(ConfigError, match="NVIDIA GPUs, and PyTorch sees none"):
        capability_of_first_card()


def test_a_torch_that_cannot_be_imported_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match="The PyTorch that TensorRT-LLM needs cannot be imported"):
        capability_of_first_card()
