"""Lets threads compute on a device one after the other where PyTorch cannot stand more than one at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


class Turnstile:
    """A lock that is handed on in the order of arrival.

    With a plain one the language model, which comes back for its next step at once, would keep the codecs out until
    its answer is complete.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def waiting(self) -> int:
        """Threads that wait for their turn."""
        return len(self._waiting)

    def __enter__(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        gate.acquire()  # until the one before opens it

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_APPLE = Turnstile()


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
