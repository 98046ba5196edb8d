"""Who speaks: a mel spectrogram to 32 global tokens, and the tokens back to one speaker vector.

ECAPA-TDNN makes frame features, a perceiver resampler gathers them in 32 latents, finite scalar quantisation (FSQ)
makes a token of each. The tokens alone give the speaker vector that conditions the decoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.spark.config import SpeakerConfig

_RES2_SCALE = 8
_LAYER_DILATIONS = (2, 3, 4)
_HEADS = 8
_HEAD_DIM = 64
_PERCEIVER_DEPTH = 2
_FSQ_MARGIN = 1e-3
_NORM_FLOOR = 1e-12
_BATCH_NORM_EPS = 1e-5


class BatchNorm(nn.Module):
    """Batch norm as it is used after training: fixed statistics."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [B, C, F]."""
        mean, var = self.get_buffer("running_mean"), self.get_buffer("running_var")
        return functional.batch_norm(x, mean, var, self.weight, self.bias, eps=_BATCH_NORM_EPS)


class ConvUnit(nn.Module):
    """Convolution, ReLU, batch norm: in this order."""

    def __init__(self, channels: int, out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, out, kernel, padding=kernel // 2)
        self.bn = BatchNorm(out)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, F] to [B, out, F]."""
        return self.bn(functional.relu(self.conv(x)))


class Res2Conv(nn.Module):
    """Eight groups of channels: each but the last is convolved after the result of the one before was added to it."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        width = channels // _RES2_SCALE
        groups = range(_RES2_SCALE - 1)
        self.convs = nn.ModuleList(nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for _ in groups)
        self.bns = nn.ModuleList(BatchNorm(width) for _ in groups)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, F] to the same shape."""
        *groups, last = x.chunk(_RES2_SCALE, dim=1)
        done: list[Tensor] = []
        for group, conv, norm in zip(groups, self.convs, self.bns, strict=True):
            total = group + done[-1] if done else group
            done.append(norm(functional.relu(conv(total))))
        return torch.cat([*done, last], dim=1)


class SqueezeExcitation(nn.Module):
    """A gate for each channel, from the mean over time."""

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, bottleneck)
        self.linear2 = nn.Linear(bottleneck, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, F] to the same shape."""
        gate = torch.sigmoid(self.linear2(functional.relu(self.linear1(x.mean(2)))))
        return x * gate[:, :, None]


class EcapaLayer(nn.Module):
    """Unit, Res2 convolution, unit and gate, around a residual."""

    def __init__(self, channels: int, bottleneck: int, dilation: int) -> None:
        super().__init__()
        self.se_res2block = nn.Sequential(
            ConvUnit(channels, channels, 1),
            Res2Conv(channels, dilation),
            ConvUnit(channels, channels, 1),
            SqueezeExcitation(channels, bottleneck),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, F] to the same shape."""
        return x + self.se_res2block(x)


class Ecapa(nn.Module):
    """ECAPA-TDNN up to the aggregation of its layers; the pooled x-vector behind it is not used by Spark-TTS."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        channels, bottleneck = config.ecapa_channels, config.ecapa_se_channels
        self.layer1 = ConvUnit(config.input_dim, channels, 5)
        self.layer2, self.layer3, self.layer4 = (EcapaLayer(channels, bottleneck, d) for d in _LAYER_DILATIONS)
        self.conv = nn.Conv1d(3 * channels, config.ecapa_mfa_channels, 1)

    def forward(self, mel: Tensor) -> Tensor:
        """Map mel [B, mels, F] to frame features [B, mfa, F]."""
        second = self.layer2(self.layer1(mel))
        third = self.layer3(second)
        return functional.relu(self.conv(torch.cat([second, third, self.layer4(third)], dim=1)))


class CrossAttention(nn.Module):
    """Latents attend to themselves and to the frames."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        inner = _HEADS * _HEAD_DIM
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_kv = nn.Linear(dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)

    def forward(self, latents: Tensor, frames: Tensor) -> Tensor:
        """Map latents [B, n, D] and frames [B, F, D] to [B, n, D]."""
        keys, values = self.to_kv(torch.cat([latents, frames], dim=1)).chunk(2, dim=-1)
        heads = [part.unflatten(-1, (_HEADS, _HEAD_DIM)).transpose(1, 2) for part in (self.to_q(latents), keys, values)]
        mixed = functional.scaled_dot_product_attention(*heads)  # [B, heads, n, 64]
        return self.to_out(mixed.transpose(1, 2).flatten(2))


class GatedGelu(nn.Module):
    """Second half through GELU, times the first half."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., 2 D] to [..., D]."""
        value, gate = x.chunk(2, dim=-1)
        return functional.gelu(gate) * value


