"""The networks of SNAC (Siuzdak, Grötschla and Lanzendörfer 2024) that turn codes into sound; attribute names are those
of the checkpoint.

Weight norm is folded into plain weights when they are loaded. The encoder is not here: the models have voices of their
own and need no recording.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from flashtts_core.engines.orpheus.codec.config import SnacConfig
from flashtts_core.nn.snake import Snake

KERNEL = 7
DILATIONS = (1, 3, 9)


class CodebookLevel(nn.Module):
    """One level of the quantizer: a code to a vector of the latent width."""

    def __init__(self, config: SnacConfig) -> None:
        super().__init__()
        self.codebook = nn.Embedding(config.codebook_size, config.codebook_dim)
        self.out_proj = nn.Conv1d(config.codebook_dim, config.latent, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """Map codes [B, T] to vectors [B, latent, T]."""
        vectors: Tensor = self.out_proj(self.codebook(codes).transpose(1, 2))
        return vectors


class CodebookDecoder(nn.Module):
    """The quantizer, from codes to latents: the sum over its levels, each at a rate of its own."""

    def __init__(self, config: SnacConfig) -> None:
        super().__init__()
        self.strides = config.vq_strides
        self.quantizers = nn.ModuleList(CodebookLevel(config) for _ in config.vq_strides)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Map the codes of each level [B, T / stride] to latents z_q [B, latent, T]."""
        parts = [
            level(codes).repeat_interleave(stride, dim=-1)
            for level, codes, stride in zip(self.quantizers, levels, self.strides, strict=True)
        ]
        return torch.stack(parts).sum(dim=0)


class NoiseBlock(nn.Module):
    """Adds noise, as loud in each channel as the signal makes it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Map x [B, C, T] and noise [B, 1, T] to [B, C, T]."""
        return torch.addcmul(x, noise, self.linear(x))


class ResidualUnit(nn.Module):
    """A dilated convolution and a pointwise one around a residual."""

    def __init__(self, channels: int, dilation: int, groups: int) -> None:
        super().__init__()
        padding = KERNEL // 2 * dilation
        self.block = nn.Sequential(
            Snake(channels),
            nn.Conv1d(channels, channels, KERNEL, padding=padding, dilation=dilation, groups=groups),
            Snake(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        residual: Tensor = self.block(x)
        return residual.add_(x)


class DecoderBlock(nn.Module):
    """To ``stride`` times the length and half the channels: transposed convolution, noise, residual units."""

    def __init__(self, channels: int, stride: int, config: SnacConfig) -> None:
        super().__init__()
        out = channels // 2
        padding = (stride + 1) // 2
        self.noisy = config.noise
        self.block = nn.Sequential(
            Snake(channels),
            nn.ConvTranspose1d(channels, out, 2 * stride, stride=stride, padding=padding, output_padding=stride % 2),
            *([NoiseBlock(out)] if config.noise else []),
            *(ResidualUnit(out, dilation, out if config.depthwise else 1) for dilation in DILATIONS),
        )

    def forward(self, x: Tensor, noise: Tensor | None, ends: Sequence[int] | None) -> Tensor:
        """Map x [B, C, T] to [B, C / 2, T * stride].

        ``noise`` is [B, 1, T * stride], or ``None`` for none. With ``ends``, item i of the output ends at ``ends[i]``
        and everything behind it is zero, as convolutions must see it.
        """
        snake, upsample, *rest = self.block
        x = silence(upsample(snake(x)), ends)
        if self.noisy:
            mix, *rest = rest
            x = x if noise is None else mix(x, noise)
        for unit in rest:
            x = silence(unit(x), ends)
        return x


class Decoder(nn.Module):
    """Latents to samples; ``head``, ``blocks`` and ``tail`` in turn, so that the caller can cut between them."""

    def __init__(self, config: SnacConfig) -> None:
        super().__init__()
        widths = [config.decoder_dim >> stage for stage in range(len(config.decoder_rates) + 1)]
        head: list[nn.Module] = [nn.Conv1d(config.latent, widths[0], KERNEL, padding=KERNEL // 2)]
        if config.depthwise:
            latent = config.latent
            head = [
                nn.Conv1d(latent, latent, KERNEL, padding=KERNEL // 2, groups=latent),
                nn.Conv1d(latent, widths[0], 1),
            ]
        self._head = len(head)
        self.model = nn.Sequential(
            *head,
            *(DecoderBlock(width, stride, config) for width, stride in zip(widths, config.decoder_rates, strict=False)),
            Snake(widths[-1]),
            nn.Conv1d(widths[-1], 1, KERNEL, padding=KERNEL // 2),
            nn.Tanh(),
        )

    def head(self, z_q: Tensor) -> Tensor:
        """Map latents [B, latent, T] to [B, decoder_dim, T]."""
        x: Tensor = self.model[: self._head](z_q)
        return x

    @property
    def blocks(self) -> list[DecoderBlock]:
        """The upsampling blocks, in order."""
        return [block for block in self.model if isinstance(block, DecoderBlock)]

    def tail(self, x: Tensor) -> Tensor:
        """Map the output of the last block [B, C, T] to samples [B, T] in [-1, 1]."""
        samples: Tensor = self.model[-3:](x)
        return samples[:, 0]


def silence(x: Tensor, ends: Sequence[int] | None) -> Tensor:
    """Zero x [B, C, T] in place behind the end of each item, and return it."""
    if ends is not None:
        for item, end in zip(x, ends, strict=True):
            item[:, end:] = 0
    return x
