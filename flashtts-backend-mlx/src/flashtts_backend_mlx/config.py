"""Reads what flashtts has to know of a model folder, and what mlx-lm has to be told to read it right.

mlx-lm does not know ``rope_parameters``, in which transformers 5 keeps the rotary base and scaling, and where a field
is left out its default is not always transformers': both give wrong answers without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct
from safetensors import SafetensorError, safe_open

from flashtts_core.backends.torch.config import CONFIG_FILE, read_fields
from flashtts_core.errors import BadCheckpoint

WEIGHT_FILES = "model*.safetensors"

_EMBEDDING = "model.embed_tokens.weight"
_HEAD = "lm_head.weight"
_DEFAULT_BASE = 10_000.0
_PLAIN_FAMILIES = frozenset({"llama", "qwen2"})
"""Families that mlx-lm computes with SiLU and full attention, whatever their configuration says."""


class ModelConfig(Struct, frozen=True):
    """A model's family, its sizes, and the fields of its configuration that mlx-lm gets in place of the file's."""

    model_type: str
    vocab_size: int
    max_length: int
    changes: dict[str, Any]


class _File(Struct, frozen=True):
    model_type: str
    vocab_size: int
    max_position_embeddings: int = 2048
    hidden_act: str = "silu"
    use_sliding_window: bool = False
    tie_word_embeddings: bool = False
    rope_theta: float = _DEFAULT_BASE
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None


def read_config(folder: Path) -> ModelConfig:
    """Read the configuration of the model in ``folder``; raises ``BadCheckpoint``."""
    file = read_fields(folder, _File)
    plain = file.hidden_act == "silu" and not file.use_sliding_window
    if file.model_type in _PLAIN_FAMILIES and not plain:
        raise BadCheckpoint(
            f"{folder / CONFIG_FILE} asks for hidden_act {file.hidden_act!r} or a sliding window, which mlx-lm does "
            f"not compute for {file.model_type} models; use another backend for this model."
        )
    changes = _rope(file) | _head(folder, file)
    return ModelConfig(file.model_type, file.vocab_size, file.max_position_embeddings, changes)


def _rope(file: _File) -> dict[str, Any]:
    fields = dict(file.rope_parameters or {})
    if any(isinstance(value, dict) for value in fields.values()):
        return {}  # one set a layer type: families for which mlx-lm reads it itself
    base = fields.pop("rope_theta", file.rope_theta)
    return {"rope_theta": base, "rope_scaling": fields or file.rope_scaling}


def _head(folder: Path, file: _File) -> dict[str, Any]:
    """Say whether the head is the embedding: where a tied model carries a head of its own, that counts."""
    names = _tensor_names(folder)
    return {"tie_word_embeddings": file.tie_word_embeddings and _HEAD not in names} if _EMBEDDING in names else {}


def _tensor_names(folder: Path) -> set[str]:
    paths = sorted(folder.glob(WEIGHT_FILES))
    if not paths:
        raise BadCheckpoint(f"{folder} holds no {WEIGHT_FILES}; give the folder of the model.")
    names: set[str] = set()
    for path in paths:
        try:
            with safe_open(path, framework="np") as file:
                names.update(file.keys())
        except (SafetensorError, OSError) as error:
            raise BadCheckpoint(f"{path} is damaged or incomplete: {error}. Download it again.") from error
    return names
