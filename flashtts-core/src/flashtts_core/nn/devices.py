"""Chooses the device that a setting names."""

from __future__ import annotations

import platform
from collections.abc import Iterable

import torch

from flashtts_core.errors import ConfigError

_CONVOLVES_LONG = (15, 1)
"""The macOS whose GPU computes convolutions of more than 65 536 outputs, a few seconds of sound (pytorch#144445)."""


def choose_device(flag: str, name: str) -> torch.device:
    """Return the device called ``name`` (``auto``: the best there is); raises ``ConfigError`` if it is not there."""
    cuda, mps = torch.cuda.device_count(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps and _convolves_long() else "cpu")
    device = torch.device(name)
    if (device.type == "cuda" and (device.index or 0) >= cuda) or (device.type == "mps" and not mps):
        there = ["cpu", *(f"cuda:{index}" for index in range(cuda)), *(["mps"] if mps else [])]
        raise ConfigError(f"--{flag} {name} is not there; this machine has {', '.join(there)}.")
    return device


def _convolves_long() -> bool:
    release = platform.mac_ver()[0].split(".")
    return tuple(int(part) for part in release[:2] if part.isdecimal()) >= _CONVOLVES_LONG


def keep_single_precision(devices: Iterable[torch.device]) -> None:
    """Have convolutions on NVIDIA cards computed in 32 bits, where PyTorch would round their inputs to 10 bits (TF32).

    What a codec hears and says would depend on it: tokens near a boundary flip, and seams of a stream show.
    """
    if any(device.type == "cuda" for device in devices):
        torch.backends.cudnn.allow_tf32 = False
