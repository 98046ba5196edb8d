"""Loading is strict: what is missing, strange, of the wrong shape or damaged is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from flashtts_core.backends.torch.model import TorchModel
from flashtts_core.errors import BadCheckpoint
from flashtts_core.types import TokenRequest

OpenModel = Callable[..., TorchModel]
Drive = Callable[..., dict[str, list[int]]]
Ask = Callable[..., TokenRequest]
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def copy(checkpoints: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    """Write a changed copy of a checkpoint; keywords are fields of its config.json."""

    def write(family: str, change: Callable[[Tensors], None] = lambda tensors: None, **fields: Any) -> Path:
        tensors = load_file(checkpoints[family] / "model.safetensors")
        change(tensors)
        save_file(tensors, tmp_path / "model.safetensors")
        config = json.loads((checkpoints[family] / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps({**config, **fields}))
        return tmp_path

    return write


def shard(folder: Path) -> None:
    """Split the weights of ``folder`` into two files and an index."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: tensors[name] for name in part}, folder / file)
    weight_map = {name: file for file, part in parts.items() for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_a_sharded_checkpoint_is_the_same_model(
    *,
    folder: Path,
    request: pytest.FixtureRequest,
    copy: Callable[..., Path],
    open_model: OpenModel,
    drive: Drive,
    ask: Ask,
) -> None:
    sharded = copy(request.node.callspec.params["folder"])
    shard(sharded)
    asked = ask("a", [1, 2, 3])
    assert drive(open_model(sharded), [asked]) == drive(open_model(folder), [asked])


def test_a_missing_shard_is_named(copy: Callable[..., Path], open_model: OpenModel) -> None:
    folder = copy("llama")
    shard(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(BadCheckpoint, match=r"lacks model-00002-of-00002\.safetensors"):
        open_model(folder)


def test_a_damaged_index_is_named(copy: Callable[..., Path], open_model: OpenModel) -> None:
    folder = copy("llama")
    shard(folder)
    (folder / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(BadCheckpoint, match=re.escape("model.safetensors.index.json is not an index")):
        open_model(folder)


def drop(tensors: Tensors) -> None:
    del tensors["model.layers.1.mlp.up_proj.weight"], tensors["model.norm.weight"]


def add(tensors: Tensors) -> None:
    tensors["model.layers.2.mlp.up_proj.weight"] = torch.zeros(1)


def reshape(tensors: Tensors) -> None:
    tensors["model.norm.weight"] = torch.zeros(95)


def quantise(tensors: Tensors) -> None:
    tensors["model.norm.weight"] = tensors["model.norm.weight"].to(torch.int8)


def drop_head(tensors: Tensors) -> None:
    del tensors["lm_head.weight"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, "missing: model.layers.1.mlp.up_proj.weight, model.norm.weight"),
        (drop_head, "missing: lm_head.weight"),
        (add, "unexpected: model.layers.2.mlp.up_proj.weight"),
        (reshape, "wrong: model.norm.weight is F32 [95] for [96]"),
        (quantise, "wrong: model.norm.weight is I8 [96] for [96]"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    change: Callable[[Tensors], None], message: str, copy: Callable[..., Path], open_model: OpenModel
) -> None:
    with pytest.raises(BadCheckpoint, match=re.escape(message)):
        open_model(copy("llama", change))


def test_many_missing_tensors_are_counted(copy: Callable[..., Path], open_model: OpenModel) -> None:
    with pytest.raises(BadCheckpoint, match="and 3 more"):
        open_model(copy("llama", num_hidden_layers=3))


def test_a_truncated_file_is_named(copy: Callable[..., Path], open_model: OpenModel) -> None:
    folder = copy("qwen2")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadCheckpoint, match=r"model\.safetensors is damaged or incomplete"):
        open_model(folder)


def test_a_folder_without_weights_says_which_files_are_looked_for(
    copy: Callable[..., Path], open_model: OpenModel
) -> None:
    folder = copy("qwen2")
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadCheckpoint, match=r"neither model\.safetensors nor model\.safetensors\.index\.json"):
        open_model(folder)


def test_tables_that_follow_from_the_configuration_are_passed_over(
    copy: Callable[..., Path], open_model: OpenModel
) -> None:
    def add_table(tensors: Tensors) -> None:
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(16)

    assert open_model(copy("llama", add_table)).vocab_size == 1000


def test_a_tied_model_may_carry_a_head_and_one_that_differs_counts(
    checkpoints: dict[str, Path], copy: Callable[..., Path], open_model: OpenModel, drive: Drive, ask: Ask
) -> None:
    def same(tensors: Tensors) -> None:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()

    def other(tensors: Tensors) -> None:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].roll(1, 0)

    request = ask("a", [1, 2, 3], max_tokens=1)
    (expected,) = drive(open_model(checkpoints["qwen2"]), [request])["a"]
    assert drive(open_model(copy("qwen2", same)), [request])["a"] == [expected]
    assert drive(open_model(copy("qwen2", other)), [request])["a"] == [(expected + 1) % 1000]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "mamba"}, "type 'mamba'; the torch backend runs qwen2 and llama"),
        ({"model_type": 3}, "is not the configuration of a language model"),
        ({"model_type": None}, "describes a model of type ''"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"use_sliding_window": True}, "use_sliding_window"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"num_key_value_heads": 2}, "multiple of num_key_value_heads"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "'yarn'"),
        ({"rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.5}}, "partial factor 0.5"),
        ({"vocab_size": "many"}, r"vocab_size"),
    ],
)
def test_configurations_that_would_be_computed_wrongly_are_refused(
    fields: dict[str, Any], message: str, copy: Callable[..., Path], open_model: OpenModel
) -> None:
    with pytest.raises(BadCheckpoint, match=message):
        open_model(copy("llama", **fields))


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path, open_model: OpenModel) -> None:
    with pytest.raises(BadCheckpoint, match=r"config\.json cannot be read"):
        open_model(tmp_path)
