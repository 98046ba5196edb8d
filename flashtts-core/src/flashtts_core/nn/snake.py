"""Snake (Ziyin, Hartwig and Ueda 2020), the periodic activation of wave generators."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_ALPHA_FLOOR = 1e-9


class Snake(nn.Module):
    """``x + sin(a x)^2 / a``, with a learnt for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        wave = (x * self.alpha).sin_()
        return torch.addcmul(x, wave.mul_(wave), (self.alpha + _ALPHA_FLOOR).reciprocal())
