"""Opens the codec of a checkpoint: both halves of BiCodec and wav2vec2, each on its device."""

from __future__ import annotations

import logging
import re

import torch
from msgspec import Struct

from flashtts_core.engines.spark.checkpoint import CODEC_UNUSED, SparkFiles
from flashtts_core.engines.spark.codec.decoder import BiCodecDecoder
from flashtts_core.engines.spark.codec.encoder import BiCodecEncoder, RecordingEncoder
from flashtts_core.engines.spark.codec.mel import MelSpectrogram
from flashtts_core.engines.spark.codec.wav2vec2 import UNUSED, Attention, Wav2Vec2, read_config
from flashtts_core.engines.spark.config import AudioConfig, CodecConfig, read_audio_config, read_codec_config
from flashtts_core.nn.devices import choose_device
from flashtts_core.nn.weights import Placement, load, open_weights
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
    plan: CodecPlan


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
        choose_device("tokenizer_device", settings.tokenizer_device),
        choose_device("detokenizer_device", settings.detokenizer_device),
        attention,
    )


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
    return Codec(audio, config, RecordingEncoder(wav2vec2, encoder, mel, audio.clip_samples), decoder, plan)
