"""Reads a ``config.json`` of a Qwen2 or Llama model into the few numbers that its network has.

Both spellings of rotary embeddings are read: ``rope_theta`` and ``rope_scaling`` at the top (written by transformers
4) and ``rope_parameters`` (transformers 5). What the network would compute wrongly is refused by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec
from msgspec import Struct

from flashtts_core.errors import BadCheckpoint

CONFIG_FILE = "config.json"

Fields = TypeVar("Fields", bound=Struct)

Scaling = Literal["default", "linear", "llama3"]


class Rope(Struct, frozen=True):
    """Rotary position embedding: its base, and how positions beyond the original context are scaled."""

    theta: float = 10_000.0
    scaling: Scaling = "default"
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 1.0
    original_length: int = 0


class DecoderConfig(Struct, frozen=True):
    """The shape of a decoder-only transformer with rotary positions, grouped queries and SwiGLU.

    The three ``*_bias`` flags say which projections carry a bias: query, key and value; attention output; MLP.
    """

    model_type: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    norm_eps: float
    max_length: int
    rope: Rope
    tied: bool
    qkv_bias: bool
    output_bias: bool
    mlp_bias: bool


class _RopeFields(Struct, frozen=True):
    rope_theta: float | None = None
    rope_type: str | None = None
    type: str | None = None
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 1.0
    original_max_position_embeddings: int = 0
    partial_rotary_factor: float = 1.0


class _File(Struct, frozen=True):
    """The fields of the file that mean something here; the defaults are those of transformers."""

    model_type: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 2048
    rope_theta: float = 10_000.0
    rope_scaling: _RopeFields | None = None
    rope_parameters: _RopeFields | None = None
    tie_word_embeddings: bool = False
    use_sliding_window: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    quantization_config: dict[str, object] | None = None


_OBJECT = msgspec.json.Decoder(dict[str, object])


class _Family(Struct, frozen=True):
    model_type: str = ""


FAMILIES = ("qwen2", "llama")
"""Values of ``model_type`` that the network computes."""


def read_config(folder: Path) -> DecoderConfig:
    """Read the configuration of the model in ``folder``; raises ``BadCheckpoint``."""
    path = folder / CONFIG_FILE
    family = read_fields(folder, _Family).model_type
    if family not in FAMILIES:
        raise BadCheckpoint(
            f"{path} describes a model of type {family!r}; the torch backend runs {' and '.join(FAMILIES)}. "
            f"Use another backend for this model."
        )
    file = read_fields(folder, _File)
    _refuse(path, file)
    return _decoder(file, _rope(path, file))


def read_fields(folder: Path, fields: type[Fields]) -> Fields:
    """Read some fields of the configuration in ``folder``; raises ``BadCheckpoint``."""
    path = folder / CONFIG_FILE
    try:
        # A null is a field left out: transformers writes some that it has no value for.
        given = {name: value for name, value in _OBJECT.decode(path.read_bytes()).items() if value is not None}
        return msgspec.convert(given, fields)
    except OSError as error:
        raise BadCheckpoint(
            f"{path} cannot be read: {error.strerror or error}. Give the folder of the model."
        ) from error
    except msgspec.DecodeError as error:
        raise BadCheckpoint(f"{path} is not the configuration of a language model: {error}.") from error


def _refuse(path: Path, file: _File) -> None:
    wrong = {
        "hidden_act": file.hidden_act != "silu",
        "use_sliding_window": file.use_sliding_window,
        "quantization_config": file.quantization_config is not None,
    }
    if found := [name for name, is_wrong in wrong.items() if is_wrong]:
        raise BadCheckpoint(
            f"{path} asks for what is not known here: {', '.join(found)}. Known are full attention, SiLU and "
            f"unquantised weights; use another backend for this model."
        )
    for name in ("num_attention_heads", "num_key_value_heads", "hidden_size", "vocab_size", "num_hidden_layers"):
        if (value := getattr(file, name)) is not None and value < 1:
            raise BadCheckpoint(f"{path}: {name} is {value}; it must be at least 1.")
    if file.num_attention_heads % (file.num_key_value_heads or file.num_attention_heads):
        raise BadCheckpoint(f"{path}: num_attention_heads must be a multiple of num_key_value_heads.")


def _rope(path: Path, file: _File) -> Rope:
    fields = file.rope_parameters or file.rope_scaling or _RopeFields()
    scaling = fields.rope_type or fields.type or "default"
    known = next((name for name in get_args(Scaling) if name == scaling), None)
    if known is None or fields.partial_rotary_factor != 1.0:
        raise BadCheckpoint(
            f"{path} scales its rotary embedding by {scaling!r} (partial factor {fields.partial_rotary_factor}); "
            f"known here are {', '.join(get_args(Scaling))}, over the whole head."
        )
    return Rope(
        theta=file.rope_theta if fields.rope_theta is None else fields.rope_theta,
        scaling=known,
        factor=fields.factor,
        low_freq_factor=fields.low_freq_factor,
        high_freq_factor=fields.high_freq_factor,
        original_length=fields.original_max_position_embeddings or file.max_position_embeddings,
    )


def _decoder(file: _File, rope: Rope) -> DecoderConfig:
    llama = file.model_type == "llama"
    return DecoderConfig(
        model_type=file.model_type,
        vocab_size=file.vocab_size,
        hidden_size=file.hidden_size,
        intermediate_size=file.intermediate_size,
        layers=file.num_hidden_layers,
        heads=file.num_attention_heads,
        kv_heads=file.num_key_value_heads or file.num_attention_heads,
        head_dim=file.head_dim or file.hidden_size // file.num_attention_heads,
        norm_eps=file.rms_norm_eps,
        max_length=file.max_position_embeddings,
        rope=rope,
        tied=file.tie_word_embeddings,
        qkv_bias=file.attention_bias if llama else True,
        output_bias=file.attention_bias if llama else False,
        mlp_bias=file.mlp_bias if llama else False,
    )
