"""Reads the weights of a model from safetensors files, strictly: every tensor there is expected and none is missing.

The files are mapped, so a tensor takes memory only where it is copied to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import torch
from msgspec import Struct
from safetensors import SafetensorError, safe_open

from flashtts_core.backends.torch.config import DecoderConfig
from flashtts_core.errors import BadCheckpoint

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
FINAL_NORM = "model.norm.weight"

_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_UNUSED_ENDING = ".rotary_emb.inv_freq"
"""Old Llama checkpoints carry this table; it follows from the configuration."""
_NAMED_AT_MOST = 6


class _Index(Struct, frozen=True):
    weight_map: dict[str, str]


class Checkpoint:
    """The open files of one model, checked against its configuration."""

    def __init__(self, files: Mapping[str, safe_open]) -> None:
        self._files = files

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor as it is stored; its memory is the mapped file's."""
        tensor: torch.Tensor = self._files[name].get_tensor(name)  # type: ignore[no-untyped-call]  # safetensors is untyped
        return tensor

    def own_head(self, config: DecoderConfig) -> bool:
        """True if the output head has weights of its own.

        A tied model may carry a copy of its embedding as a head; where the copy differs, it counts, as in transformers.
        """
        return HEAD in self and not (config.tied and torch.equal(self.read(HEAD), self.read(EMBEDDING)))


@contextmanager
def open_checkpoint(folder: Path, config: DecoderConfig) -> Iterator[Checkpoint]:
    """Open and check the weights in ``folder``; raises ``BadCheckpoint`` that names the files or tensors at fault."""
    with ExitStack() as stack:
        files: dict[str, safe_open] = {}
        for path in _paths(folder):
            try:
                file = stack.enter_context(safe_open(path, framework="pt"))
            except (SafetensorError, OSError) as error:
                raise BadCheckpoint(f"{path} is damaged or incomplete: {error}. Download it again.") from error
            files.update((name, file) for name in file.keys())  # noqa: SIM118  # safe_open is no mapping
        _check(folder, files, config)
        yield Checkpoint(files)


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


def _paths(folder: Path) -> list[Path]:
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
        raise BadCheckpoint(f"{folder} lacks {_listed(missing)}, named in {INDEX_FILE}. Download the model again.")
    return [folder / name for name in names]


def _check(folder: Path, files: Mapping[str, safe_open], config: DecoderConfig) -> None:
    expected = expected_shapes(config)
    optional = {HEAD: expected[EMBEDDING]} if config.tied else {}
    faults = []
    if missing := expected.keys() - files.keys():
        faults.append(f"missing: {_listed(missing)}")
    known = expected | optional
    if strangers := [name for name in files if name not in known and not name.endswith(_UNUSED_ENDING)]:
        faults.append(f"unexpected: {_listed(strangers)}")
    wrong = []
    for name in files.keys() & known.keys():
        stored = files[name].get_slice(name)  # type: ignore[no-untyped-call]  # safetensors is untyped
        shape, kind = tuple(stored.get_shape()), stored.get_dtype()
        if shape != known[name] or kind not in _FLOATS:
            wrong.append(f"{name} is {kind} {list(shape)} for {list(known[name])}")
    if wrong:
        faults.append(f"wrong: {_listed(wrong)}")
    if faults:
        raise BadCheckpoint(
            f"The weights in {folder} do not fit its config.json ({config.model_type}). Tensors {'; '.join(faults)}."
        )


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)[:_NAMED_AT_MOST]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
