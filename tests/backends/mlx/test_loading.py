"""Folders of every kind are read right or refused by name; what mlx-lm would read wrong without a word is mended."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
import torch
from mlx_lm.utils import load_model, quantize_model, save_model
from safetensors.torch import load_file, save_file

from flashtts_backend_mlx.config import read_config
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.testing.checkpoints import Family, TransformersReference

Ask = Callable[..., list[list[int] | BaseException]]
Checkpoint = Callable[[Family], Path]

PROMPT = tuple(range(1, 100))
"""Longer than the 64 tokens after which the rotary scaling of the test model begins."""


def change(folder: Path, **fields: Any) -> Path:
    """Change fields of a config.json; ``None`` removes one."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
    return folder


def test_rotary_settings_in_either_spelling_are_those_of_transformers(checkpoint: Checkpoint, ask: Ask) -> None:
    folder = checkpoint("llama")
    expected = TransformersReference(folder).greedy(PROMPT, 16)
    assert ask(folder, PROMPT) == [expected]
    rope = json.loads((folder / "config.json").read_text())["rope_parameters"]
    change(folder, rope_parameters=None, rope_theta=rope.pop("rope_theta"), rope_scaling=rope)
    assert ask(folder, PROMPT) == [expected]


def test_fields_left_out_have_transformers_defaults_and_not_mlx_lms(checkpoint: Checkpoint, ask: Ask) -> None:
    folder = change(checkpoint("qwen2"), rope_parameters=None, rope_theta=None)
    assert ask(folder, PROMPT) == [TransformersReference(folder).greedy(PROMPT, 16)]
    folder = change(checkpoint("llama"), tie_word_embeddings=None)
    assert ask(folder, PROMPT) == [TransformersReference(folder).greedy(PROMPT, 16)]


def test_a_tied_model_with_a_head_of_its_own_uses_it(checkpoint: Checkpoint, ask: Ask) -> None:
    folder = checkpoint("llama")
    expected = ask(folder, PROMPT)
    assert ask(change(folder, tie_word_embeddings=True), PROMPT) == expected


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_files_are_computed_in_float32_on_a_cpu(
    checkpoint: Checkpoint, ask: Ask, kind: torch.dtype
) -> None:
    folder = checkpoint("qwen2")
    weights = {name: tensor.to(kind) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert ask(folder, PROMPT) == [TransformersReference(folder).greedy(PROMPT, 16)]


def test_the_format_can_be_chosen(checkpoint: Checkpoint, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    folder = checkpoint("llama")
    exact = ask(folder, PROMPT)
    for kind in ("bfloat16", "float16"):
        (answer,) = ask(folder, PROMPT, torch_dtype=kind)
        assert isinstance(answer, list)
        assert answer[:1] == exact[0][:1]  # type: ignore[index]  # a list too
        assert f"{folder}: {kind} on" in caplog.text
    ask(checkpoint("qwen2"), PROMPT, torch_dtype="float16")
    assert "float16 overflows in qwen2 models" in caplog.text
    assert "qwen2: float32 on" in caplog.text


@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantised_folder_says_what_its_weights_say(
    checkpoint: Checkpoint, ask: Ask, tmp_path: Path, bits: int
) -> None:
    folder = checkpoint("qwen2")
    network, config = load_model(folder)
    network, config = quantize_model(network, config, group_size=32, bits=bits)
    save_model(tmp_path / "quantised", network)
    (tmp_path / "quantised" / "config.json").write_text(json.dumps(config))
    # The same numbers as a plain checkpoint: a quantised folder computes what these weights compute.
    plain = load_file(folder / "model.safetensors")
    for name, module in network.named_modules():
        if hasattr(module, "scales"):
            weight = mx.dequantize(module.weight, module.scales, module.biases, group_size=32, bits=bits)
            plain[f"{name}.weight"] = torch.tensor(weight.tolist())
    save_file(plain, folder / "model.safetensors", metadata={"format": "pt"})
    assert ask(tmp_path / "quantised", PROMPT) == ask(folder, PROMPT)
    assert ask(folder, PROMPT) == [TransformersReference(folder).greedy(PROMPT, 16)]


def test_the_context_is_the_smaller_of_the_setting_and_the_model(checkpoint: Checkpoint, ask: Ask) -> None:
    found: list[int] = []
    folder = checkpoint("qwen2")
    for setting in (64, 32_768):
        ask(folder, spoil=lambda backend: found.append(backend.max_length), max_length=setting)
    assert found == [64, 2048]


def test_a_folder_that_is_no_model_is_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(BadCheckpoint, match=r"config\.json cannot be read"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(BadCheckpoint, match="is not the configuration"):
        read_config(tmp_path)
    folder = checkpoint("qwen2")
    (folder / "model.safetensors").rename(folder / "weights.bin")
    with pytest.raises(BadCheckpoint, match=r"holds no model\*\.safetensors"):
        read_config(folder)
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(BadCheckpoint, match="damaged or incomplete"):
        read_config(folder)


def test_what_mlx_lm_would_compute_wrong_is_refused(checkpoint: Checkpoint) -> None:
    for fields in ({"hidden_act": "gelu"}, {"use_sliding_window": True}):
        with pytest.raises(BadCheckpoint, match="does not compute for qwen2"):
            read_config(change(checkpoint("qwen2"), **fields))


def test_missing_strange_and_misshapen_tensors_are_named(checkpoint: Checkpoint, ask: Ask) -> None:
    name = "model.layers.1.mlp.up_proj.weight"
    folder = checkpoint("qwen2")
    whole = load_file(folder / "model.safetensors")
    spoiled = {
        "missing": {key: tensor for key, tensor in whole.items() if key != name},
        "strange": {**whole, "model.extra": torch.zeros(1)},
        "misshapen": {**whole, name: torch.zeros(1, 1)},
    }
    for kind, weights in spoiled.items():
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(BadCheckpoint, match=r"model\.extra" if kind == "strange" else r"layers\.1\.mlp\.up_proj"):
            ask(folder, PROMPT)


def test_a_family_that_mlx_lm_does_not_know_is_named(checkpoint: Checkpoint, ask: Ask) -> None:
    with pytest.raises(BadCheckpoint, match="mlx-lm cannot load the wonder model"):
        ask(change(checkpoint("qwen2"), model_type="wonder"), PROMPT)


def test_a_device_that_is_not_there_is_refused_with_what_is(checkpoint: Checkpoint, ask: Ask) -> None:
    for device in ("cuda:7", "mps" if not mx.metal.is_available() else "cuda"):
        with pytest.raises(ConfigError, match=f"--llm_device {device} is not there for this build of MLX; use auto"):
            ask(checkpoint("qwen2"), PROMPT, llm_device=device)
