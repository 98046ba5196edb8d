"""Keeps the ends of the items of a batch silent: convolutions must see zeros there, as they do at a true end."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Lengths = Sequence[int] | None


def zero_tails(x: Tensor, lengths: Lengths, rate: int = 1) -> Tensor:
    """Zero x [B, C, T] in place behind ``lengths[i] * rate`` frames of item i, and return it."""
    if lengths is not None:
        for item, length in zip(x, lengths, strict=True):
            item[:, length * rate :] = 0
    return x


def pad(items: Sequence[Tensor]) -> tuple[Tensor, Lengths]:
    """Stack items [..., T_i] to [B, ..., T], zeros behind their ends, with their lengths if they differ."""
    lengths = [item.shape[-1] for item in items]
    if len(set(lengths)) == 1:
        return torch.stack(list(items)), None
    batch = items[0].new_zeros(len(items), *items[0].shape[:-1], max(lengths))
    for place, item in zip(batch, items, strict=True):
        place[..., : item.shape[-1]] = item
    return batch, lengths
