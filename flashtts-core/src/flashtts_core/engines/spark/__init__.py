"""Spark-TTS as a plugin: Chinese and English speech, designed and cloned voices, 16 kHz.

Importing this is cheap; torch and the networks are loaded when the engine is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from flashtts_core.engines import Engine, EngineContext, EngineSpec
from flashtts_core.hookspecs import hookimpl
from flashtts_core.settings import Settings


class SparkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the Spark-TTS engine; lengths are in tokens, 50 a second."""

    volume_normalize: Annotated[
        bool, Meta(description="Bring reference audio to a common loudness first, where the model's config says so.")
    ] = True
    first_chunk: Annotated[int, Meta(ge=1, le=4096, description="Tokens in the first chunk of a stream.")] = 25
    chunk_growth: Annotated[float, Meta(ge=1, le=8, description="How much longer each chunk is than the last.")] = 1.5
    largest_chunk: Annotated[int, Meta(ge=1, le=4096, description="Most tokens in a chunk.")] = 200
    look_ahead: Annotated[
        int,
        Meta(ge=0, le=4096, description="Tokens a chunk waits for behind its end; 67 or more: seams are exact."),
    ] = 20
    retries: Annotated[int, Meta(ge=0, le=16, description="New seeds tried when an answer is no speech.")] = 2


@hookimpl
def flashtts_engines() -> list[EngineSpec]:
    """Register Spark-TTS."""
    return [
        EngineSpec(
            name="spark",
            summary="Spark-TTS: Chinese and English, designed and cloned voices, 16 kHz.",
            open=_open,
            detect=_is_checkpoint,
            files=(
                *("config.yaml", "BiCodec/config.yaml", "BiCodec/model.safetensors"),
                *("LLM/*.json", "LLM/merges.txt", "LLM/*.safetensors"),
                *(
                    f"wav2vec2-large-xlsr-53/{name}"
                    for name in ("config.json", "model.safetensors", "pytorch_model.bin")
                ),
            ),
            uses_llm=True,
            knobs=frozenset(
                {
                    *("role_dir", "tokenizer_device", "detokenizer_device", "wav2vec_attn_implementation"),
                    *("batch_size", "llm_batch_size", "wait_timeout", "fix_voice"),
                }
            ),
            own=SparkSettings,
            roles="data/roles",
            requires=("torch", "tokenizers", "yaml", "soxr"),
            install='pip install "flashtts[torch]"',
        )
    ]


async def _open(context: EngineContext) -> Engine:
    from flashtts_core.engines.spark.engine import open_spark  # noqa: PLC0415  # heavy: only when opened

    return await open_spark(context)


def _is_checkpoint(folder: Path, settings: Settings) -> bool:
    return (folder / "BiCodec").is_dir()
