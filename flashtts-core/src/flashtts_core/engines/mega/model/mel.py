"""The log-mel spectrogram that the aligner hears: Whisper's, but of the whole recording and not of 30 s."""

from __future__ import annotations

import torch
from torch import Tensor

from flashtts_core.nn.mel import MelBands, mel_filters

SAMPLE_RATE = 16_000
_N_FFT = 400
_HOP = 160
_FLOOR = 1e-10
_RANGE = 8.0  # powers of ten below the loudest that are told apart


class LogMel:
    """Makes spectrograms with ``bands`` bands on one device."""

    def __init__(self, bands: int, device: torch.device) -> None:
        self._filters = torch.from_numpy(mel_filters(MelBands(SAMPLE_RATE, _N_FFT, bands))).to(device)
        self._window = torch.hann_window(_N_FFT, periodic=True, device=device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Map samples [N] at 16 kHz to log-mel [bands, N // 160], 100 frames a second."""
        spectrum = torch.stft(
            samples, _N_FFT, _HOP, window=self._window, center=True, pad_mode="reflect", return_complex=True
        )
        power = spectrum[:, :-1].abs() ** 2
        levels = (self._filters @ power).clamp_min(_FLOOR).log10()
        return (levels.maximum(levels.max() - _RANGE) + 4) / 4
