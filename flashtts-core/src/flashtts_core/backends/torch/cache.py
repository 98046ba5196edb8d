"""The key-value cache: one row a request, all rows in one tensor a layer, so that one product serves the whole batch.

Rows in use are always the first ones. The cache doubles in rows and in length when it has to, or grows by no more than
it has to where memory is short; a request that leaves swaps its row with the last one.
"""

from __future__ import annotations

import math

import torch

from flashtts_core.backends.torch.config import DecoderConfig
from flashtts_core.backends.torch.memory import available_bytes, is_out_of_memory
from flashtts_core.backends.torch.placement import Placement

FIRST_LENGTH = 256
"""Tokens that a row begins with, and grows by at least."""


class KeyValueCache:
    """Keys and values [rows, kv heads, length, head dim] of every layer.

    It never grows beyond ``rows`` and ``length`` (the longest context); a static one has that size from the start.
    """

    def __init__(self, config: DecoderConfig, placement: Placement, *, rows: int, length: int) -> None:
        device, dtype = placement.device, placement.dtype
        self._most = (rows, length)
        self._static = placement.static_cache
        self._empty = torch.empty(0, config.kv_heads, 0, config.head_dim, device=device, dtype=dtype)
        self.keys = [self._empty] * config.layers
        self.values = [self._empty] * config.layers
        if self._static:
            self._grow(rows, length)

    def fit(self, rows: int, length: int) -> None:
        """Make room for ``rows`` rows of ``length`` tokens; what is stored stays.

        Raises ``MemoryError`` or the allocator's error if there is no memory; what is stored stays then, too.
        """
        had_rows, had_length = self.shape
        if rows <= had_rows and length <= had_length:
            return
        most_rows, most_length = self._most
        steps = FIRST_LENGTH * math.ceil(length / FIRST_LENGTH)
        tight = max(rows, had_rows), min(max(steps, had_length), most_length)
        roomy = (
            min(max(rows, 2 * had_rows), most_rows) if rows > had_rows else had_rows,
            min(max(steps, 2 * had_length), most_length) if length > had_length else had_length,
        )
        try:
            self._grow(*roomy)
        except (MemoryError, RuntimeError) as error:
            if tight == roomy or not is_out_of_memory(error):
                raise
            self._grow(*tight)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and tokens a row, that every layer has memory for."""
        tensors = self.keys + self.values
        return min(len(tensor) for tensor in tensors), min(tensor.shape[2] for tensor in tensors)

    def nbytes(self, rows: int, length: int) -> int:
        """Return the bytes that a cache of this size takes."""
        _, heads, _, dim = self._empty.shape
        return 2 * len(self.keys) * rows * heads * length * dim * self._empty.element_size()

    def swap(self, one: int, other: int) -> None:
        """Exchange the contents of two rows."""
        if one == other:
            return
        for tensor in self.keys + self.values:
            tensor[[one, other]] = tensor[[other, one]]

    def wipe(self, row: int) -> None:
        """Make a row harmless for its next owner, who masks what is old there: a NaN survives a weight of zero."""
        for tensor in self.values:
            tensor[row].zero_()

    def rest(self) -> None:
        """Give the memory back while no request runs; a static cache keeps it."""
        if not self._static:
            self.keys = [self._empty] * len(self.keys)
            self.values = [self._empty] * len(self.values)

    def _grow(self, rows: int, length: int) -> None:
        more = self.nbytes(rows, length) - self.nbytes(*self.shape)
        left = available_bytes(self._empty.device)
        if left is not None and more > left:
            raise MemoryError(f"the cache needs {more / 2**30:.1f} GiB more and {left / 2**30:.1f} GiB are left")
        for tensors in (self.keys, self.values):
            for layer, tensor in enumerate(tensors):
                tensors[layer] = _grown(tensor, rows, length)


def _grown(tensor: torch.Tensor, rows: int, length: int) -> torch.Tensor:
    """Return ``tensor`` with this many rows and tokens."""
    had_rows, heads, had_length, dim = tensor.shape
    if rows <= had_rows and length <= had_length:
        return tensor  # grown before, when memory ran out on a later layer
    # Zeros: masked positions are multiplied by zero weights, and whatever lay in the memory before could be a NaN.
    grown = tensor.new_zeros(rows, heads, length, dim)
    grown[:had_rows, :, :had_length] = tensor
    return grown
