"""Tokens to samples: whole answers and pieces of a stream, one or many at a time.

A piece decodes like the whole when it brings ``reach`` tokens of context on each side (fewer only at the true ends).
The prenet runs over all of them; the generator, twenty times as costly, over the few frames that it can see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from flashtts_core.engines.spark.codec import generator
from flashtts_core.engines.spark.codec.generator import WaveGenerator
from flashtts_core.engines.spark.codec.lengths import Lengths, pad, zero_tails
from flashtts_core.engines.spark.codec.semantic import CodebookDecoder
from flashtts_core.engines.spark.codec.speaker import SpeakerVector
from flashtts_core.engines.spark.codec.vocos import SamplingStages, VocosBackbone
from flashtts_core.engines.spark.config import CodecConfig, PrenetConfig


class Prenet(nn.Module):
    """Semantic vectors to frames for the generator, coloured by the speaker."""

    def __init__(self, config: PrenetConfig) -> None:
        super().__init__()
        dim, hidden = config.vocos_dim, config.vocos_intermediate_dim
        self.linear_pre = nn.Linear(config.input_channels, dim)
        self.downsample = SamplingStages(config)
        self.vocos_backbone = VocosBackbone(dim, dim, hidden, config.vocos_num_layers, config.condition_dim)
        self.linear = nn.Linear(dim, config.out_channels)
        self.use_tanh = config.use_tanh_at_final
        self.reach = self.downsample.reach + self.vocos_backbone.reach
        """Frames to either side that one output frame depends on."""

    def forward(self, z_q: Tensor, lengths: Lengths, condition: Tensor) -> Tensor:
        """Map z_q [B, C, T] to frames [B, out, T]; ``condition`` is [B, norms, 2, D]."""
        x = self.downsample(self.linear_pre(z_q.transpose(1, 2)), lengths)  # [B, T, D]
        x = zero_tails(x.transpose(1, 2).contiguous(), lengths)
        x = self.linear(self.vocos_backbone(x, lengths, condition)).transpose(1, 2)
        return torch.tanh(x) if self.use_tanh else x


class Speaker(Struct, frozen=True, eq=False):
    """What the decoder needs of a voice: its vector [S], and the scales and shifts of the prenet [norms, 2, D]."""

    vector: Tensor
    condition: Tensor


class Piece(Struct, frozen=True, eq=False):
    """Semantic ``tokens`` with context; the samples of ``count`` tokens from number ``first`` on are wanted."""

    speaker: Speaker
    tokens: Sequence[int]
    first: int
    count: int


class BiCodecDecoder(nn.Module):
    """The half of BiCodec that speaks; the methods without underscore run without gradients."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.quantizer = CodebookDecoder(config.quantizer)
        self.speaker_encoder = SpeakerVector(config.speaker_encoder)
        self.prenet = Prenet(config.prenet)
        self.decoder = WaveGenerator(config.decoder)
        self.generator_reach = generator.reach(config.decoder)
        self.reach = self.prenet.reach + self.generator_reach
        """Tokens to either side that the samples of one token depend on."""

    @property
    def hop(self) -> int:
        """Samples of one token."""
        return self.decoder.hop

    @property
    def encoding(self) -> str:
        """A hash of what gives tokens their meaning: the codebook, and the projection of the global tokens."""
        weights = (self.quantizer.codebook.weight, self.speaker_encoder.quantizer.project_out.weight)
        content = b"".join(weight.detach().float().numpy(force=True).tobytes() for weight in weights)
        return hashlib.sha256(content).hexdigest()[:16]

    @torch.inference_mode()
    def speaker(self, tokens: Sequence[int]) -> Speaker:
        """Return what decoding needs of the voice with these global tokens; do it once for a voice."""
        vector = self.speaker_encoder(torch.tensor([tokens], device=self._device))[0]
        return Speaker(vector, self.prenet.vocos_backbone.condition(vector))

    @torch.inference_mode()
    def decode(self, pieces: Sequence[Piece]) -> list[NDArray[np.float32]]:
        """Return the wanted samples [count * hop] of each piece."""
        tokens, lengths = pad([torch.tensor(piece.tokens, device=self._device) for piece in pieces])
        condition = torch.stack([piece.speaker.condition for piece in pieces])
        frames = self.prenet(self.quantizer(tokens), lengths, condition)  # [B, C, T]
        samples = self._generate(pieces, frames)
        return [
            whole[(start := min(piece.first, self.generator_reach) * self.hop) : start + piece.count * self.hop]
            for piece, whole in zip(pieces, samples.numpy(force=True), strict=True)
        ]

    def _generate(self, pieces: Sequence[Piece], frames: Tensor) -> Tensor:
        """Run the generator over the frames that the wanted samples depend on."""
        seen = [
            of_piece[:, max(0, piece.first - self.generator_reach) : self._end(piece)] + piece.speaker.vector[:, None]
            for piece, of_piece in zip(pieces, frames, strict=True)
        ]
        return self.decoder(*pad(seen))

    def _end(self, piece: Piece) -> int:
        return min(len(piece.tokens), piece.first + piece.count + self.generator_reach)

    @property
    def _device(self) -> torch.device:
        return self.quantizer.codebook.weight.device
