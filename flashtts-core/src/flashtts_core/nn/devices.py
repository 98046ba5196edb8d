"""Chooses the device that a setting names."""

from __future__ import annotations

import torch

from flashtts_core.errors import ConfigError


def choose_device(flag: str, name: str) -> torch.device:
    """Return the device called ``name`` (``auto``: the best there is); raises ``ConfigError`` if it is not there."""
    cuda, mps = torch.cuda.device_count(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    device = torch.device(name)
    if (device.type == "cuda" and (device.index or 0) >= cuda) or (device.type == "mps" and not mps):
        there = ["cpu", *(f"cuda:{index}" for index in range(cuda)), *(["mps"] if mps else [])]
        raise ConfigError(f"--{flag} {name} is not there; this machine has {', '.join(there)}.")
    return device
