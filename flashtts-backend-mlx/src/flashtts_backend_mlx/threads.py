"""Ends threads that computed with MLX without harm to the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mlx.core as mx


@contextmanager
def forgetting_mlx() -> Iterator[None]:
    """Free what MLX keeps for this thread at the end of the block; the thread must not compute with MLX after it.

    MLX keeps a random key (drawn from when layers are made) and its compiled functions for each thread. Left to the
    thread's end, they are freed after Python has counted the thread as ended, with a claim on Python's lock: a process
    that ends at that moment is aborted ("terminate called without an active exception", MLX 0.32).
    """
    try:
        yield
    finally:
        mx.clear_streams()
