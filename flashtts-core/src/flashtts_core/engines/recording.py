"""Reads the recording of a voice that is to be cloned: mono, at the rate of the engine that hears it.

The first channel counts, not the mean, and soxr's "VHQ" resamples in double precision, as in the originals of Spark-TTS
and MegaTTS 3: another resampler changes what the networks hear in it.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from flashtts_core.audio.decode import DecodeBudget, decode
from flashtts_core.errors import RequestError

MIN_SECONDS = 1.0
_SILENT_PEAK = 1e-3  # -60 dBFS; anything that levels a recording would speak of noise below that


def read_recording(audio: bytes, sample_rate: int, *, max_seconds: float) -> NDArray[np.float64]:
    """Decode a recording to samples [N]; blocks, so run it off the event loop.

    Raises ``BadAudio`` (not audio), ``TooLarge`` (bytes) and ``RequestError`` (silent, too short, too long).
    """
    decoded = decode(audio, budget=DecodeBudget(max_seconds=max_seconds), channel="first")
    if decoded.seconds < MIN_SECONDS:
        raise RequestError(
            f"The reference audio is {decoded.seconds:.2f} seconds long; a voice needs at least {MIN_SECONDS:g} second "
            f"of speech, better 5 to 15. Send a longer recording.",
            param="reference_audio",
        )
    if np.ptp(decoded.samples) / 2 < _SILENT_PEAK:
        raise RequestError(
            "The reference audio is silent in its first channel. Send a recording of a voice.", param="reference_audio"
        )
    samples: NDArray[np.float64] = decoded.samples.astype(np.float64)
    if decoded.source_rate != sample_rate:
        samples = soxr.resample(samples, decoded.source_rate, sample_rate, quality="VHQ")
    return samples
