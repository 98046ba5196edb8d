"""Join pieces of audio without a click: a crossfade where neighbours overlap.

Every sample of every piece is in the result: a piece shorter than the overlap fades over all of itself, and without an
overlap pieces are put end to end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORTEST_HANN = 16  # samples; shorter ones have no shape, and numpy's are zero at both ends: they fade linearly


class Joiner:
    """Join pieces as they are made; each overlaps its neighbour by ``overlap`` samples.

    Holds back the last ``overlap`` samples of what it was given. With n samples in k pieces, none shorter than the
    overlap, n - (k - 1) * overlap come out.

    Gains are the halves of ``numpy.hanning(2 * overlap)``, as in MegaTTS 3, and add up to 1 within
    pi / (4 * overlap - 2).
    """

    def __init__(self, overlap: int = 0) -> None:
        if overlap < 0:
            raise ValueError(f"an overlap cannot be negative: {overlap}")
        self._overlap = overlap
        self._held = np.zeros(0, np.float32)

    def process(self, piece: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next piece [n], return the samples that no later piece can change [m]; an empty piece is none."""
        if not piece.size or not self._overlap:
            return piece
        shared = min(self._overlap, self._held.size, piece.size)
        rise, fall = fade_gains(shared)
        before = self._held.size - shared
        mixed = self._held[before:] * fall + piece[:shared] * rise
        joined = np.concatenate([self._held[:before], mixed, piece[shared:]])
        # Only the newest piece is held: the next fade must not reach past it into the one before.
        ready = joined.size - min(self._overlap, piece.size)
        self._held = joined[ready:]
        return joined[:ready]

    def finish(self) -> NDArray[np.float32]:
        """Return what was held; the joiner can then start anew."""
        held, self._held = self._held, np.zeros(0, np.float32)
        return held


def fade_gains(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the rising and the falling gains [length] of a crossfade."""
    if length < _SHORTEST_HANN:
        rise = (np.arange(length) + 0.5) / max(length, 1)
        return rise.astype(np.float32), (1 - rise).astype(np.float32)
    window = np.hanning(2 * length)
    return window[:length].astype(np.float32), window[length:].astype(np.float32)


def join(pieces: Iterable[NDArray[np.float32]], overlap: int = 0) -> NDArray[np.float32]:
    """Join all pieces at once; the same bits as with a ``Joiner``."""
    joiner = Joiner(overlap)
    return np.concatenate([*(joiner.process(piece) for piece in pieces), joiner.finish()])
