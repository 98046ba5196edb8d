"""Turns the bytes of a reference recording into what the codec hears: mono, 16 kHz, at a common loudness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flashtts_core.engines.recording import read_recording
from flashtts_core.engines.spark.config import AudioConfig

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
    samples = read_recording(audio, config.sample_rate, max_seconds=max_seconds)
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
