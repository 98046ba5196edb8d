"""The aligner: a transformer like Whisper's hears a recording and writes its phones and when each ends.

Attribute names are those of the checkpoint. Keys and values are kept while it writes, those of the recording are made
once, so each token costs one row.
"""

from __future__ import annotations

import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.mega.model.attention import attend, heads_of
from flashtts_core.engines.mega.phones import END, START

HEADS = 8
LONGEST = 768
"""Most tokens it writes."""

Memory = tuple[Tensor, Tensor]
"""Keys and values [B, H, T, d]."""


class AlignerSizes(Struct, frozen=True):
    """Sizes of the aligner; contexts are in encoder frames (20 ms) and in tokens."""

    mels: int
    dim: int
    encoder_layers: int
    decoder_layers: int
    encoder_context: int
    decoder_context: int
    tokens: int


class Attention(nn.Module):
    """Attention whose keys have no bias."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def remember(self, x: Tensor) -> Memory:
        """Return keys and values of x [B, T, D]."""
        return heads_of(self.key(x), HEADS), heads_of(self.value(x), HEADS)

    def forward(self, x: Tensor, memory: Memory, *, causal: bool = False) -> Tensor:
        """Attend from x [B, T, D] to what is remembered."""
        y: Tensor = self.out(attend(heads_of(self.query(x), HEADS), *memory, causal=causal))
        return y


class Block(nn.Module):
    """A layer of either half; only the decoder's attends to the recording."""

    def __init__(self, dim: int, *, crossed: bool) -> None:
        super().__init__()
        self.attn = Attention(dim)
        self.attn_ln = nn.LayerNorm(dim)
        self.crossed = crossed
        if crossed:
            self.cross_attn = Attention(dim)
            self.cross_attn_ln = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.mlp_ln = nn.LayerNorm(dim)

    def encode(self, x: Tensor) -> Tensor:
        """Map x [B, T, D] to the same shape; every frame sees all others."""
        y = self.attn_ln(x)
        x = x + self.attn(y, self.attn.remember(y))
        return x + self.mlp(self.mlp_ln(x))

    def write(self, x: Tensor, past: Memory | None, heard: Memory) -> tuple[Tensor, Memory]:
        """Map the newest tokens x [B, T, D] to the same shape, and return the memory they are part of now."""
        y = self.attn_ln(x)
        memory = self.attn.remember(y)
        if past is not None:
            memory = torch.cat([past[0], memory[0]], dim=2), torch.cat([past[1], memory[1]], dim=2)
        x = x + self.attn(y, memory, causal=past is None)
        x = x + self.cross_attn(self.cross_attn_ln(x), heard)
        return x + self.mlp(self.mlp_ln(x)), memory


def blocks_of(stack: nn.ModuleList) -> list[Block]:
    """Return the layers of one half."""
    return [block for block in stack if isinstance(block, Block)]


class Encoder(nn.Module):
    """A mel spectrogram to features at half its rate."""

    def __init__(self, sizes: AlignerSizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.conv1 = nn.Conv1d(sizes.mels, dim, 3, padding=1)
        self.conv2 = nn.Conv1d(dim, dim, 3, stride=2, padding=1)
        self.positional_embedding = nn.Parameter(torch.empty(sizes.encoder_context, dim))
        self.blocks = nn.ModuleList(Block(dim, crossed=False) for _ in range(sizes.encoder_layers))
        self.ln_post = nn.LayerNorm(dim)

    def forward(self, mel: Tensor) -> Tensor:
        """Map mel [B, mels, T] to features [B, T / 2, D]."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.positional_embedding[: x.shape[1]]
        for block in blocks_of(self.blocks):
            x = block.encode(x)
        y: Tensor = self.ln_post(x)
        return y


class Decoder(nn.Module):
    """Features to tokens, one after the other."""

    def __init__(self, sizes: AlignerSizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.token_embedding = nn.Embedding(sizes.tokens, dim)
        self.positional_embedding = nn.Parameter(torch.empty(sizes.decoder_context, dim))
        self.blocks = nn.ModuleList(Block(dim, crossed=True) for _ in range(sizes.decoder_layers))
        self.ln = nn.LayerNorm(dim)
        self.out_proj = nn.Linear(dim, sizes.tokens)

    def hear(self, features: Tensor) -> list[Memory]:
        """Return the keys and values of features [B, T, D] for every layer."""
        return [block.cross_attn.remember(features) for block in blocks_of(self.blocks)]

    def forward(self, tokens: Tensor, past: list[Memory] | None, heard: list[Memory]) -> tuple[Tensor, list[Memory]]:
        """Return the scores [B, T, tokens] of what follows tokens [B, T], and the memory with them in it.

        Without a past they are the first ones; with one there is a single new one.
        """
        start = past[0][0].shape[2] if past else 0
        x = self.token_embedding(tokens) + self.positional_embedding[start : start + tokens.shape[1]]
        memories = []
        for number, block in enumerate(blocks_of(self.blocks)):
            x, memory = block.write(x, past[number] if past else None, heard[number])
            memories.append(memory)
        return self.out_proj(self.ln(x)), memories


class Aligner(nn.Module):
    """The whole network; ``align`` runs it without gradients."""

    def __init__(self, sizes: AlignerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = Encoder(sizes)
        self.decoder = Decoder(sizes)

    @property
    def longest(self) -> int:
        """Most mel frames it can hear."""
        return 2 * self.sizes.encoder_context

    @torch.inference_mode()
    def align(self, mel: Tensor) -> list[int]:
        """Return the tokens of a spectrogram [mels, T], the start and, if it found one, the end included."""
        heard = self.decoder.hear(self.encoder(mel[None]))
        tokens = [START]
        memory: list[Memory] | None = None
        while tokens[-1] != END and len(tokens) <= LONGEST:
            scores, memory = self.decoder(torch.tensor([tokens[-1:]], device=mel.device), memory, heard)
            tokens.append(int(scores[0, -1].argmax()))
        return tokens
