"""What the YAML files of a Spark-TTS checkpoint say: the audio path and every width of the codec.

Keys that the model itself does not use (training, losses) are ignored, as in the reference implementation.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml
from msgspec import Struct

from flashtts_core.errors import BadCheckpoint


class AudioConfig(Struct, frozen=True):
    """The file ``config.yaml``: how reference audio is prepared. Rates in Hz, durations in seconds."""

    sample_rate: int
    latent_hop_length: int
    ref_segment_duration: float
    volume_normalize: bool = True

    @property
    def clip_samples(self) -> int:
        """Length of the clip that the speaker encoder hears: whole hops."""
        hop = self.latent_hop_length
        return int(self.sample_rate * self.ref_segment_duration) // hop * hop


class MelConfig(Struct, frozen=True):
    """The spectrogram of the speaker encoder; ``mel_fmax`` ``None`` is half the sample rate."""

    sample_rate: int
    n_fft: int
    win_length: int
    hop_length: int
    mel_fmin: float
    num_mels: int
    mel_fmax: float | None = None


class BackboneConfig(Struct, frozen=True):
    """The semantic encoder: ConvNeXt blocks of width ``vocos_dim``."""

    input_channels: int
    vocos_dim: int
    vocos_intermediate_dim: int
    vocos_num_layers: int
    out_channels: int
    sample_ratios: tuple[int, ...] = (1, 1)


class PrenetConfig(BackboneConfig, frozen=True, kw_only=True):
    """The prenet: a backbone conditioned on the speaker vector."""

    condition_dim: int
    use_tanh_at_final: bool = False


class GeneratorConfig(Struct, frozen=True):
    """The wave generator: upsampling ``rates`` with transposed convolutions of ``kernel_sizes``."""

    input_channel: int
    channels: int
    rates: tuple[int, ...]
    kernel_sizes: tuple[int, ...]


class QuantizerConfig(Struct, frozen=True):
    """The semantic codebook."""

    input_dim: int
    codebook_size: int
    codebook_dim: int


class SpeakerConfig(Struct, frozen=True):
    """The speaker encoder; the ``ecapa_`` widths stand in small test checkpoints only."""

    input_dim: int
    out_dim: int
    latent_dim: int
    token_num: int
    fsq_levels: tuple[int, ...]
    fsq_num_quantizers: int = 1
    ecapa_channels: int = 512
    ecapa_mfa_channels: int = 1536
    ecapa_se_channels: int = 128

    @property
    def codes(self) -> int:
        """How many different global tokens there are."""
        return prod(self.fsq_levels)


class CodecConfig(Struct, frozen=True):
    """The file ``BiCodec/config.yaml``, below its root key ``audio_tokenizer``."""

    mel_params: MelConfig
    encoder: BackboneConfig
    decoder: GeneratorConfig
    quantizer: QuantizerConfig
    speaker_encoder: SpeakerConfig
    prenet: PrenetConfig


class _CodecFile(Struct, frozen=True):
    audio_tokenizer: CodecConfig


Config = TypeVar("Config", bound=Struct)


def read_audio_config(path: Path) -> AudioConfig:
    """Read ``config.yaml``; raises ``BadCheckpoint`` that names the file."""
    return _read(path, AudioConfig)


def read_codec_config(path: Path, audio: AudioConfig) -> CodecConfig:
    """Read ``BiCodec/config.yaml``; raises ``BadCheckpoint`` for a codec that this engine cannot run as it stands."""
    config = _read(path, _CodecFile).audio_tokenizer
    generator = config.decoder
    if any(ratio != 1 for part in (config.encoder, config.prenet) for ratio in part.sample_ratios):
        raise BadCheckpoint(f"{path} asks for sample_ratios other than 1; Spark-TTS models have 1, no other is known.")
    if config.speaker_encoder.fsq_num_quantizers != 1:
        raise BadCheckpoint(f"{path} asks for several FSQ stages; Spark-TTS models have one, no other is known.")
    if len(generator.rates) != len(generator.kernel_sizes) or any(
        (kernel - rate) % 2 or kernel < rate
        for rate, kernel in zip(generator.rates, generator.kernel_sizes, strict=False)
    ):
        raise BadCheckpoint(
            f"{path}: each of the decoder's rates {generator.rates} needs a kernel size that is an even number larger; "
            f"they are {generator.kernel_sizes}."
        )
    if prod(generator.rates) != audio.latent_hop_length:
        raise BadCheckpoint(
            f"{path}: the decoder's rates {generator.rates} do not multiply to the {audio.latent_hop_length} samples "
            f"of a token that config.yaml names."
        )
    return config


def _read(path: Path, kind: type[Config]) -> Config:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(content, kind)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadCheckpoint(f"{path} cannot be read as YAML: {error}. Fetch the file again.") from error
    except msgspec.ValidationError as error:
        raise BadCheckpoint(f"{path} is not the config of a Spark-TTS model: {error}.") from error
