"""The Vocos backbone: ConvNeXt blocks over time, plain or conditioned on a speaker.

Conditioned norms scale and shift by linear maps of the speaker vector alone (scale as it is, not one plus it); these
are computed once for a voice, not once for a decode.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.spark.codec.lengths import Lengths, zero_tails
from flashtts_core.engines.spark.config import BackboneConfig

KERNEL = 7
REACH = KERNEL // 2
"""Frames to either side that one convolution sees."""
_EPS = 1e-6
_SAMPLING_BLOCKS = 2  # ConvNeXt blocks in each of the stages that once changed the sample rate


class ConditionedNorm(nn.Module):
    """LayerNorm over channels whose scale and shift come from the speaker vector."""

    def __init__(self, dim: int, condition_dim: int) -> None:
        super().__init__()
        self.scale = nn.Linear(condition_dim, dim)
        self.shift = nn.Linear(condition_dim, dim)

    def condition(self, speaker: Tensor) -> Tensor:
        """Return scale and shift [2, D] for a speaker vector [S]."""
        return torch.stack([self.scale(speaker), self.shift(speaker)])

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalise x [B, T, D] with conditions [B, 2, D]."""
        normed = functional.layer_norm(x, x.shape[-1:], eps=_EPS)
        return torch.addcmul(condition[:, 1, None], normed, condition[:, 0, None])


class PlainNorm(nn.LayerNorm):
    """LayerNorm over channels; takes no condition."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, eps=_EPS)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Normalise x [B, T, D]."""
        return super().forward(x)


def _norm(dim: int, condition_dim: int | None) -> nn.Module:
    return PlainNorm(dim) if condition_dim is None else ConditionedNorm(dim, condition_dim)


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then a feed-forward layer at each frame, around a residual."""

    def __init__(self, dim: int, hidden: int, condition_dim: int | None) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(dim, dim, KERNEL, padding=REACH, groups=dim)
        self.norm = _norm(dim, condition_dim)
        self.pwconv1 = nn.Linear(dim, hidden)
        self.pwconv2 = nn.Linear(hidden, dim)
        self.gamma = nn.Parameter(torch.empty(dim))

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Map x [B, D, T] to the same shape."""
        y = self.dwconv(x).transpose(1, 2)  # [B, T, D]
        y = self.pwconv2(functional.gelu(self.pwconv1(self.norm(y, condition))))
        return torch.addcmul(x, y.transpose(1, 2), self.gamma[:, None])


class VocosBackbone(nn.Module):
    """A convolution into the width of the backbone, a norm, ConvNeXt blocks, a last norm."""

    def __init__(self, channels: int, dim: int, hidden: int, blocks: int, condition_dim: int | None = None) -> None:
        super().__init__()
        self.embed = nn.Conv1d(channels, dim, KERNEL, padding=REACH)
        self.norm = _norm(dim, condition_dim)
        self.convnext = nn.ModuleList(ConvNeXtBlock(dim, hidden, condition_dim) for _ in range(blocks))
        self.final_layer_norm = PlainNorm(dim)
        self.reach = REACH * (1 + blocks)
        """Frames to either side that one output frame depends on."""

    def condition(self, speaker: Tensor) -> Tensor:
        """Return the scales and shifts [1 + blocks, 2, D] of all norms for a speaker vector [S]."""
        norms = [module for module in self.modules() if isinstance(module, ConditionedNorm)]
        return torch.stack([norm.condition(speaker) for norm in norms])

    def forward(self, x: Tensor, lengths: Lengths, condition: Tensor | None = None) -> Tensor:
        """Map x [B, C, T], zero behind its ends, to [B, T, D]; ``condition`` is [B, 1 + blocks, 2, D]."""
        conditions = [None] * (1 + len(self.convnext)) if condition is None else condition.unbind(1)
        x = self.norm(self.embed(x).transpose(1, 2), conditions[0]).transpose(1, 2).contiguous()  # [B, D, T]
        for block, of_block in zip(self.convnext, conditions[1:], strict=True):
            x = block(zero_tails(x, lengths), of_block)
        return self.final_layer_norm(x.transpose(1, 2))


class Triple(nn.Module):
    """The sampling block at ratio 1: the input, its repetition and its upsampled form are one and are added."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 3 x."""
        return 3 * x


class SamplingStages(nn.ModuleList):
    """The stages that could change the sample rate; at the only known ratio, 1, each triples its input."""

    def __init__(self, config: BackboneConfig) -> None:
        dim, hidden = config.vocos_dim, config.vocos_intermediate_dim
        backbones = [VocosBackbone(dim, dim, hidden, _SAMPLING_BLOCKS) for _ in config.sample_ratios]
        super().__init__(nn.ModuleList([Triple(), backbone]) for backbone in backbones)
        self.reach = sum(backbone.reach for backbone in backbones)
        """Frames to either side that one output frame depends on."""

    def forward(self, x: Tensor, lengths: Lengths) -> Tensor:
        """Map x [B, T, D] to the same shape."""
        for stage in self:
            assert isinstance(stage, nn.ModuleList)
            triple, backbone = stage
            x = backbone(zero_tails(triple(x).transpose(1, 2).contiguous(), lengths), lengths)
        return x
