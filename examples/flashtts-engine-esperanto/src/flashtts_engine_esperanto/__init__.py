"""Speaks Esperanto: a language model makes the melody, formants the sounds. This module registers the engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flashtts_core import Engine, EngineContext, EngineSpec, Settings, hookimpl
from flashtts_core.errors import BadCheckpoint

VOICE_FILE = "voice.toml"
LLM_FOLDER = "llm"


@hookimpl
def flashtts_engines() -> list[EngineSpec]:
    """Register the engine."""
    return [
        EngineSpec(
            name="esperanto",
            summary="Esperanto from formants, with the melody of a language model, 16 kHz.",
            open=open_esperanto,
            detect=is_checkpoint,
            files=(VOICE_FILE, f"{LLM_FOLDER}/*"),
            uses_llm=True,
            requires=("numpy",),
            install='pip install "flashtts-engine-esperanto"',
        )
    ]


def is_checkpoint(folder: Path, settings: Settings) -> bool:
    """Say whether a folder is one of this engine's, by its files."""
    return (folder / VOICE_FILE).is_file() and (folder / LLM_FOLDER).is_dir()


async def open_esperanto(context: EngineContext) -> Engine:
    """Read the voice and open its language model; raises ``BadCheckpoint``."""
    from flashtts_engine_esperanto.engine import (  # noqa: PLC0415  # numpy: only when opened
        VOCABULARY,
        EsperantoEngine,
        read_timbres,
    )

    assert context.folder is not None, "the engine is not embedded, so it is opened on a folder"
    timbres = await asyncio.to_thread(read_timbres, context.folder / VOICE_FILE)
    backend = await context.open_backend(context.folder / LLM_FOLDER)
    if backend.vocab_size < VOCABULARY:
        await backend.aclose()
        raise BadCheckpoint(f"The language model has {backend.vocab_size} ids; this engine needs {VOCABULARY}.")
    return EsperantoEngine(timbres, backend)
