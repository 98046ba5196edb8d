"""The mel spectrogram of the speaker encoder: magnitudes without a logarithm, Slaney's scale and area norm."""

from __future__ import annotations

import torch
from torch import Tensor

from flashtts_core.engines.spark.config import MelConfig
from flashtts_core.nn.mel import MelBands, mel_filters


class MelSpectrogram:
    """Makes spectrograms on one device."""

    def __init__(self, config: MelConfig, device: torch.device) -> None:
        self._config = config
        bands = MelBands(config.sample_rate, config.n_fft, config.num_mels, config.mel_fmin, config.mel_fmax)
        self._filters = torch.from_numpy(mel_filters(bands)).to(device)
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
