"""The files of a Spark-TTS checkpoint, and the tensors in them that inference leaves alone."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from flashtts_core.errors import BadCheckpoint

WAV2VEC2_FOLDER = "wav2vec2-large-xlsr-53"

CODEC_UNUSED = re.compile(
    r"postnet\."
    r"|quantizer\.cluster_size$"
    r"|speaker_encoder\.speaker_encoder\.(pool|bn|linear)\."
    r"|speaker_encoder\.mel_\w+\.|mel_transformer\."
    r"|.*\.num_batches_tracked$"
)
"""Tensors of ``BiCodec/model.safetensors`` that only training used (and the mel filters, which are computed)."""


class SparkFiles(Struct, frozen=True):
    """Where the parts of a checkpoint are."""

    audio_config: Path
    codec_config: Path
    codec_weights: Path
    wav2vec2_config: Path
    wav2vec2_weights: Path
    llm: Path
    tokenizer: Path


def find_files(folder: Path) -> SparkFiles:
    """Return the files of a checkpoint; raises ``BadCheckpoint`` that names all missing ones."""
    wav2vec2 = folder / WAV2VEC2_FOLDER
    weights = wav2vec2 / "model.safetensors"
    files = SparkFiles(
        audio_config=folder / "config.yaml",
        codec_config=folder / "BiCodec" / "config.yaml",
        codec_weights=folder / "BiCodec" / "model.safetensors",
        wav2vec2_config=wav2vec2 / "config.json",
        wav2vec2_weights=weights if weights.is_file() else wav2vec2 / "pytorch_model.bin",
        llm=folder / "LLM",
        tokenizer=folder / "LLM" / "tokenizer.json",
    )
    paths: list[Path] = [getattr(files, name) for name in SparkFiles.__struct_fields__]
    if missing := [str(path.relative_to(folder)) for path in paths if not path.exists()]:
        raise BadCheckpoint(
            f"The Spark-TTS folder {folder} lacks {', '.join(missing)}. Fetch the model again, for example from "
            f"SparkAudio/Spark-TTS-0.5B."
        )
    return files
