"""A recording to tokens: global tokens from a clip of 6 s, semantic tokens from all of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from flashtts_core.engines.spark.codec.lengths import pad
from flashtts_core.engines.spark.codec.mel import MelSpectrogram
from flashtts_core.engines.spark.codec.semantic import CodebookEncoder, SemanticEncoder
from flashtts_core.engines.spark.codec.speaker import SpeakerTokenizer
from flashtts_core.engines.spark.codec.wav2vec2 import Wav2Vec2, frames_of, normalised
from flashtts_core.engines.spark.config import CodecConfig


class Tokens(Struct, frozen=True):
    """A recording as tokens: ``globals`` say who speaks, ``semantics`` what (50 a second)."""

    globals: tuple[int, ...]
    semantics: tuple[int, ...]


class BiCodecEncoder(nn.Module):
    """The half of BiCodec that hears: features and spectrograms to tokens."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.encoder = SemanticEncoder(config.encoder)
        self.quantizer = CodebookEncoder(config.quantizer)
        self.speaker_encoder = SpeakerTokenizer(config.speaker_encoder)


class RecordingEncoder:
    """Encodes recordings; ``clip`` is the length in samples of what the speaker encoder hears."""

    def __init__(self, wav2vec2: Wav2Vec2, codec: BiCodecEncoder, mel: MelSpectrogram, clip: int) -> None:
        self.wav2vec2 = wav2vec2
        self.codec = codec
        self.mel = mel
        self._clip = clip

    @torch.inference_mode()
    def encode(self, recordings: Sequence[NDArray[np.float32]]) -> list[Tokens]:
        """Encode recordings [N_i] at 16 kHz; each gives what it gives alone."""
        device = self.codec.quantizer.codebook.weight.device
        samples = [torch.from_numpy(recording).to(device) for recording in recordings]
        spoken = self._semantics(samples)
        mels = self.mel(torch.stack([clip_of(each, self._clip) for each in samples]))
        speakers: list[list[int]] = self.codec.speaker_encoder(mels).tolist()
        return [Tokens(tuple(who), tuple(what)) for who, what in zip(speakers, spoken, strict=True)]

    def _semantics(self, samples: Sequence[Tensor]) -> list[list[int]]:
        lengths = frames_of(self.wav2vec2.config, samples)
        batch, _ = pad([normalised(each) for each in samples])
        features = self.wav2vec2(batch, lengths).transpose(1, 2).contiguous()  # [B, C, T]
        tokens: list[list[int]] = self.codec.quantizer(self.codec.encoder(features, lengths)).tolist()
        return tokens if lengths is None else [row[:length] for row, length in zip(tokens, lengths, strict=True)]


def clip_of(samples: Tensor, length: int) -> Tensor:
    """Return the first ``length`` samples of a recording [N], repeated as often as it takes."""
    return samples.repeat(length // len(samples) + 1)[:length]
