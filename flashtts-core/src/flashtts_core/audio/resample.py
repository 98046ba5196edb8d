"""Change the sample rate of a mono stream: libswresample, tuned to give what soxr's "VHQ" gives.

Surprising on purpose:

* The low-pass is a Kaiser-windowed sinc whose length, shape and corner were fitted to soxr "VHQ", the resampler of
  Spark-TTS's reference code: flat to 0.92 of the lower Nyquist frequency, -3 dB at 0.95, below -120 dB from 1.0
  on. It differs from soxr by -78 to -92 dB on speech, and by -64 to -73 dB on white noise, the hardest case.
* libswresample mirrors the signal at its start. Here the signal is silence outside of its ends, as in soxr, so
  that nothing is heard before it is there: zeros go in first and their output is thrown away.
* What comes out does not depend on how the input was cut into pieces, bit for bit.
"""

from __future__ import annotations

from math import ceil, gcd
from typing import TYPE_CHECKING

import numpy as np

from flashtts_core.audio.filters import FilterChain
from flashtts_core.errors import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST_RATE = 4_000
HIGHEST_RATE = 192_000

_TAPS = 228  # of the low-pass, counted at the lower of the two rates
_KAISER_BETA = 14.75
_CORNER = 0.95566  # -6 dB, as a share of the lower Nyquist frequency
_PHASES = 1024  # libswresample's table; a ratio that needs more phases is interpolated between them


def check_rate(sample_rate: int) -> None:
    """Raise RequestError for a rate outside of what speech is stored at (Hz)."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise RequestError(
            f"A sample rate of {sample_rate} Hz cannot be used; choose one from {LOWEST_RATE} to {HIGHEST_RATE} Hz."
        )


class Resampler:
    """Convert a stream from one rate to another; n samples in give round(n * to / from) out (halves up).

    Holds back half the filter, 114 samples of the lower rate (4.75 ms at 24 kHz). Equal rates are the identity.
    Raises RequestError for rates outside of 4 to 192 kHz.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        check_rate(from_rate)
        check_rate(to_rate)
        self._from = from_rate
        self._to = to_rate
        self._taken = 0
        self._given = 0
        # The silence before the signal: whole periods of the ratio, so that the cut falls on an output sample.
        self._period = from_rate // gcd(from_rate, to_rate)
        reach = _TAPS / 2 * max(1.0, from_rate / to_rate)  # of the filter to either side, in input samples
        self._lead = ceil(reach / self._period) * self._period
        self._drop = self._lead * to_rate // from_rate
        self._chain: FilterChain | None = None

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take float32 samples [n], return those that are ready at the new rate [m]."""
        self._taken += samples.size
        if self._from == self._to or not samples.size:
            return samples
        if self._chain is None:
            self._chain = FilterChain(self._from, [("aresample", self._options())])
            self._keep(self._chain.process(np.zeros(self._lead, np.float32)))
        return self._keep(self._chain.process(samples))

    def finish(self) -> NDArray[np.float32]:
        """Return the rest [m]; the resampler is spent."""
        if self._chain is None:
            return np.zeros(0, np.float32)
        target = (2 * self._taken * self._to + self._from) // (2 * self._from)
        silence = np.zeros(self._lead + self._period, np.float32)
        tail = np.concatenate([self._keep(self._chain.process(silence)), self._keep(self._chain.finish())])
        return tail[: target - (self._given - tail.size)]

    def _keep(self, out: NDArray[np.float32]) -> NDArray[np.float32]:
        dropped = min(self._drop, out.size)
        self._drop -= dropped
        self._given += out.size - dropped
        return out[dropped:]

    def _options(self) -> dict[str, str]:
        phases = self._to // gcd(self._from, self._to)
        return {
            "sample_rate": str(self._to),
            "filter_type": "kaiser",
            "kaiser_beta": str(_KAISER_BETA),
            "filter_size": str(_TAPS),
            # libswresample measures the corner against the output's Nyquist frequency, even when that is the higher.
            "cutoff": repr(_CORNER * min(1.0, self._from / self._to)),
            "linear_interp": "1" if phases > _PHASES else "0",
        }


def resample(samples: NDArray[np.float32], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Convert a whole signal [n] to round(n * to / from) samples; the same bits as in pieces."""
    resampler = Resampler(from_rate, to_rate)
    return np.concatenate([resampler.process(samples), resampler.finish()])
