"""The converter: what is in the file, every number format, atomic writing, and errors that name the remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from gguf import GGUFReader, dequantize
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from flashtts_backend_llamacpp.convert import convert_model, rotary_factors
from flashtts_backend_llamacpp.formats import FORMATS, NumberFormat
from flashtts_backend_llamacpp.model import LlamaCppModel
from flashtts_core.backends.torch.config import Rope, read_config
from flashtts_core.cli.main import build
from flashtts_core.errors import BadCheckpoint, ConfigError, EngineError
from flashtts_core.plugins import Plugins
from flashtts_core.testing.checkpoints import TransformersReference, make_checkpoint
from flashtts_core.types import TokenRequest

OpenModel = Callable[..., LlamaCppModel]
Drive = Callable[..., dict[str, "list[int] | EngineError"]]

COARSENESS = {"f32": 0, "f16": 1e-3, "bf16": 8e-3, "q8_0": 0.01, "q5_1": 0.06, "q5_0": 0.08, "q4_1": 0.12, "q4_0": 0.17}
"""Largest error of a value, as a share of the largest value in its row."""


def command(*arguments: str) -> Result:
    return CliRunner().invoke(build(Plugins.discover()), ["convert", "gguf", *arguments])


@pytest.mark.parametrize("number_format", FORMATS)
def test_every_number_format_holds_the_weights_and_runs(
    *,
    number_format: NumberFormat,
    checkpoints: dict[str, Path],
    tmp_path: Path,
    open_model: OpenModel,
    drive: Drive,
    requests: list[TokenRequest],
) -> None:
    convert_model(checkpoints["qwen2"], tmp_path / "model.gguf", number_format)
    weights = load_file(checkpoints["qwen2"] / "model.safetensors")
    packed = {tensor.name: tensor for tensor in GGUFReader(tmp_path / "model.gguf").tensors}
    for ours, official in {
        "blk.0.ffn_up.weight": "model.layers.0.mlp.up_proj.weight",
        "token_embd.weight": "model.embed_tokens.weight",
        "blk.1.attn_q.bias": "model.layers.1.self_attn.q_proj.bias",
    }.items():
        expected = weights[official].numpy()
        values = dequantize(packed[ours].data, packed[ours].tensor_type).reshape(expected.shape)
        error = np.abs(values - expected).max(-1) / np.abs(expected).max(-1).clip(1e-9)
        assert error.max() <= COARSENESS[number_format], ours
    assert packed["blk.1.attn_q.bias"].tensor_type.name == packed["output_norm.weight"].tensor_type.name == "F32"
    model = open_model(tmp_path)
    (ids,) = drive(model, requests[:1]).values()
    assert isinstance(ids, list)
    assert len(ids) == 32
    model.close()


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}}),
        ("llama", {"head_dim": 32, "hidden_size": 96}),
        ("qwen2", {"tie_word_embeddings": False, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}),
        ("qwen2", {"num_key_value_heads": 4}),
    ],
)
def test_every_kind_of_model_answers_as_in_transformers(
    *,
    family: str,
    changes: dict[str, object],
    tmp_path: Path,
    open_model: OpenModel,
    drive: Drive,
    requests: list[TokenRequest],
) -> None:
    folder = make_checkpoint(tmp_path, family, **changes)  # type: ignore[arg-type]  # a literal
    if changes.get("attention_bias"):
        weights = load_file(folder / "model.safetensors")
        draw = torch.Generator().manual_seed(0)
        biases = {name: torch.randn(value.shape, generator=draw) for name, value in weights.items() if "bias" in name}
        assert len(biases) == 14
        save_file({**weights, **biases}, folder / "model.safetensors", {"format": "pt"})
    convert_model(folder, folder / "model.gguf", "f32")
    reference = TransformersReference(folder)
    model = open_model(folder)
    assert drive(model, requests) == {request.id: reference.greedy(request.prompt, 32) for request in requests}
    model.close()


def test_bfloat16_weights_in_several_files_convert_to_what_they_are(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    weights = {name: value.bfloat16() for name, value in load_file(checkpoints["llama"] / "model.safetensors").items()}
    names = sorted(weights)
    index: dict[str, str] = {}
    for number, part in enumerate((names[:5], names[5:]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, tmp_path / file)
        index |= dict.fromkeys(part, file)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    shutil.copy(checkpoints["llama"] / "config.json", tmp_path)
    convert_model(tmp_path, tmp_path / "model.gguf", "f32")
    packed = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "model.gguf").tensors}
    expected = weights["model.layers.1.mlp.down_proj.weight"].float().numpy()
    np.testing.assert_array_equal(packed["blk.1.ffn_down.weight"], expected)


def test_rotary_factors_are_those_of_transformers() -> None:
    rope = Rope(500_000.0, "llama3", 32.0, 1.0, 4.0, 8192)
    parameters = {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = LlamaConfig(hidden_size=3072, num_attention_heads=24, head_dim=128, rope_parameters=parameters)
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 500_000.0 ** -(np.arange(0, 128, 2) / 128)
    np.testing.assert_allclose(plain / rotary_factors(rope, 128), scaled.numpy(), rtol=1e-5)


def test_the_command_writes_where_the_backend_looks_and_replaces_only_when_told(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(Path(__file__).parents[2] / "golden" / "spark-tiny", tmp_path / "spark"))
    done = command(str(folder), "--type", "q8_0")
    assert done.exit_code == 0, done.output
    target = folder / "LLM" / "model-q8_0.gguf"
    assert f"Wrote {target}" in done.output
    before = target.read_bytes()
    refused = command(str(folder))
    assert isinstance(refused.exception, ConfigError)
    assert "--overwrite" in str(refused.exception)
    assert command(str(folder), "--type", "q8_0", "--overwrite").exit_code == 0
    assert target.read_bytes() == before
    assert sorted(path.name for path in target.parent.glob("*gguf*")) == ["model-q8_0.gguf"]


def test_a_failure_leaves_no_file_and_keeps_an_older_one(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    target.write_bytes(b"older")

    def fail(done: int, total: int) -> None:
        assert 0 < done < total
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_model(checkpoints["qwen2"], target, "f16", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]
    assert target.read_bytes() == b"older"


def test_rows_that_cannot_be_packed_are_named(tmp_path: Path) -> None:
    orpheus = Path(__file__).parents[2] / "golden" / "orpheus-tiny"
    with pytest.raises(ConfigError, match=r"blocks of 32 .*token_embd.weight has rows of 24.*--type f16"):
        convert_model(orpheus, tmp_path / "x.gguf", "q8_0")
    convert_model(orpheus, tmp_path / "x.gguf", "f16")


@pytest.mark.parametrize("damage", ["short", "header", "missing", "stranger"])
def test_damaged_weights_are_refused_by_name(damage: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoints["qwen2"], tmp_path / "damaged"))
    path = folder / "model.safetensors"
    content, weights = path.read_bytes(), load_file(path)
    if damage == "short":
        path.write_bytes(content[:-1000])
    elif damage == "header":
        path.write_bytes(content[:5])
    elif damage == "missing":
        save_file({name: value for name, value in weights.items() if "layers.1.mlp.up" not in name}, path)
    else:
        save_file({**weights, "model.layers.7.mlp.up_proj.weight": torch.zeros(2)}, path)
    words = {
        "short": "damaged or incomplete",
        "header": "damaged or incomplete",
        "missing": "missing: model.layers.1.mlp.up_proj.weight",
        "stranger": "unexpected: model.layers.7.mlp.up_proj.weight",
    }
    with pytest.raises(BadCheckpoint, match=words[damage]):
        convert_model(folder, tmp_path / "x.gguf", "f16")
    assert not (tmp_path / "x.gguf").exists()


def test_a_model_that_llama_cpp_cannot_run_is_refused_before_anything_is_written(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    config = json.loads((checkpoints["qwen2"] / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "head_dim": 64}))
    assert read_config(tmp_path).head_dim == 64
    with pytest.raises(BadCheckpoint, match="do not add up to its hidden size"):
        convert_model(tmp_path, tmp_path / "x.gguf", "f16")
