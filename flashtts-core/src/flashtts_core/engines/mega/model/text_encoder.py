"""Encodes phones: convolutions, then a transformer whose attention knows distances up to four phones.

The duration network and the diffusion network each have one. Attribute names are those of the checkpoints. Phones are
never padded here, so nothing is masked: a line is encoded by itself.
"""

from __future__ import annotations

import math

import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

PRENET_LAYERS = 3
_PRENET_KERNEL = 5
WINDOW = 4
"""Distances to either side that have vectors of their own."""
_EPS = 1e-4


class TextEncoderSizes(Struct, frozen=True):
    """Sizes of a text encoder: ids, width, heads, layers; width and kernel of the feed-forward layers."""

    ids: int
    dim: int
    heads: int
    layers: int
    hidden: int
    kernel: int


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of [B, C, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(channels))
        self.beta = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [B, C, T]."""
        normed = functional.layer_norm(x.transpose(1, 2), self.gamma.shape, self.gamma, self.beta, _EPS)
        return normed.transpose(1, 2)


class Prenet(nn.Module):
    """Three convolutions around a residual: what a phone is depends on its neighbours."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        convolutions = (nn.Conv1d(dim, dim, _PRENET_KERNEL, padding=_PRENET_KERNEL // 2) for _ in range(PRENET_LAYERS))
        self.conv_layers = nn.ModuleList(convolutions)
        self.norm_layers = nn.ModuleList(ChannelNorm(dim) for _ in range(PRENET_LAYERS))
        self.proj = nn.Conv1d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        y = x
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            y = functional.relu(norm(convolution(y)))
        return x + self.proj(y)


class RelativeAttention(nn.Module):
    """Self attention in which the distance of two phones counts too, up to ``WINDOW`` (Shaw et al. 2018)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        width = dim // heads
        self.emb_rel_k = nn.Parameter(torch.empty(1, 2 * WINDOW + 1, width))
        self.emb_rel_v = nn.Parameter(torch.empty(1, 2 * WINDOW + 1, width))
        self.conv_q = nn.Conv1d(dim, dim, 1)
        self.conv_k = nn.Conv1d(dim, dim, 1)
        self.conv_v = nn.Conv1d(dim, dim, 1)
        self.conv_o = nn.Conv1d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        queries, keys, values = (
            layer(x).unflatten(1, (self.heads, -1)).transpose(2, 3) for layer in (self.conv_q, self.conv_k, self.conv_v)
        )  # [B, H, T, d]
        places, near = _distances(x.shape[-1], x.device)
        by_distance = queries @ self.emb_rel_k.transpose(1, 2)  # [B, H, T, 9]
        relative = by_distance.gather(-1, places.expand(*by_distance.shape[:2], -1, -1)) * near
        scores = (queries @ keys.transpose(2, 3) + relative) / math.sqrt(queries.shape[-1])
        weights = scores.softmax(-1)  # [B, H, T, T]
        shares = torch.zeros_like(by_distance).scatter_add_(-1, places.expand_as(weights), weights * near)
        mixed = weights @ values + shares @ self.emb_rel_v
        attended: Tensor = self.conv_o(mixed.transpose(2, 3).flatten(1, 2))
        return attended


class FeedForward(nn.Module):
    """A convolution over neighbours, then a pointwise one."""

    def __init__(self, dim: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(dim, hidden, kernel, padding=kernel // 2)
        self.conv_2 = nn.Conv1d(hidden, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        y: Tensor = self.conv_2(functional.relu(self.conv_1(x)))
        return y


class Layers(nn.Module):
    """The transformer: norms first, one more at the end."""

    def __init__(self, sizes: TextEncoderSizes) -> None:
        super().__init__()
        dim, count = sizes.dim, range(sizes.layers)
        self.attn_layers = nn.ModuleList(RelativeAttention(dim, sizes.heads) for _ in count)
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(dim) for _ in count)
        self.ffn_layers = nn.ModuleList(FeedForward(dim, sizes.hidden, sizes.kernel) for _ in count)
        self.norm_layers_2 = nn.ModuleList(ChannelNorm(dim) for _ in count)
        self.last_ln = ChannelNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to the same shape."""
        stacks = (self.norm_layers_1, self.attn_layers, self.norm_layers_2, self.ffn_layers)
        for first_norm, attention, second_norm, feed_forward in zip(*stacks, strict=True):
            x = x + attention(first_norm(x))
            x = x + feed_forward(second_norm(x))
        y: Tensor = self.last_ln(x)
        return y


class TextEncoder(nn.Module):
    """Phones to vectors."""

    def __init__(self, sizes: TextEncoderSizes) -> None:
        super().__init__()
        self.emb = nn.Embedding(sizes.ids, sizes.dim)
        self.pre = Prenet(sizes.dim)
        self.encoder = Layers(sizes)

    def forward(self, ids: Tensor, labels: Tensor) -> Tensor:
        """Map ids [B, T] and the vectors of their labels [B, T, D] to [B, T, D]."""
        dim = self.emb.embedding_dim
        x = self.emb(ids) * math.sqrt(dim) + labels + _positions(ids.shape[1], dim, ids.device)
        y: Tensor = self.encoder(self.pre(x.transpose(1, 2))).transpose(1, 2)
        return y


def _positions(length: int, dim: int, device: torch.device) -> Tensor:
    """Return sinusoids [T, D]: all sines, then all cosines."""
    half = dim // 2
    rates = torch.exp(torch.arange(half, device=device) * -(math.log(10_000) / (half - 1)))
    turns = torch.arange(length, device=device, dtype=torch.float32)[:, None] * rates
    return torch.cat([turns.sin(), turns.cos()], dim=-1)


def _distances(length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return which distance vector belongs to a query and a key [T, T], and where there is one at all [T, T]."""
    places = torch.arange(length, device=device)
    distance = places[None, :] - places[:, None]
    return distance.clamp(-WINDOW, WINDOW) + WINDOW, distance.abs() <= WINDOW
