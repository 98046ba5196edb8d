"""Lets threads compute on a device one after the other where PyTorch cannot stand more than one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_APPLE = threading.RLock()


def turn(device: torch.device) -> AbstractContextManager[object]:
    """Return a context to compute in: one thread at a time on an Apple GPU, any number elsewhere.

    On MPS all threads share one command buffer, and two that write to it at once end the process: pytorch#197805, seen
    from PyTorch 2.8 to 2.14.
    """
    return _APPLE if device.type == "mps" else nullcontext()


def in_turn(device: torch.device, compute: Callable[[Item], Result]) -> Callable[[Item], Result]:
    """Return ``compute`` as it may be called from any thread: within ``turn``."""

    def compute_in_turn(item: Item) -> Result:
        with turn(device):
            return compute(item)

    return compute_in_turn
