"""Mel filters on Slaney's scale with Slaney's area norm; checkpoints do not hold them, so they are computed."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# Slaney's scale: linear up to 1 kHz (15 mel), logarithmic from there on (27 mel to 6.4 kHz).
_HZ_PER_MEL = 200 / 3
_CORNER_HZ = 1000.0
_CORNER_MEL = _CORNER_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


class MelBands(Struct, frozen=True):
    """``count`` bands from ``lowest`` to ``highest`` Hz (``None``: half the rate) over a spectrum of ``n_fft``."""

    sample_rate: int
    n_fft: int
    count: int
    lowest: float = 0.0
    highest: float | None = None


def hz_to_mel(hz: float) -> float:
    """Convert a frequency to Slaney's scale."""
    if hz < _CORNER_HZ:
        return hz / _HZ_PER_MEL
    return _CORNER_MEL + math.log(hz / _CORNER_HZ) / _LOG_STEP


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert places on Slaney's scale to frequencies."""
    curved = _CORNER_HZ * np.exp(_LOG_STEP * (mel - _CORNER_MEL))
    return np.where(mel < _CORNER_MEL, mel * _HZ_PER_MEL, curved)


def mel_filters(bands: MelBands) -> NDArray[np.float32]:
    """Return triangular filters [count, n_fft // 2 + 1], each of area 1 over frequency."""
    nyquist = bands.sample_rate / 2
    top = nyquist if bands.highest is None else bands.highest
    edges = mel_to_hz(np.linspace(hz_to_mel(bands.lowest), hz_to_mel(top), bands.count + 2))
    bins = np.linspace(0, nyquist, bands.n_fft // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    filters = np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low)
    return filters.astype(np.float32)
