"""Orpheus-TTS as a plugin: eight languages with voices and emotion tags of their own, 24 kHz.

Importing this is cheap; torch and the networks are loaded when the engine is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from flashtts_core.engines import Engine, EngineContext, EngineSpec
from flashtts_core.hookspecs import hookimpl
from flashtts_core.settings import Settings

SNAC_FILES = ("config.json", "model.safetensors", "pytorch_model.bin")
"""What is needed of a SNAC folder; one of the two files of weights is enough."""


class OrpheusSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the Orpheus-TTS engine; lengths are in frames of the codec, 11.7 a second."""

    first_chunk: Annotated[int, Meta(ge=1, le=1024, description="Frames in the first chunk of a stream.")] = 1
    chunk_growth: Annotated[float, Meta(ge=1, le=8, description="How much longer each chunk is than the last.")] = 1.25
    largest_chunk: Annotated[int, Meta(ge=1, le=1024, description="Most frames in a chunk.")] = 24
    retries: Annotated[int, Meta(ge=0, le=16, description="New seeds tried when an answer is no speech.")] = 2


@hookimpl
def flashtts_engines() -> list[EngineSpec]:
    """Register Orpheus-TTS."""
    return [
        EngineSpec(
            name="orpheus",
            summary="Orpheus-TTS: eight languages, built-in voices, emotion tags, 24 kHz.",
            open=_open,
            detect=_is_checkpoint,
            files=(
                *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
                *("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"),
                *(f"snac/{name}" for name in SNAC_FILES),
            ),
            uses_llm=True,
            knobs=frozenset(
                {"snac_path", "lang", "detokenizer_device", "batch_size", "llm_batch_size", "wait_timeout"}
            ),
            own=OrpheusSettings,
            requires=("torch", "tokenizers"),
            install='pip install "flashtts[torch]"',
        )
    ]


async def _open(context: EngineContext) -> Engine:
    from flashtts_core.engines.orpheus.engine import open_orpheus  # noqa: PLC0415  # heavy: only when opened

    return await open_orpheus(context)


def _is_checkpoint(folder: Path, settings: Settings) -> bool:
    from flashtts_core.engines.orpheus.checkpoint import is_checkpoint  # noqa: PLC0415  # only when a folder is given

    return is_checkpoint(folder, settings)
