"""Reads weights into networks, strictly: whatever is missing, misshapen or does not belong is named.

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
from flashtts_core.nn.devices import keep_single_precision

_NORM_PAIRS = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
_NAMED = 6  # names in an error message; a wrong file would list hundreds
_DAMAGE = (SafetensorError, OSError, EOFError, RuntimeError, AttributeError, KeyError, ValueError)


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
            raise damaged(self.path, error) from error
        return fold_weight_norm(gain, direction)


def fold_weight_norm(gain: Tensor, direction: Tensor) -> Tensor:
    """Return ``direction * gain / ||direction||``; the norm is over the dimensions where ``gain`` has size 1.

    With one channel all dimensions of the gain have size 1, and the norm is over all of them, as it should be.
    """
    over = [dim for dim, size in enumerate(gain.shape) if size == 1]
    folded: Tensor = direction * (gain / torch.linalg.vector_norm(direction, dim=over, keepdim=True))
    return folded


def open_weights(path: Path) -> WeightFile:
    """Open a ``.safetensors`` file or a torch ``.bin`` file (tensors only, no code runs); raises ``BadCheckpoint``."""
    return _open_safetensors(path) if path.suffix == ".safetensors" else open_torch(path)


def open_torch(path: Path, find: Callable[[Any], Mapping[str, Tensor]] = dict) -> WeightFile:
    """Open a torch file whose tensors are not at its top; ``find`` gets what it holds (no code runs) and returns them.

    Raises ``BadCheckpoint``, also for what ``find`` raises when there is nothing of the kind (``KeyError`` and so on).
    """
    try:
        tensors = find(torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)))
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    except (*_DAMAGE, TypeError, IndexError, pickle.UnpicklingError) as error:
        raise damaged(path, error) from error
    return WeightFile(path, shapes, tensors.__getitem__)


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
    keep_single_precision(placed.device for placed in placements)
    for placed in placements:
        names = placed.network.state_dict()
        state = {name: file.read(placed.prefix + name).to(placed.device) for name in names}
        placed.network.load_state_dict(state, strict=True, assign=True)
        placed.network.requires_grad_(False).eval()


def damaged(path: Path, error: Exception) -> BadCheckpoint:
    """Return the error that says that a file cannot be read."""
    reason = str(error).partition("\n")[0]
    return BadCheckpoint(f"{path} is damaged or not a weights file ({reason}). Fetch it again.")


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
    except _DAMAGE as error:
        raise damaged(path, error) from error
    return WeightFile(path, shapes, file.get_tensor)
