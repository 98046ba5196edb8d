"""Opens the codec of a checkpoint: both halves of BiCodec and wav2vec2, each on its device."""

from __future__ import annotations

import logging
import re

import torch
from msgspec import Struct

from flashtts_core.engines.spark.checkpoint import CODEC_UNUSED, Placement, SparkFiles, load, open_weights
from flashtts_core.engines.spark.codec.decoder import BiCodecDecoder
from flashtts_core.engines.spark.codec.encoder import BiCodecEncoder, RecordingEncoder
from flashtts_core.engines.spark.codec.mel import MelSpectrogram
from flashtts_core.engines.spark.codec.wav2vec2 import UNUSED, Attention, Wav2Vec2, read_config
from flashtts_core.engines.spark.config import AudioConfig, CodecConfig, read_audio_config, read_codec_config
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Settings

logger = logging.getLogger(__name__)


class CodecPlan(Struct, frozen=True):
    """Where the halves run, and the attention of wav2vec2."""

    encoder_device: torch.device = torch.device("cpu")
    decoder_device: torch.device = torch.device("cpu")
    attention: Attention = "eager"


class Codec(Struct, frozen=True, eq=False):
    """An open codec."""

    audio: AudioConfig
    config: CodecConfig
    encoder: RecordingEncoder
    decoder: BiCodecDecoder


def plan_of(settings: Settings) -> CodecPlan:
    """Read the plan off the settings; raises ``ConfigError`` for a device that is not there."""
    attention: Attention = "eager" if settings.wav2vec_attn_implementation == "eager" else "sdpa"
    if settings.wav2vec_attn_implementation not in {"eager", "sdpa"}:
        logger.warning(
            "--wav2vec_attn_implementation %s needs 16-bit numbers, and wav2vec2 runs in 32 bits to keep its tokens "
            "exact; sdpa is used.",
            settings.wav2vec_attn_implementation,
        )
    return CodecPlan(
        _device("tokenizer_device", settings.tokenizer_device),
        _device("detokenizer_device", settings.detokenizer_device),
        attention,
    )


def _device(flag: str, name: str) -> torch.device:
    cuda, mps = torch.cuda.device_count(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    device = torch.device(name)
    if (device.type == "cuda" and (device.index or 0) >= cuda) or (device.type == "mps" and not mps):
        there = ["cpu", *(f"cuda:{index}" for index in range(cuda)), *(["mps"] if mps else [])]
        raise ConfigError(f"--{flag} {name} is not there; this machine has {', '.join(there)}.")
    return device


def open_codec(files: SparkFiles, plan: CodecPlan) -> Codec:
    """Load the codec; raises ``BadCheckpoint`` that names the file and what is wrong with it."""
    audio = read_audio_config(files.audio_config)
    config = read_codec_config(files.codec_config, audio)
    with torch.device("meta"):  # the networks get their memory together with their weights
        encoder, decoder = BiCodecEncoder(config), BiCodecDecoder(config)
        wav2vec2 = Wav2Vec2(read_config(files.wav2vec2_config), plan.attention)
    load(
        open_weights(files.codec_weights),
        [Placement(encoder, "", plan.encoder_device), Placement(decoder, "", plan.decoder_device)],
        unused=CODEC_UNUSED,
    )
    load(
        open_weights(files.wav2vec2_weights),
        [Placement(wav2vec2, "wav2vec2.", plan.encoder_device)],
        unused=re.compile(UNUSED),
    )
    mel = MelSpectrogram(config.mel_params, plan.encoder_device)
    return Codec(audio, config, RecordingEncoder(wav2vec2, encoder, mel, audio.clip_samples), decoder)
