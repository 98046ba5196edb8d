"""What the folder of a Qwen2 or Llama model holds: its weight files, and the names and shapes of its tensors.

Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from flashtts_core.backends.torch.config import DecoderConfig
from flashtts_core.errors import BadCheckpoint

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
FINAL_NORM = "model.norm.weight"

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_UNUSED_ENDING = ".rotary_emb.inv_freq"
"""Old Llama checkpoints carry this table; it follows from the configuration."""
_NAMED_AT_MOST = 6


class _Index(Struct, frozen=True):
    weight_map: dict[str, str]


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model folder; raises ``BadCheckpoint``."""
    single, index = folder / SINGLE_FILE, folder / INDEX_FILE
    if single.is_file():
        return [single]
    if not index.is_file():
        raise BadCheckpoint(f"{folder} has neither {SINGLE_FILE} nor {INDEX_FILE}; give the folder of the model.")
    try:
        names = sorted(set(msgspec.json.decode(index.read_bytes(), type=_Index).weight_map.values()))
    except msgspec.DecodeError as error:
        raise BadCheckpoint(f"{index} is not an index of weight files: {error}. Download it again.") from error
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise BadCheckpoint(f"{folder} lacks {listed(missing)}, named in {INDEX_FILE}. Download the model again.")
    return [folder / name for name in names]


def expected_shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Return every tensor that a model of this configuration has, and its shape; the head only if it is not tied."""
    hidden, inner = config.hidden_size, config.intermediate_size
    queries, keys = config.heads * config.head_dim, config.kv_heads * config.head_dim
    projections = {
        "self_attn.q_proj": (queries, hidden, config.qkv_bias),
        "self_attn.k_proj": (keys, hidden, config.qkv_bias),
        "self_attn.v_proj": (keys, hidden, config.qkv_bias),
        "self_attn.o_proj": (hidden, queries, config.output_bias),
        "mlp.gate_proj": (inner, hidden, config.mlp_bias),
        "mlp.up_proj": (inner, hidden, config.mlp_bias),
        "mlp.down_proj": (hidden, inner, config.mlp_bias),
    }
    shapes: dict[str, tuple[int, ...]] = {EMBEDDING: (config.vocab_size, hidden), FINAL_NORM: (hidden,)}
    if not config.tied:
        shapes[HEAD] = (config.vocab_size, hidden)
    for layer in range(config.layers):
        prefix = f"model.layers.{layer}."
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{prefix}{name}.weight"] = (hidden,)
        for name, (rows, columns, has_bias) in projections.items():
            shapes[f"{prefix}{name}.weight"] = (rows, columns)
            if has_bias:
                shapes[f"{prefix}{name}.bias"] = (rows,)
    return shapes


def check_tensors(folder: Path, config: DecoderConfig, stored: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
    """Raise ``BadCheckpoint`` unless a model has the tensors that its configuration asks for, and no others.

    ``stored`` gives shape and kind (``F32``, ``BF16``, ...) of each. A tied model may have a head of its own.
    """
    expected = expected_shapes(config)
    optional = {HEAD: expected[EMBEDDING]} if config.tied else {}
    faults = []
    if missing := expected.keys() - stored.keys():
        faults.append(f"missing: {listed(missing)}")
    known = expected | optional
    if strangers := [name for name in stored if name not in known and not name.endswith(_UNUSED_ENDING)]:
        faults.append(f"unexpected: {listed(strangers)}")
    wrong = []
    for name in stored.keys() & known.keys():
        shape, kind = stored[name]
        if shape != known[name] or kind not in FLOATS:
            wrong.append(f"{name} is {kind} {list(shape)} for {list(known[name])}")
    if wrong:
        faults.append(f"wrong: {listed(wrong)}")
    if faults:
        raise BadCheckpoint(
            f"The weights in {folder} do not fit its config.json ({config.model_type}). Tensors {'; '.join(faults)}."
        )


def listed(names: Collection[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = sorted(names)[:_NAMED_AT_MOST]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
