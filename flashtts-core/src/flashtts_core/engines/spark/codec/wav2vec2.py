"""wav2vec2 (XLSR-53) up to the layers that Spark-TTS listens to: 50 feature vectors a second.

The features are the mean of the residual streams behind layers 11, 14 and 16, without the final norm; later layers, the
final norm and the heads of pre-training are neither computed nor kept in memory. Own code rather than transformers':
there the last hidden state is normed, how others are collected differs between versions 4 and 5, and importing it costs
seconds; the numbers are the same and so is the speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.spark.codec.lengths import Lengths, zero_tails
from flashtts_core.errors import BadCheckpoint

LISTENED = (11, 14, 16)
"""Layers whose outputs are averaged, counted from 1."""
UNUSED = (
    r"quantizer\.|project_q\.|project_hid\.|wav2vec2\.masked_spec_embed$|wav2vec2\.encoder\.layer_norm\."
    r"|wav2vec2\.encoder\.layers\.(1[6-9]|[2-9]\d)\."
)
"""Tensors of the official file that no feature depends on."""
_INPUT_FLOOR = 1e-7  # added to the variance of a recording

Attention = Literal["eager", "sdpa"]


class Wav2Vec2Config(Struct, frozen=True):
    """The keys of ``config.json`` that the features depend on."""

    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_hidden_layers: int
    conv_dim: tuple[int, ...]
    conv_kernel: tuple[int, ...]
    conv_stride: tuple[int, ...]
    num_conv_pos_embeddings: int
    num_conv_pos_embedding_groups: int
    layer_norm_eps: float = 1e-5
    conv_bias: bool = False
    do_stable_layer_norm: bool = False
    feat_extract_norm: str = "group"

    def frames(self, samples: int) -> int:
        """Return how many feature vectors a recording of this many samples has."""
        for kernel, stride in zip(self.conv_kernel, self.conv_stride, strict=True):
            samples = max(0, (samples - kernel) // stride + 1)
        return samples


def read_config(path: Path) -> Wav2Vec2Config:
    """Read ``config.json``; raises ``BadCheckpoint`` for a model of another build than XLSR-53."""
    try:
        config = msgspec.json.decode(path.read_bytes(), type=Wav2Vec2Config)
    except (OSError, msgspec.DecodeError) as error:
        raise BadCheckpoint(f"{path} is not the config of a wav2vec2 model: {error}.") from error
    if not (config.do_stable_layer_norm and config.conv_bias and config.feat_extract_norm == "layer"):
        raise BadCheckpoint(
            f"{path} describes a wav2vec2 of another build; Spark-TTS comes with wav2vec2-large-xlsr-53."
        )
    if config.num_hidden_layers < max(LISTENED):
        raise BadCheckpoint(
            f"{path} has {config.num_hidden_layers} layers; Spark-TTS listens to layer {max(LISTENED)}."
        )
    return config


class StemLayer(nn.Module):
    """Convolution, norm over channels, GELU."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, out, kernel, stride=stride)
        self.layer_norm = nn.LayerNorm(out)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, T] to [B, out, T']."""
        return functional.gelu(self.layer_norm(self.conv(x).transpose(1, 2))).transpose(1, 2)


class Stem(nn.Module):
    """Samples to 50 vectors a second."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        widths = (1, *config.conv_dim)
        self.conv_layers = nn.ModuleList(
            StemLayer(*layer)
            for layer in zip(widths[:-1], widths[1:], config.conv_kernel, config.conv_stride, strict=True)
        )

    def forward(self, samples: Tensor) -> Tensor:
        """Map samples [B, N] to [B, T, C]."""
        x = samples[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x.transpose(1, 2)


class FeatureProjection(nn.Module):
    """Norm, then the width of the transformer."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.conv_dim[-1], eps=config.layer_norm_eps)
        self.projection = nn.Linear(config.conv_dim[-1], config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, T, C] to [B, T, D]."""
        return self.projection(self.layer_norm(x))


class PositionalConv(nn.Module):
    """Positions as a wide grouped convolution."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        dim, kernel = config.hidden_size, config.num_conv_pos_embeddings
        self.conv = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=config.num_conv_pos_embedding_groups)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, D, T] to the same shape; an even kernel gives one frame too many, the last."""
        return functional.gelu(self.conv(x)[..., : x.shape[-1]])


class SelfAttention(nn.Module):
    """Multi-head attention over the frames of an item."""

    def __init__(self, config: Wav2Vec2Config, kind: Attention) -> None:
        super().__init__()
        dim = config.hidden_size
        self.heads = config.num_attention_heads
        self.kind = kind
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x [B, T, D] to the same shape; ``mask`` [B, 1, 1, T] is true at frames that may be seen."""
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, D / heads]
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        if self.kind == "sdpa":
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(2, 3))
            if mask is not None:
                scores = scores.masked_fill(~mask, float("-inf"))
            mixed = torch.matmul(scores.softmax(-1), v)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two linear maps around a GELU."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output_dense = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, T, D] to the same shape."""
        return self.output_dense(functional.gelu(self.intermediate_dense(x)))