class RootMeanSquareNorm(nn.Module):
    """Unit length, times the square root of the width, times a gain."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [..., D]."""
        return functional.normalize(x, dim=-1, eps=_NORM_FLOOR) * math.sqrt(x.shape[-1]) * self.gamma


class PerceiverResampler(nn.Module):
    """Gathers frame features in a fixed number of latents."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        dim = config.latent_dim
        hidden = dim * 4 * 2 // 3
        self.proj_context = nn.Linear(config.ecapa_mfa_channels, dim)
        self.latents = nn.Parameter(torch.empty(config.token_num, dim))
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    CrossAttention(dim),
                    nn.Sequential(nn.Linear(dim, 2 * hidden), GatedGelu(), nn.Linear(hidden, dim)),
                ]
            )
            for _ in range(_PERCEIVER_DEPTH)
        )
        self.norm = RootMeanSquareNorm(dim)

    def forward(self, features: Tensor) -> Tensor:
        """Map features [B, mfa, F] to latents [B, tokens, D]."""
        frames = self.proj_context(features.transpose(1, 2))
        latents = self.latents.expand(len(frames), -1, -1)
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleList)
            attention, feed_forward = layer
            latents = latents + attention(latents, frames)
            latents = latents + feed_forward(latents)
        return self.norm(latents)


def fsq_tokens(u: Tensor, levels: Sequence[int]) -> Tensor:
    """Map values [..., n] to tokens [...]: each value is rounded to a level, and the levels are digits."""
    count = u.new_tensor(levels)
    half = (count - 1) * (1 + _FSQ_MARGIN) / 2
    offset = torch.where(count % 2 == 0, 0.5, 0.0)
    bounded = torch.tanh(u + torch.atanh(offset / half)) * half - offset
    digits = bounded.round().long() + count.long() // 2
    return (digits * _basis(levels, u.device)).sum(-1)


def fsq_values(tokens: Tensor, levels: Sequence[int]) -> Tensor:
    """Map tokens [...] to their values [..., n] in [-1, 1)."""
    count = torch.tensor(levels, device=tokens.device)
    digits = tokens[..., None] // _basis(levels, tokens.device) % count
    return (digits - count // 2) / (count // 2)


def _basis(levels: Sequence[int], device: torch.device) -> Tensor:
    return torch.tensor([math.prod(levels[:place]) for place in range(len(levels))], device=device)


class FsqEncoder(nn.Module):
    """Latent to token."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.levels = config.fsq_levels
        self.project_in = nn.Linear(config.latent_dim, len(self.levels))

    def forward(self, latents: Tensor) -> Tensor:
        """Map latents [B, tokens, D] to tokens [B, tokens]."""
        return fsq_tokens(self.project_in(latents), self.levels)


class FsqDecoder(nn.Module):
    """Token to latent."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.levels = config.fsq_levels
        self.project_out = nn.Linear(len(self.levels), config.latent_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [B, tokens] to latents [B, tokens, D]."""
        return self.project_out(fsq_values(tokens, self.levels))


class SpeakerTokenizer(nn.Module):
    """Mel spectrogram to global tokens."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.speaker_encoder = Ecapa(config)
        self.perceiver_sampler = PerceiverResampler(config)
        self.quantizer = FsqEncoder(config)

    def forward(self, mel: Tensor) -> Tensor:
        """Map mel [B, mels, F] to tokens [B, tokens]."""
        return self.quantizer(self.perceiver_sampler(self.speaker_encoder(mel)))


class SpeakerVector(nn.Module):
    """Global tokens to the speaker vector."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.quantizer = FsqDecoder(config)
        self.project = nn.Linear(config.token_num * config.latent_dim, config.out_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [B, tokens] to vectors [B, out]."""
        latents = self.quantizer(tokens)  # [B, tokens, D]
        return self.project(latents.transpose(1, 2).flatten(1))  # channel-major: index = channel * tokens + token
