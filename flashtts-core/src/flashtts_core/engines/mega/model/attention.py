"""Attention and rotary positions, as all three transformers of MegaTTS 3 need them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_ROTARY_BASE = 10_000.0


def attend(queries: Tensor, keys: Tensor, values: Tensor, *, causal: bool = False) -> Tensor:
    """Attend with queries [B, H, Q, d] over keys and values [B, H, K, d] and return [B, Q, H * d]."""
    mixed = functional.scaled_dot_product_attention(queries, keys, values, is_causal=causal)
    return mixed.transpose(1, 2).flatten(2)


def heads_of(x: Tensor, heads: int) -> Tensor:
    """Map x [B, T, D] to heads [B, H, T, D / H]."""
    return x.view(*x.shape[:-1], heads, -1).transpose(1, 2)


def angles(positions: Tensor, width: int) -> Tensor:
    """Return the rotary angles [T, width / 2] of positions [T] for heads of ``width``."""
    rates = _ROTARY_BASE ** (-torch.arange(0, width, 2, device=positions.device, dtype=torch.float32) / width)
    return positions.to(torch.float32)[:, None] * rates


def rotate_pairs(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn x [..., T, d], of which neighbours are pairs, by angles given as cosines and sines [T, d / 2]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cosines - odd * sines, even * sines + odd * cosines], dim=-1).flatten(-2)


def rotate_halves(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn x [..., T, d], of which number i pairs with number i + d / 2, by cosines and sines [T, d / 2]."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat([low * cosines - high * sines, high * cosines + low * sines], dim=-1)
