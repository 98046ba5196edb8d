"""Finds and reads the files of a Spark-TTS checkpoint, strictly: whatever is missing or does not belong is named.

Weight norm is folded while reading: where a file holds ``X.weight_g`` and ``X.weight_v`` (or the newer
``X.parametrizations.weight.original0`` and ``original1``), a network asks for ``X.weight``. Tensors are copied out of
the file one by one, so nothing but the weights in use stays in memory and a file that changes later harms nobody.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from msgspec import Struct
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from flashtts_core.errors import BadCheckpoint

WAV2VEC2_FOLDER = "wav2vec2-large-xlsr-53"
_NORM_PAIRS = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
_NAMED = 6  # names in an error message; a wrong file would list hundreds

CODEC_UNUSED = re.compile(
    r"postnet\."
    r"|quantizer\.cluster_size$"
    r"|speaker_encoder\.speaker_encoder\.(pool|bn|linear)\."
    r"|speaker_encoder\.mel_\w+\.|mel_transformer\."
    r"|.*\.num_batches_tracked$"
)
"""Tensors of ``BiCodec/model.safetensors`` that only training used (and the mel filters, which are computed)."""


class SparkFiles(Struct, frozen=True):
    """Where the parts of a checkpoint are."""

    audio_config: Path
    codec_config: Path
    codec_weights: Path
    wav2vec2_config: Path
    wav2vec2_weights: Path
    llm: Path
    tokenizer: Path


def find_files(folder: Path) -> SparkFiles:
    """Return the files of a checkpoint; raises ``BadCheckpoint`` that names all missing ones."""
    wav2vec2 = folder / WAV2VEC2_FOLDER
    weights = wav2vec2 / "model.safetensors"
    files = SparkFiles(
        audio_config=folder / "config.yaml",
        codec_config=folder / "BiCodec" / "config.yaml",
        codec_weights=folder / "BiCodec" / "model.safetensors",
        wav2vec2_config=wav2vec2 / "config.json",
        wav2vec2_weights=weights if weights.is_file() else wav2vec2 / "pytorch_model.bin",
        llm=folder / "LLM",
        tokenizer=folder / "LLM" / "tokenizer.json",
    )
    paths: list[Path] = [getattr(files, name) for name in SparkFiles.__struct_fields__]
    if missing := [str(path.relative_to(folder)) for path in paths if not path.exists()]:
        raise BadCheckpoint(
            f"The Spark-TTS folder {folder} lacks {', '.join(missing)}. Fetch the model again, for example from "
            f"SparkAudio/Spark-TTS-0.5B."
        )
    return files


class WeightFile:
    """The tensors of one file by the names that networks use; read one by one, weight norm folded."""

    def __init__(self, path: Path, shapes: Mapping[str, tuple[int, ...]], read: Callable[[str], Tensor]) -> None:
        self.path = path
        self._read = read
        self._pairs: dict[str, tuple[str, str]] = {}
        self.shapes = dict(shapes)
        """Shape of every tensor, those of weight norm already folded."""
        for gain_end, direction_end in _NORM_PAIRS:
            for gain in [name for name in shapes if name.endswith(gain_end)]:
                stem = gain.removesuffix(gain_end)
                direction = stem + direction_end
                if direction in shapes:
                    self._pairs[f"{stem}.weight"] = (gain, direction)
                    del self.shapes[gain]
                    self.shapes[f"{stem}.weight"] = self.shapes.pop(direction)

    def read(self, name: str) -> Tensor:
        """Return a tensor in memory of its own, float32; raises ``BadCheckpoint`` if the file is damaged."""
        try:
            if name not in self._pairs:
                return self._read(name).to(torch.float32, copy=True)
            gain, direction = (self._read(part).to(torch.float32) for part in self._pairs[name])
        except (SafetensorError, OSError, RuntimeError) as error:
            raise _damaged(self.path, error) from error
        return fold_weight_norm(gain, direction)


def fold_weight_norm(gain: Tensor, direction: Tensor) -> Tensor:
    """Return ``direction * gain / ||direction||``; the norm is over the dimensions where ``gain`` has size 1."""
    over = [dim for dim, size in enumerate(gain.shape) if size == 1]
    folded: Tensor = direction * (gain / torch.linalg.vector_norm(direction, dim=over, keepdim=True))
    return folded


def open_weights(path: Path) -> WeightFile:
    """Open a ``.safetensors`` file or a torch ``.bin`` file (tensors only, no code runs); raises ``BadCheckpoint``."""
    return _open_safetensors(path) if path.suffix == ".safetensors" else _open_pickle(path)


class Placement(Struct, frozen=True, eq=False):
    """A network made on the ``meta`` device, the prefix of its names in the file, and the device it is to run on."""

    network: nn.Module
    prefix: str
    device: torch.device


def load(file: WeightFile, placements: Sequence[Placement], *, unused: re.Pattern[str]) -> None:
    """Fill networks from one file; together with ``unused`` they must name every tensor in it.

    Raises ``BadCheckpoint`` for missing, unexpected and misshapen tensors.
    """
    wanted = {
        placed.prefix + name: tuple(tensor.shape)
        for placed in placements
        for name, tensor in placed.network.state_dict().items()
    }
    _compare(file, wanted, unused)
    for placed in placements:
        names = placed.network.state_dict()
        state = {name: file.read(placed.prefix + name).to(placed.device) for name in names}
        placed.network.load_state_dict(state, strict=True, assign=True)
        placed.network.requires_grad_(False).eval()


def _compare(file: WeightFile, wanted: Mapping[str, tuple[int, ...]], unused: re.Pattern[str]) -> None:
    missing = [name for name in wanted if name not in file.shapes]
    surplus = [name for name in file.shapes if name not in wanted and not unused.match(name)]
    misshapen = [
        f"{name} {list(file.shapes[name])} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in file.shapes and file.shapes[name] != shape
    ]
    faults = {"lacks": missing, "has, but should not,": surplus, "holds in another shape": misshapen}
    if told := [f"{what} {_listed(names)}" for what, names in faults.items() if names]:
        raise BadCheckpoint(
            f"{file.path} does not fit its config: it {'; it '.join(told)}. Fetch both from the same model."
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _open_safetensors(path: Path) -> WeightFile:
    try:
        file: Any = safe_open(path, framework="pt")  # its methods have no types
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error
    return WeightFile(path, shapes, file.get_tensor)


def _open_pickle(path: Path) -> WeightFile:
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    except (OSError, EOFError, RuntimeError, AttributeError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise _damaged(path, error) from error
    return WeightFile(path, shapes, tensors.__getitem__)


def _damaged(path: Path, error: Exception) -> BadCheckpoint:
    reason = str(error).partition("\n")[0]
    return BadCheckpoint(f"{path} is damaged or not a weights file ({reason}). Fetch it again.")
