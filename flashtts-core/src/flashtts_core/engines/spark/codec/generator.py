"""The wave generator: prenet frames to samples through transposed convolutions and dilated residual units."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from flashtts_core.engines.spark.codec.lengths import Lengths, zero_tails
from flashtts_core.engines.spark.config import GeneratorConfig
from flashtts_core.nn.snake import Snake

_KERNEL = 7
_DILATIONS = (1, 3, 9)


class ResidualUnit(nn.Module):
    """A dilated convolution and a pointwise one around a residual."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        reach = _KERNEL // 2 * dilation
        self.block = nn.Sequential(
            Snake(channels),
            nn.Conv1d(channels, channels, _KERNEL, padding=reach, dilation=dilation),
            Snake(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        return self.block(x).add_(x)


class UpsamplingStage(nn.Module):
    """A transposed convolution to ``rate`` times the length, then residual units of growing dilation."""

    def __init__(self, channels: int, out: int, rate: int, kernel: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels),
            nn.ConvTranspose1d(channels, out, kernel, stride=rate, padding=(kernel - rate) // 2),
            *(ResidualUnit(out, dilation) for dilation in _DILATIONS),
        )

    def forward(self, x: Tensor, lengths: Lengths, rate: int) -> Tensor:
        """Map x [B, C, T], zero behind its ends, to [B, out, T']; ``rate`` is that of the output."""
        snake, upsample, *units = self.block
        x = zero_tails(upsample(snake(x)), lengths, rate)
        for unit in units:
            x = zero_tails(unit(x), lengths, rate)
        return x


class WaveGenerator(nn.Module):
    """Convolution, upsampling stages, convolution, tanh."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.rates = config.rates
        self.hop = prod(config.rates)
        widths = [config.channels >> stage for stage in range(len(config.rates) + 1)]
        self.model = nn.Sequential(
            nn.Conv1d(config.input_channel, widths[0], _KERNEL, padding=_KERNEL // 2),
            *(
                UpsamplingStage(width, out, rate, kernel)
                for width, out, rate, kernel in zip(widths, widths[1:], config.rates, config.kernel_sizes, strict=False)
            ),
            Snake(widths[-1]),
            nn.Conv1d(widths[-1], 1, _KERNEL, padding=_KERNEL // 2),
        )

    def forward(self, frames: Tensor, lengths: Lengths) -> Tensor:
        """Map frames [B, C, T] to samples [B, T * hop] in [-1, 1]."""
        first, *stages, snake, last = self.model
        x = zero_tails(first(zero_tails(frames, lengths)), lengths)
        rate = 1
        for stage, factor in zip(stages, self.rates, strict=True):
            rate *= factor
            x = stage(x, lengths, rate)
        return torch.tanh(last(snake(x)))[:, 0]


def reach(config: GeneratorConfig) -> int:
    """Return how many frames to either side the samples of one frame depend on, by interval arithmetic."""
    low, high = 0, prod(config.rates) - 1  # the samples of frame 0, then what they depend on, layer by layer
    low, high = low - _KERNEL // 2, high + _KERNEL // 2
    residual = sum(_KERNEL // 2 * dilation for dilation in _DILATIONS)
    for rate, kernel in zip(reversed(config.rates), reversed(config.kernel_sizes), strict=True):
        low, high = low - residual, high + residual
        padding = (kernel - rate) // 2
        low, high = -((kernel - 1 - padding - low) // rate), (high + padding) // rate
    return max(-low, high) + _KERNEL // 2
