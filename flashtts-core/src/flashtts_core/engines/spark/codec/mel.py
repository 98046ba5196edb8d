"""The mel spectrogram of the speaker encoder: magnitudes without a logarithm, Slaney's scale and area norm.

The filters are computed: the checkpoint does not hold them.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flashtts_core.engines.spark.config import MelConfig

# Slaney's scale: linear up to 1 kHz (15 mel), logarithmic from there on (27 mel to 6.4 kHz).
_HZ_PER_MEL = 200 / 3
_CORNER_HZ = 1000.0
_CORNER_MEL = _CORNER_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def hz_to_mel(hz: float) -> float:
    """Convert a frequency to Slaney's scale."""
    if hz < _CORNER_HZ:
        return hz / _HZ_PER_MEL
    return _CORNER_MEL + math.log(hz / _CORNER_HZ) / _LOG_STEP


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert places on Slaney's scale to frequencies."""
    curved = _CORNER_HZ * np.exp(_LOG_STEP * (mel - _CORNER_MEL))
    return np.where(mel < _CORNER_MEL, mel * _HZ_PER_MEL, curved)


def mel_filters(config: MelConfig) -> NDArray[np.float32]:
    """Return triangular filters [num_mels, n_fft // 2 + 1], each of area 1 over frequency."""
    nyquist = config.sample_rate / 2
    top = nyquist if config.mel_fmax is None else config.mel_fmax
    edges = mel_to_hz(np.linspace(hz_to_mel(config.mel_fmin), hz_to_mel(top), config.num_mels + 2))
    bins = np.linspace(0, nyquist, config.n_fft // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    filters = np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low)
    return filters.astype(np.float32)


class MelSpectrogram:
    """Makes spectrograms on one device."""

    def __init__(self, config: MelConfig, device: torch.device) -> None:
        self._config = config
        self._filters = torch.from_numpy(mel_filters(config)).to(device)
        self._window = torch.hann_window(config.win_length, periodic=True, device=device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Map samples [B, N] to magnitudes [B, num_mels, 1 + N // hop_length]."""
        spectrum = torch.stft(
            samples,
            self._config.n_fft,
            self._config.hop_length,
            self._config.win_length,
            window=self._window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        return torch.matmul(self._filters, spectrum.abs())
