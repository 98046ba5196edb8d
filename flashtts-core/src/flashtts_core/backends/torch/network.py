"""The decoder: a Qwen2 or Llama transformer over a flat list of tokens that belong to any number of requests.

Everything but attention works on tokens [T, hidden] whoever they belong to, so all running requests and the prompt
being read share one product per projection. Attention is done for the running requests at once (one query token each,
rows 0..R-1 of the cache) and for each slice of a prompt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  # the name everyone knows it by

from flashtts_core.backends.torch.cache import KeyValueCache
from flashtts_core.backends.torch.config import DecoderConfig, Rope
from flashtts_core.backends.torch.projection import Projection

Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
"""Queries [B, G, N, D], keys and values [B, L, D], mask [B or 1, 1, N, L] (True: seen) -> [B, G, N, D].

B runs over requests and key-value heads, G over the query heads that share one.
"""


@dataclass(frozen=True)
class PromptSlice:
    """Tokens ``start`` to ``end`` of a prompt, to be read into ``row`` of the cache."""

    row: int
    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """One layer's weights."""

    input_norm: torch.Tensor
    qkv: Projection
    output: Projection
    mlp_norm: torch.Tensor
    gate_up: Projection
    down: Projection


@dataclass(frozen=True)
class Places:
    """Where the tokens of one step stand: rows and positions [T], rotary tables [T, 1, D], and the masks."""

    rows: torch.Tensor
    positions: torch.Tensor
    cosine: torch.Tensor
    sine: torch.Tensor
    running: int
    longest: int
    running_mask: torch.Tensor | None
    slices: Sequence[tuple[PromptSlice, torch.Tensor]]


