"""What is said: wav2vec2 features to semantic tokens (50 a second), and tokens back to vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.spark.codec.lengths import Lengths, zero_tails
from flashtts_core.engines.spark.codec.vocos import SamplingStages, VocosBackbone
from flashtts_core.engines.spark.config import BackboneConfig, QuantizerConfig


class SemanticEncoder(nn.Module):
    """Backbone, two stages at the same rate, projection."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        dim, hidden = config.vocos_dim, config.vocos_intermediate_dim
        self.encoder = VocosBackbone(config.input_channels, dim, hidden, config.vocos_num_layers)
        self.downsample = SamplingStages(config)
        self.project = nn.Linear(dim, config.out_channels)

    def forward(self, features: Tensor, lengths: Lengths) -> Tensor:
        """Map features [B, C, T] to z [B, out, T]."""
        x = self.encoder(zero_tails(features, lengths), lengths)  # [B, T, D]
        x = self.downsample(x, lengths)
        return self.project(x).transpose(1, 2)


class CodebookEncoder(nn.Module):
    """Nearest code by cosine."""

    def __init__(self, config: QuantizerConfig) -> None:
        super().__init__()
        self.in_project = nn.Conv1d(config.input_dim, config.codebook_dim, 1)
        self.codebook = nn.Embedding(config.codebook_size, config.codebook_dim)

    def forward(self, z: Tensor) -> Tensor:
        """Map z [B, C, T] to tokens [B, T]."""
        query = functional.normalize(self.in_project(z).transpose(1, 2), dim=-1)  # [B, T, d]
        codes = functional.normalize(self.codebook.weight, dim=-1)  # [N, d]
        # The squared distance of unit vectors is 2 - 2 cos: the nearest has the largest cosine; ties go to the first.
        return torch.matmul(query, codes.T).argmax(-1)


class CodebookDecoder(nn.Module):
    """Code to vector; the rows are used as they are, without the normalisation of the search."""

    def __init__(self, config: QuantizerConfig) -> None:
        super().__init__()
        self.codebook = nn.Embedding(config.codebook_size, config.codebook_dim)
        self.out_project = nn.Conv1d(config.codebook_dim, config.input_dim, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [B, T] to z_q [B, C, T]."""
        return self.out_project(self.codebook(tokens).transpose(1, 2))
