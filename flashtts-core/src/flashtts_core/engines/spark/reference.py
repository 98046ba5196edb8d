"""Turns the bytes of a reference recording into what the codec hears: mono, 16 kHz, at a common loudness.

The first channel counts, not the mean, and soxr's "VHQ" resamples in double precision, as in the original: another
resampler changes tokens.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from flashtts_core.audio.decode import DecodeBudget, decode
from flashtts_core.engines.spark.config import AudioConfig
from flashtts_core.errors import RequestError

MIN_SECONDS = 1.0
_SILENT_PEAK = 1e-3  # -60 dBFS; below that the volume normaliser would speak of noise

_QUIET_PEAK = 0.1  # recordings below this peak are raised to it first
_LOWEST_PEAK = 1e-3
_AUDIBLE = 0.01  # samples below this do not count as loudness
_FEWEST_AUDIBLE = 10
_LOUD_SHARE = (0.9, 0.99)  # the loudness is the mean of the loudest tenth without the loudest hundredth
_TARGET = 0.2
_GAIN_LIMITS = (0.1, 10.0)


def read_reference(audio: bytes, config: AudioConfig, *, max_seconds: float, normalize: bool) -> NDArray[np.float32]:
    """Decode a recording to samples [N] at the codec's rate; blocks, so run it off the event loop.

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
    samples = decoded.samples.astype(np.float64)
    if decoded.source_rate != config.sample_rate:
        samples = soxr.resample(samples, decoded.source_rate, config.sample_rate, quality="VHQ")
    if normalize:
        samples = normalize_volume(samples)
    return samples.astype(np.float32)


def normalize_volume(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring a recording [N] to a common loudness without clipping it.

    The loudness is measured on the samples as they come, also where a quiet recording is raised first: so did the
    original, and the model was trained on its output.
    """
    magnitudes = np.sort(np.abs(samples))
    peak = magnitudes[-1]
    if peak < _QUIET_PEAK:
        samples = samples * (_QUIET_PEAK / max(peak, _LOWEST_PEAK))
    audible = magnitudes[magnitudes > _AUDIBLE]
    if len(audible) <= _FEWEST_AUDIBLE:
        return samples
    first, last = (int(share * len(audible)) for share in _LOUD_SHARE)
    samples = samples * np.clip(_TARGET / audible[first:last].mean(), *_GAIN_LIMITS)
    peak = np.abs(samples).max()
    return samples / peak if peak > 1 else samples