class Layer(nn.Module):
    """A transformer layer, norms first."""

    def __init__(self, config: Wav2Vec2Config, kind: Attention) -> None:
        super().__init__()
        self.attention = SelfAttention(config, kind)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x [B, T, D] to the same shape."""
        x = x + self.attention(self.layer_norm(x), mask)
        return x + self.feed_forward(self.final_layer_norm(x))


class Encoder(nn.Module):
    """Positions and the layers up to the last that is listened to."""

    def __init__(self, config: Wav2Vec2Config, kind: Attention) -> None:
        super().__init__()
        self.pos_conv_embed = PositionalConv(config)
        self.layers = nn.ModuleList(Layer(config, kind) for _ in range(max(LISTENED)))

    def forward(self, x: Tensor, lengths: Lengths) -> list[Tensor]:
        """Map x [B, T, D] to the residual streams before layer 1 and behind every layer, each [B, T, D]."""
        mask = None
        if lengths is not None:
            x = zero_tails(x.transpose(1, 2), lengths).transpose(1, 2)
            places = torch.arange(x.shape[1], device=x.device)
            mask = (places < torch.tensor(lengths, device=x.device)[:, None])[:, None, None]
        x = x + self.pos_conv_embed(x.transpose(1, 2)).transpose(1, 2)
        streams = [x]
        for layer in self.layers:
            streams.append(layer(streams[-1], mask))
        return streams


class Wav2Vec2(nn.Module):
    """The feature extractor of Spark-TTS."""

    def __init__(self, config: Wav2Vec2Config, attention: Attention) -> None:
        super().__init__()
        self.config = config
        self.feature_extractor = Stem(config)
        self.feature_projection = FeatureProjection(config)
        self.encoder = Encoder(config, attention)

    def streams(self, samples: Tensor, lengths: Lengths) -> list[Tensor]:
        """Return the residual streams [B, T, D] of normalised samples [B, N]; ``lengths`` are in frames."""
        return self.encoder(self.feature_projection(self.feature_extractor(samples)), lengths)

    def forward(self, samples: Tensor, lengths: Lengths) -> Tensor:
        """Map normalised samples [B, N] to features [B, T, D]; ``lengths`` are in frames."""
        streams = self.streams(samples, lengths)
        first, second, third = (streams[layer] for layer in LISTENED)
        return (first + second + third) / 3


def normalised(samples: Tensor) -> Tensor:
    """Return a recording [N] with mean 0 and variance 1, as wav2vec2 wants it."""
    return (samples - samples.mean()) / torch.sqrt(samples.var(correction=0) + _INPUT_FLOOR)


def frames_of(config: Wav2Vec2Config, recordings: Sequence[Tensor]) -> Lengths:
    """Return the lengths in frames of a padded batch of recordings; ``None`` if they are equal."""
    frames = [config.frames(len(recording)) for recording in recordings]
    return frames if len({len(recording) for recording in recordings}) > 1 else None
