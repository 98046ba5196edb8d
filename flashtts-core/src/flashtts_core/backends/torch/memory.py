"""Says how much memory there is, and recognises the errors that mean there is none left."""

from __future__ import annotations

import re
from pathlib import Path

import torch

_MEMINFO = Path("/proc/meminfo")
_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")
"""What PyTorch says in a plain ``RuntimeError`` on devices without an error class of their own."""


def available_bytes(device: torch.device) -> int | None:
    """Return the memory that can still be taken, ``None`` where the allocator says so itself.

    Linux hands out more main memory than there is and kills the process that uses it, so it has to be asked first.
    """
    if device.type != "cpu" or not _MEMINFO.exists():
        return None
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _MEMINFO.read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def is_out_of_memory(error: Exception) -> bool:
    """True if the device had no memory left; the operation had no effect."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(message in str(error).lower() for message in _MESSAGES)
