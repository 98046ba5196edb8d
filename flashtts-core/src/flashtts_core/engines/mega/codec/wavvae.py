"""The WavVAE decoder: latents, 25 a second, to sound at 24 kHz. Attribute names are those of the checkpoint.

Weight norm is folded into plain weights when they are loaded. The encoder is not here: a voice brings its latent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

SAMPLE_RATE = 24_000
HOP = 960
"""Samples of one latent."""
CONTEXT = 6
"""Latents before the wanted ones after which nothing earlier can be heard: the difference is below 1e-14."""

_KERNEL = 7
_SLOPE = 0.2
_FIRST_RATE = 4
_RATES = (5, 4, 4, 3)
_BLOCK_KERNELS = (3, 7, 11)
_DILATIONS = (1, 3, 5)


class WavVaeSizes(Struct, frozen=True):
    """Sizes of the decoder: of a latent, between its two parts, and at the start of the second."""

    latent: int
    inner: int
    widest: int


class Piece(Struct, frozen=True, eq=False):
    """Latents [T, C]; the sound from number ``first`` on is wanted."""

    latents: Tensor
    first: int


class Upsample(nn.Module):
    """To ``rate`` times the length: a repetition that is smoothed, and a transposed convolution, added."""

    def __init__(self, channels: int, out: int, rate: int) -> None:
        super().__init__()
        self.rate = rate
        half = max(rate, 5)
        transposed = nn.ConvTranspose1d(
            channels, out, 2 * half, stride=rate, padding=half - rate // 2, output_padding=rate % 2
        )
        smooth = nn.Conv1d(channels, out, _KERNEL)
        self.upsample = nn.Sequential(nn.Identity(), nn.Identity(), nn.ReflectionPad1d(_KERNEL // 2), smooth)
        self.trans_upsample = nn.Sequential(nn.Identity(), transposed)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to [B, out, T * rate]."""
        y = functional.leaky_relu(x + x.sin(), _SLOPE, inplace=True)
        smoothed: Tensor = self.upsample(y.repeat_interleave(self.rate, dim=-1))
        return smoothed.add_(self.trans_upsample(y))


class DilatedBlock(nn.Module):
    """Pairs of a dilated and a plain convolution around residuals."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=kernel // 2 * dilation)
            for dilation in _DILATIONS
        )
        self.convs2 = nn.ModuleList(nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in _DILATIONS)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            y = dilated(functional.leaky_relu(x, _SLOPE))
            x = plain(functional.leaky_relu(y, _SLOPE, inplace=True)).add_(x)
        return x


class ResidualBlock(nn.Module):
    """The mean of three blocks that see nearer and farther."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block1, self.block2, self.block3 = (DilatedBlock(channels, kernel) for kernel in _BLOCK_KERNELS)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        total: Tensor = self.block1(x)
        return total.add_(self.block2(x)).add_(self.block3(x)).div_(len(_BLOCK_KERNELS))


class Generator(nn.Module):
    """The part of the decoder that makes the sound."""

    def __init__(self, sizes: WavVaeSizes) -> None:
        super().__init__()
        widths = [sizes.widest >> stage for stage in range(len(_RATES) + 1)]
        stages = [
            layer
            for rate, width in zip(_RATES, widths, strict=False)
            for layer in (Upsample(width, width // 2, rate), ResidualBlock(width // 2))
        ]
        self.model_up = nn.Sequential(
            nn.ReflectionPad1d(_KERNEL // 2),
            nn.Conv1d(sizes.inner, sizes.widest, _KERNEL),
            *stages,
            nn.LeakyReLU(_SLOPE),
            nn.ReflectionPad1d(_KERNEL // 2),
            nn.Conv1d(widths[-1], 1, _KERNEL),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, inner, T] to samples [B, 1, 240 T]."""
        y: Tensor = self.model_up(x)
        return y


class WavVaeDecoder(nn.Module):
    """Latents to sound; ``decode`` runs without gradients."""

    def __init__(self, sizes: WavVaeSizes) -> None:
        super().__init__()
        self.proj_to_decoder = nn.Linear(sizes.latent, 2 * sizes.inner)
        self.latent_upsampler = Upsample(2 * sizes.inner, sizes.inner, _FIRST_RATE)
        self.decoder = Generator(sizes)

    def forward(self, latents: Tensor) -> Tensor:
        """Map latents [B, T, C] to samples [B, 1, 960 T]."""
        x = self.proj_to_decoder(latents).transpose(1, 2)
        y: Tensor = self.decoder(self.latent_upsampler(x))
        return y

    @torch.inference_mode()
    def decode(self, pieces: Sequence[Piece]) -> list[NDArray[np.float32]]:
        """Return the wanted samples of each piece; those of one length are decoded together.

        Lines that end elsewhere are not padded: the network mirrors the signal at its ends.
        """
        cut = [piece.latents[max(0, piece.first - CONTEXT) :] for piece in pieces]
        found: dict[int, NDArray[np.float32]] = {}
        for length in {len(latents) for latents in cut}:
            places = [place for place, latents in enumerate(cut) if len(latents) == length]
            samples = self(torch.stack([cut[place] for place in places])).numpy(force=True)
            for place, of_piece in zip(places, samples[:, 0], strict=True):
                found[place] = of_piece[min(pieces[place].first, CONTEXT) * HOP :].copy()
        return [found[place] for place in range(len(pieces))]
