"""Writes the GGUF file of a Qwen2 or Llama model: names, the order of rotary pairs, scaling tables, number formats.

The file has no vocabulary: flashtts gives ids and takes ids. Tensors are read, packed and written one by one, so
converting takes the memory of the largest. Names and meanings of the keys are those of the GGUF specification
(ggml/docs/gguf.md) and of the ``gguf`` package.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import gguf
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_backend_llamacpp.formats import FORMATS, NumberFormat, unpacked, warn_of_overflow
from flashtts_backend_llamacpp.tensors import StoredTensor, open_tensors
from flashtts_core.backends.layout import EMBEDDING, FINAL_NORM, HEAD, check_tensors
from flashtts_core.backends.torch.config import DecoderConfig, Rope, read_config
from flashtts_core.errors import BadCheckpoint, ConfigError

_KINDS = {name: gguf.GGMLQuantizationType[name.upper()] for name in FORMATS}
_FILE_TYPES = {name: gguf.LlamaFileType[f"{'ALL' if name == 'f32' else 'MOSTLY'}_{name.upper()}"] for name in FORMATS}
_COARSE = frozenset({"q5_1", "q5_0", "q4_1", "q4_0"})
"""With these the embedding and the head stay ``q8_0``: an error there is heard in every token."""

_LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_OUTER_NAMES = {EMBEDDING: "token_embd.weight", FINAL_NORM: "output_norm.weight", HEAD: "output.weight"}
_ROTARY_TABLE = "rope_freqs.weight"

Values = NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Called with the bytes written, and those to write in all."""


class _Piece(Struct, frozen=True):
    """A tensor of the file: its name there, its shape, its number format, and how to get its values."""

    name: str
    shape: tuple[int, ...]
    kind: gguf.GGMLQuantizationType
    values: Callable[[], Values]

    @property
    def packed_shape(self) -> tuple[int, ...]:
        """The shape in bytes."""
        return tuple(gguf.quant_shape_to_byte_shape(self.shape, self.kind))

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return math.prod(self.packed_shape)


def convert_model(folder: Path, target: Path, number_format: NumberFormat, progress: Progress | None = None) -> None:
    """Write the model of the official folder ``folder`` to ``target``, whole or not at all.

    Raises ``BadCheckpoint`` (the folder), ``ConfigError`` (format that does not fit, no space, not writable).
    """
    config = read_config(folder)
    _check_shape(folder, config)
    if number_format == "f16":
        warn_of_overflow(config.model_type)
    with open_tensors(folder) as tensors:
        check_tensors(folder, config, {name: (tensor.shape, tensor.kind) for name, tensor in tensors.items()})
        pieces = list(_pieces(config, tensors, number_format))
        _check_rows(pieces, number_format, instead=unpacked(config.model_type))
        unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            _check_space(target.parent, sum(piece.size for piece in pieces))
            _write(unfinished, config, pieces, number_format, progress or (lambda done, total: None))
            unfinished.replace(target)
        except OSError as error:
            raise ConfigError(f"{target} cannot be written: {error.strerror or error}.") from error
        finally:
            unfinished.unlink(missing_ok=True)


def _check_shape(folder: Path, config: DecoderConfig) -> None:
    if config.model_type == "qwen2" and config.head_dim * config.heads != config.hidden_size:
        raise BadCheckpoint(
            f"{folder}: a qwen2 model whose heads ({config.heads} of {config.head_dim}) do not add up to its hidden "
            f"size ({config.hidden_size}) cannot be run by llama.cpp. Use the torch backend."
        )
    if config.model_type == "qwen2" and config.rope.scaling == "llama3":
        raise BadCheckpoint(
            f"{folder}: llama.cpp knows no qwen2 model with llama3 scaling of its positions. Use the torch backend."
        )


def _check_rows(pieces: list[_Piece], number_format: NumberFormat, *, instead: NumberFormat) -> None:
    for piece in pieces:
        block = gguf.GGML_QUANT_SIZES[piece.kind][0]
        if piece.shape[-1] % block:
            raise ConfigError(
                f"--type {number_format} packs rows in blocks of {block} values, and {piece.name} has rows of "
                f"{piece.shape[-1]}. Use --type {instead} for this model."
            )


