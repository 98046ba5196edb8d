"""The embedded English voice of flashtts as an engine plugin: its weights come with pip, it speaks with no download.

Importing this is cheap; the model and onnxruntime are loaded when the engine is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from flashtts_core import Engine, EngineContext, EngineSpec, Settings, hookimpl


class HibariSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the embedded voice."""

    workers: (
        Annotated[int, Meta(ge=1, le=64, description="Sentences made at the same time. Left out: one a processor.")]
        | None
    ) = None


@hookimpl
def flashtts_engines() -> list[EngineSpec]:
    """Register the embedded voice."""
    return [
        EngineSpec(
            name="hibari",
            summary="Embedded English voice, 24 kHz; needs no download and no GPU.",
            open=open_hibari,
            detect=_is_checkpoint,
            embedded=True,
            own=HibariSettings,
            requires=("hibari", "onnxruntime"),
            install='pip install "flashtts-engine-hibari"',
        )
    ]


async def open_hibari(context: EngineContext) -> Engine:
    """Load the voice."""
    from flashtts_engine_hibari.engine import HibariEngine  # noqa: PLC0415  # heavy: only when opened

    own = context.own if isinstance(context.own, HibariSettings) else HibariSettings()
    return await HibariEngine.load(workers=own.workers)


def _is_checkpoint(folder: Path, settings: Settings) -> bool:
    return False  # the weights are in the wheel; no folder is ever this engine's
