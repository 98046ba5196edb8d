"""Make speech faster or slower with its pitch kept, while it streams: FFmpeg's ``atempo`` (WSOLA).

Why atempo: it is in every FFmpeg build under the LGPL; ``rubberband`` is GPL and not in PyAV's wheels.

Surprising on purpose:

* atempo looks at whatever frames it is given, so the input is cut anew into blocks of 10 ms: the output does not
  depend on how the input came.
* atempo derives its window from the sample rate (1/24 s rounded up to a power of two: 64 ms at 16 kHz, which
  doubles consonants audibly). Only the window depends on the rate, so it is told the rate that gives the shortest
  power-of-two window of at least 30 ms.
* atempo swallows up to 100 ms at the end. Silence is fed behind the speech and the output is cut at
  round(n / factor) samples, so the last word survives and lengths are exact.
"""

from __future__ import annotations

from math import ceil, log2, sqrt
from typing import TYPE_CHECKING

import numpy as np

from flashtts_core.audio.filters import FilterChain
from flashtts_core.audio.resample import check_rate
from flashtts_core.errors import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOWEST = 0.25
FASTEST = 4.0

_BLOCK_SECONDS = 0.01
_WINDOW_SECONDS = 0.03  # two periods of a voice of 67 Hz
_ATEMPO_WINDOWS_PER_SECOND = 24
_TAIL_WINDOWS = 12  # of silence behind the end: more than two chained atempo hold back at any factor


class TimeStretch:
    """Play a stream ``factor`` times as fast (0.25 to 4) at the same pitch; n samples give round(n / factor).

    Sounds are up to 40 ms (input time) early: WSOLA moves pieces to where they fit. First output comes after 40 to
    75 ms of input for factors up to 2, after up to 215 ms above. Factor 1 is the identity. Raises RequestError for
    other factors.
    """

    def __init__(self, sample_rate: int, factor: float) -> None:
        check_rate(sample_rate)
        if not SLOWEST <= factor <= FASTEST:
            raise RequestError(f"A speed of {factor:g} is not possible; choose one from {SLOWEST:g} to {FASTEST:g}.")
        self._factor = factor
        self._block = round(sample_rate * _BLOCK_SECONDS)
        self._window: int = 2 ** ceil(log2(sample_rate * _WINDOW_SECONDS))
        self._waiting = np.zeros(0, np.float32)
        self._taken = 0
        self._given = 0
        self._chain: FilterChain | None = None

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take float32 samples [n], return those that are ready [m]."""
        if self._factor == 1:
            return samples
        self._taken += samples.size
        return self._feed(samples)

    def finish(self) -> NDArray[np.float32]:
        """Return the rest [m]; the stretcher is spent."""
        if self._chain is None:
            return np.zeros(0, np.float32)
        target = round(self._taken / self._factor)
        given = self._given
        silence = np.zeros(_TAIL_WINDOWS * self._window + self._block, np.float32)
        tail = np.concatenate([self._feed(silence), self._chain.finish()])
        return tail[: target - given]

    def _feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._chain is None:
            self._chain = self._open()
        waiting = np.concatenate([self._waiting, samples])
        whole = waiting.size // self._block * self._block
        self._waiting = waiting[whole:]
        out = [self._chain.process(block) for block in waiting[:whole].reshape(-1, self._block)]
        stretched = np.concatenate(out) if out else np.zeros(0, np.float32)
        self._given += stretched.size
        return stretched

    def _open(self) -> FilterChain:
        # Above 2 a single atempo skips samples instead of blending them; below 0.5 it refuses.
        steps = [self._factor] if 0.5 <= self._factor <= 2 else [sqrt(self._factor)] * 2
        return FilterChain(
            self._window * _ATEMPO_WINDOWS_PER_SECOND, [("atempo", {"tempo": repr(step)}) for step in steps]
        )


def stretch(samples: NDArray[np.float32], sample_rate: int, factor: float) -> NDArray[np.float32]:
    """Stretch a whole signal [n] to round(n / factor) samples; the same bits as in pieces."""
    stretcher = TimeStretch(sample_rate, factor)
    return np.concatenate([stretcher.process(samples), stretcher.finish()])
