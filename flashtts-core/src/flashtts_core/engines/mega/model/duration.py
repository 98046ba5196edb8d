"""The duration network: says how long each phone lasts, phone by phone, in the manner of the reference speaker.

A causal transformer over the phones of the reference and then of the line, each with the length of the phone before.
Attribute names are those of the checkpoint. The reference is read once for a speaker; its keys and values are kept.
"""

from __future__ import annotations

import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.mega.model.attention import angles, attend, heads_of, rotate_halves
from flashtts_core.engines.mega.model.text_encoder import TextEncoder, TextEncoderSizes

HEADS = 8

Memory = tuple[Tensor, Tensor]
"""Keys (turned to their positions) and values [1, H, T, d]."""


class DurationSizes(Struct, frozen=True):
    """Sizes of the network; ``codes`` is the number of lengths in frames that it tells apart, 0 included."""

    text: TextEncoderSizes
    tones: int
    dim: int
    layers: int
    codes: int
    norm_first: bool
    bias: bool


class Primed(Struct, frozen=True, eq=False):
    """The network after it has read a reference: its memory, and the last token of the reference."""

    memory: list[Memory]
    token: int


class SelfAttention(nn.Module):
    """Causal attention with rotary positions, without biases."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.out_proj = nn.Linear(dim, dim, bias=False)

    def project(self, x: Tensor) -> list[Tensor]:
        """Return queries, keys and values [1, H, T, d] of x [1, T, D], not turned yet."""
        return [heads_of(part, HEADS) for part in functional.linear(x, self.in_proj_weight).chunk(3, dim=-1)]

    def forward(self, x: Tensor, past: Memory | None) -> tuple[Tensor, Memory]:
        """Map x [1, T, D] to the same shape, and return the memory it is part of now."""
        queries, keys, values = self.project(x)
        start = past[0].shape[2] if past else 0
        turns = angles(torch.arange(start, start + x.shape[1], device=x.device), keys.shape[-1])
        queries, keys = (rotate_halves(part, turns.cos(), turns.sin()) for part in (queries, keys))
        if past:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        return self.out_proj(attend(queries, keys, values, causal=past is None)), (keys, values)


class FeedForward(nn.Module):
    """Two linear layers; the first is stored as a convolution of kernel 1."""

    def __init__(self, dim: int, *, bias: bool) -> None:
        super().__init__()
        self.ffn_1 = nn.ModuleDict({"1": nn.Conv1d(dim, 4 * dim, 1, bias=bias)})
        self.ffn_2 = nn.Linear(4 * dim, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [1, T, D] to the same shape."""
        first = self.ffn_1["1"]
        assert isinstance(first, nn.Conv1d)
        hidden = functional.linear(x, first.weight[..., 0], first.bias)
        y: Tensor = self.ffn_2(functional.gelu(hidden))
        return y


class Operation(nn.Module):
    """A transformer layer, its norms before or after."""

    def __init__(self, dim: int, *, norm_first: bool, bias: bool) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.layer_norm1 = nn.LayerNorm(dim)
        self.self_attn = SelfAttention(dim)
        self.layer_norm2 = nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, bias=bias)

    def forward(self, x: Tensor, past: Memory | None) -> tuple[Tensor, Memory]:
        """Map x [1, T, D] to the same shape, and return the memory it is part of now."""
        if self.norm_first:
            attended, memory = self.self_attn(self.layer_norm1(x), past)
            x = x + attended
            return x + self.ffn(self.layer_norm2(x)), memory
        attended, memory = self.self_attn(x, past)
        x = self.layer_norm1(x + attended)
        return self.layer_norm2(x + self.ffn(x)), memory


class Layer(nn.Module):
    """Holds an operation under the name it has in the checkpoint."""

    def __init__(self, sizes: DurationSizes) -> None:
        super().__init__()
        self.op = Operation(sizes.dim, norm_first=sizes.norm_first, bias=sizes.bias)


class DurationNetwork(nn.Module):
    """The whole network; ``prime`` and ``predict`` run it without gradients."""

    def __init__(self, sizes: DurationSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = TextEncoder(sizes.text)
        self.ling_label_embed_layers = nn.ModuleDict({"tone": nn.Embedding(sizes.tones, sizes.text.dim)})
        self.enc_proj = nn.Linear(sizes.text.dim, sizes.dim)
        self.code_emb = nn.Embedding(sizes.codes + 2, sizes.dim)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        if sizes.norm_first:
            self.layer_norm = nn.LayerNorm(sizes.dim)
        self.project_out_dim = nn.Sequential(nn.Linear(sizes.dim, 1), nn.Softplus())

    @property
    def operations(self) -> list[Operation]:
        """The layers, in order."""
        return [layer.op for layer in self.layers if isinstance(layer, Layer)]

    def read(self, phones: Tensor, tones: Tensor) -> Tensor:
        """Map phones and tones [1, T] to what they mean for lengths [1, T, D]."""
        x: Tensor = self.enc_proj(self.encoder(phones, self.ling_label_embed_layers["tone"](tones)))
        return x

    def decode(self, meaning: Tensor, tokens: Tensor, past: list[Memory] | None = None) -> tuple[Tensor, list[Memory]]:
        """Return the lengths plus one [1, T] for phones [1, T, D], each with the token before it, and the memory.

        Without a past they are the first ones; with one there is a single new one.
        """
        x = self.code_emb(tokens) + meaning
        memories = []
        for number, operation in enumerate(self.operations):
            x, memory = operation(x, past[number] if past else None)
            memories.append(memory)
        if self.sizes.norm_first:
            x = self.layer_norm(x)
        return self.project_out_dim(x)[..., 0], memories

    def tokens_of(self, frames: Tensor) -> Tensor:
        """Return the tokens of lengths in frames."""
        return frames.clamp(0, self.sizes.codes - 1) + 1

    @torch.inference_mode()
    def prime(self, phones: Tensor, tones: Tensor, frames: Tensor) -> Primed:
        """Read the phones, tones and lengths [1, P] of a reference."""
        tokens = self.tokens_of(frames)
        begin = tokens.new_full((1, 1), self.sizes.codes + 1)
        _, memory = self.decode(self.read(phones, tones), torch.cat([begin, tokens[:, :-1]], dim=1))
        return Primed(memory, int(tokens[0, -1]))

    @torch.inference_mode()
    def predict(self, primed: Primed, phones: Tensor, tones: Tensor) -> list[float]:
        """Return the length plus one, not rounded, of each phone of a line [1, T] behind a reference."""
        meaning = self.read(phones, tones)
        memory, token = primed.memory, primed.token
        lengths: list[float] = []
        for place in range(phones.shape[1]):
            previous = torch.tensor([[token]], device=phones.device)
            found, memory = self.decode(meaning[:, place : place + 1], previous, memory)
            lengths.append(float(found[0, 0]))
            token = self.token_of(lengths[-1], first=place == 0)
        return lengths

    def token_of(self, length: float, *, first: bool) -> int:
        """Return the token that stands for a predicted length; only the first phone of a line may have none."""
        return min(max(round(length), 0 if first else 1), self.sizes.codes)