class Decoder:
    """The transformer without its output head."""

    def __init__(
        self,
        config: DecoderConfig,
        embedding: torch.Tensor,
        blocks: Sequence[Block],
        norm: torch.Tensor,
        attend: Attention,
    ) -> None:
        self.config = config
        self._embedding = embedding
        self._blocks = blocks
        self._norm = norm
        self._attend = attend
        self._frequencies = rotary_frequencies(config.rope, config.head_dim).to(embedding.device)

    def __call__(
        self, tokens: torch.Tensor, lengths: Sequence[int], slices: Sequence[PromptSlice], cache: KeyValueCache
    ) -> torch.Tensor:
        """Advance requests and return the hidden state of every token [T, hidden], normalised for the head.

        ``tokens`` [T] holds one token of each running request (row r of the cache, which holds ``lengths[r]`` tokens
        already), then the tokens of the ``slices``. The cache must have room for them.
        """
        places = self._places(lengths, slices)
        x = self._embedding[tokens]
        for block, keys, values in zip(self._blocks, cache.keys, cache.values, strict=True):
            mixed = self._mix(block, self._normed(x, block.input_norm), places, (keys, values))
            x = x + block.output(mixed)
            gate, up = block.gate_up(self._normed(x, block.mlp_norm)).chunk(2, dim=-1)
            x = x + block.down(F.silu(gate) * up)
        return self._normed(x, self._norm)

    def _normed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (self.config.hidden_size,), weight, self.config.norm_eps)

    def _mix(
        self, block: Block, x: torch.Tensor, places: Places, stored: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Attend from tokens [T, hidden] to their requests' pasts; stores the new keys and values."""
        heads, kv_heads, dim = self.config.heads, self.config.kv_heads, self.config.head_dim
        count = len(x)
        qkv = block.qkv(x).view(count, heads + 2 * kv_heads, dim)
        turned = rotate(qkv[:, : heads + kv_heads], places)
        keys, values = stored
        keys[places.rows, :, places.positions] = turned[:, heads:]
        values[places.rows, :, places.positions] = qkv[:, heads + kv_heads :]
        q = turned[:, :heads].reshape(count, kv_heads, heads // kv_heads, dim)
        mixed = torch.empty_like(q)
        if running := places.running:
            past = [tensor[:running, :, : places.longest].flatten(0, 1) for tensor in stored]
            seen = self._attend(q[:running].flatten(0, 1).unsqueeze(2), past[0], past[1], places.running_mask)
            mixed[:running] = seen.view(running, kv_heads, -1, dim)
        at = running
        for part, mask in places.slices:
            end = at + part.end - part.start
            past = [tensor[part.row, :, : part.end] for tensor in stored]
            seen = self._attend(q[at:end].permute(1, 2, 0, 3), past[0], past[1], mask)  # [kv heads, G, N, D]
            mixed[at:end] = seen.permute(2, 0, 1, 3)
            at = end
        return mixed.view(count, heads * dim)

    def _places(self, lengths: Sequence[int], slices: Sequence[PromptSlice]) -> Places:
        device = self._embedding.device
        spans = [(part.row, range(part.start, part.end)) for part in slices]
        rows = [*range(len(lengths)), *(row for row, span in spans for _ in span)]
        positions = torch.tensor([*lengths, *(position for _, span in spans for position in span)], device=device)
        angles = positions[:, None].float() * self._frequencies  # [T, D / 2]
        cosine, sine = angles.cos(), angles.sin()
        longest = max(lengths, default=-1) + 1
        mask = None
        if len(set(lengths)) > 1:
            seen = torch.arange(longest, device=device) <= positions[: len(lengths), None]  # [R, L]
            mask = seen.repeat_interleave(self.config.kv_heads, dim=0)[:, None, None]
        return Places(
            rows=torch.tensor(rows, device=device),
            positions=positions,
            cosine=torch.cat([cosine, cosine], dim=-1)[:, None].to(self._embedding.dtype),
            sine=torch.cat([-sine, sine], dim=-1)[:, None].to(self._embedding.dtype),
            running=len(lengths),
            longest=longest,
            running_mask=mask,
            slices=[(part, _causal(part, device)) for part in slices],
        )


def _causal(part: PromptSlice, device: torch.device) -> torch.Tensor:
    """Return which tokens of the prompt each token of the slice sees, [1, 1, N, L]."""
    positions = torch.arange(part.end, device=device)
    return (positions <= positions[part.start :, None])[None, None]


def rotate(x: torch.Tensor, places: Places) -> torch.Tensor:
    """Turn heads [T, heads, D] by the angles of their positions; pairs are i and i + D/2, as in GPT-NeoX."""
    return x * places.cosine + x.roll(x.shape[-1] // 2, dims=-1) * places.sine


def rotary_frequencies(rope: Rope, dim: int) -> torch.Tensor:
    """Return the angle per position of each pair [dim / 2], float32.

    ``linear`` stretches positions by the factor; ``llama3`` (Llama 3.1, section 3.4 of its report's code) stretches
    only wavelengths beyond the original context and blends in between.
    """
    frequencies = 1.0 / rope.theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if rope.scaling == "linear":
        return frequencies / rope.factor
    if rope.scaling == "default":
        return frequencies
    turns = rope.original_length * frequencies / (2 * math.pi)  # full turns within the original context
    kept = ((turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)).clamp(0, 1)
    return kept * frequencies + (1 - kept) * frequencies / rope.factor


def attend_eagerly(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Attend with plain products and a float32 softmax; shapes as in ``Attention``."""
    batch, group, count, dim = q.shape
    scores = torch.bmm(q.reshape(batch, group * count, dim), k.transpose(1, 2)).view(batch, group, count, -1)
    scores = scores * dim**-0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.bmm(weights.view(batch, group * count, -1), v).view(batch, group, count, dim)


def attend_fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Attend with PyTorch's fused kernels; shapes as in ``Attention``."""
    if q.shape[2] == 1:  # one token: its heads can stand as queries of one head, so that keys are read once
        return F.scaled_dot_product_attention(q.transpose(1, 2), k[:, None], v[:, None], attn_mask=mask).transpose(1, 2)
    group = q.shape[1]
    k, v = (past[:, None].expand(-1, group, -1, -1) for past in (k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


ATTENTION: dict[str, Attention] = {"eager": attend_eagerly, "sdpa": attend_fused}
"""By value of ``--llm_attn_implementation``."""
