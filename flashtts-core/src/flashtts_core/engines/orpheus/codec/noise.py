"""The noise that SNAC adds to its signal, as a function of where it is added: the same however a stream is cut.

The reference draws noise from the process's generator, so no two decodes are alike. Here the noise of a decoder block
at a position (counted from the start of the line, at the rate of that block) is standard normal and follows from the
seed of the request, the number of the block and the position alone: SplitMix64 (Steele, Lea and Flood 2014) at the
position as its counter, under a key made of seed and block, gives 64 bits; the two halves make one normal number by
Box and Muller's formula. It is computed on the CPU in 64 bits, so every device hears the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WEYL, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_WRAP = 2**64
_HALF = np.float64(2.0**-32)


def noise(seeds: Sequence[int], block: int, starts: Sequence[int], length: int) -> NDArray[np.float32]:
    """Return the noise [B, 1, length] of requests with these seeds in a block, from position ``starts[i]`` on."""
    keys = _mixed(_mixed(_column(seeds)) + np.uint64((block + 1) * _WEYL % _WRAP))
    positions = _column(starts) + np.arange(length).astype(np.uint64)
    bits = _mixed(keys + positions * np.uint64(_WEYL))  # [B, length]
    radius = np.sqrt(-2.0 * np.log(((bits >> np.uint64(32)) + 0.5) * _HALF))
    angle = (bits & np.uint64(0xFFFFFFFF)) * (2.0 * np.pi * _HALF)
    return (radius * np.cos(angle)).astype(np.float32)[:, None]


def _column(numbers: Sequence[int]) -> NDArray[np.uint64]:
    return np.array([number % _WRAP for number in numbers], dtype=np.uint64)[:, None]


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64; unsigned arrays wrap around, as it needs."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(_MIX_1)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(_MIX_2)
    return bits ^ (bits >> np.uint64(31))