def _check_space(folder: Path, needed: int) -> None:
    if (free := shutil.disk_usage(folder).free) < needed:
        raise ConfigError(
            f"The file takes {needed / 1e9:.2f} GB and {folder} has {free / 1e9:.2f} GB free. Make room, give --output "
            f"a place elsewhere, or use a smaller --type."
        )


def _pieces(
    config: DecoderConfig, tensors: Mapping[str, StoredTensor], number_format: NumberFormat
) -> Iterator[_Piece]:
    kind = _KINDS[number_format]
    outer = _KINDS["q8_0"] if number_format in _COARSE else kind
    whole = gguf.GGMLQuantizationType.F32
    yield _piece(EMBEDDING, _OUTER_NAMES[EMBEDDING], tensors, outer)
    if HEAD in tensors and not (config.tied and _equal(tensors[HEAD], tensors[EMBEDDING])):
        yield _piece(HEAD, _OUTER_NAMES[HEAD], tensors, outer)
    yield _piece(FINAL_NORM, _OUTER_NAMES[FINAL_NORM], tensors, whole)
    if config.rope.scaling == "llama3":
        factors = rotary_factors(config.rope, config.head_dim)
        yield _Piece(_ROTARY_TABLE, factors.shape, whole, lambda: factors)
    for layer in range(config.layers):
        for official, ours in _LAYER_NAMES.items():
            for part in ("weight", "bias"):
                source = f"model.layers.{layer}.{official}.{part}"
                if source in tensors:
                    matrix = len(tensors[source].shape) > 1
                    yield _piece(source, f"blk.{layer}.{ours}.{part}", tensors, kind if matrix else whole, config)


def _piece(
    source: str,
    name: str,
    tensors: Mapping[str, StoredTensor],
    kind: gguf.GGMLQuantizationType,
    config: DecoderConfig | None = None,
) -> _Piece:
    tensor = tensors[source]
    heads = 0
    if config is not None and config.model_type == "llama":
        heads = config.heads if ".q_proj." in source else config.kv_heads if ".k_proj." in source else 0
    return _Piece(name, tensor.shape, kind, lambda: paired(tensor.read(), heads) if heads else tensor.read())


def paired(values: Values, heads: int) -> Values:
    """Bring the rows of a query or key projection into the order in which llama.cpp rotates Llama models.

    A head's rows are the first and then the second halves of its rotary pairs; there, pairs stand side by side.
    """
    halves = values.reshape(heads, 2, len(values) // heads // 2, *values.shape[1:])  # (head, half, pair, ...)
    return halves.swapaxes(1, 2).reshape(values.shape)


def rotary_factors(rope: Rope, head_dim: int) -> Values:
    """Return by what each rotary frequency is divided [head_dim / 2], for llama3 scaling.

    High frequencies stay, low ones are divided by ``factor``, those between are blended (Llama 3.1).
    """
    frequencies = rope.theta ** -(np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    turns = rope.original_length * frequencies / (2 * math.pi)  # within the original context
    smooth = (turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)
    smooth = np.clip(smooth, 0.0, 1.0)
    return (1 / ((1 - smooth) / rope.factor + smooth)).astype(np.float32)


def _equal(one: StoredTensor, other: StoredTensor) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one.read(), other.read()))


def _write(
    path: Path, config: DecoderConfig, pieces: list[_Piece], number_format: NumberFormat, progress: Progress
) -> None:
    writer = gguf.GGUFWriter(path, config.model_type)
    try:
        _describe(writer, config, number_format)
        for piece in pieces:
            kind = np.dtype(np.float16 if piece.kind.name == "F16" else np.float32)
            raw = None if piece.kind.name in ("F32", "F16") else piece.kind
            shape = piece.packed_shape if raw is not None else piece.shape
            writer.add_tensor_info(piece.name, shape, np.dtype(np.uint8) if raw is not None else kind, piece.size, raw)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        done, total = 0, sum(piece.size for piece in pieces)
        for piece in pieces:
            writer.write_tensor_data(gguf.quantize(piece.values(), piece.kind))
            done += piece.size
            progress(done, total)
    finally:
        writer.close()


def _describe(writer: gguf.GGUFWriter, config: DecoderConfig, number_format: NumberFormat) -> None:
    writer.add_context_length(config.max_length)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope.theta)
    if config.rope.scaling == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config.rope.factor)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")
    writer.add_file_type(_FILE_TYPES[number_format])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
