"""MegaTTS 3 as a plugin: Chinese and English in voices cloned from a recording and its latent, 24 kHz.

Importing this is cheap; torch and the networks are loaded when the engine is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from flashtts_core.engines import Engine, EngineContext, EngineSpec
from flashtts_core.hookspecs import hookimpl
from flashtts_core.settings import Settings
from flashtts_core.types import SpeakerWeight, TextWeight, TimeStep


class MegaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the MegaTTS 3 engine; the first three are what requests get that do not say otherwise."""

    time_step: TimeStep = 32
    p_w: TextWeight = 1.6
    t_w: SpeakerWeight = 2.5
    dur_disturb: Annotated[
        float, Meta(ge=0, le=1, description="Share by which lengths of phones are made uneven at random; 0 is off.")
    ] = 0.1


@hookimpl
def flashtts_engines() -> list[EngineSpec]:
    """Register MegaTTS 3."""
    return [
        EngineSpec(
            name="mega",
            summary="MegaTTS 3: Chinese and English, voices cloned from a recording and its latent, 24 kHz.",
            open=_open,
            detect=_is_checkpoint,
            files=(
                *(f"{part}/config.yaml" for part in ("aligner_lm", "diffusion_transformer", "duration_lm", "wavvae")),
                *(
                    f"{part}/model_only_last.ckpt"
                    for part in ("aligner_lm", "diffusion_transformer", "duration_lm", "wavvae")
                ),
                *("wavvae/decoder.ckpt", "g2p/*.json", "g2p/merges.txt", "g2p/*.safetensors"),
            ),
            roles="data/mega-roles",
            uses_llm=True,
            knobs=frozenset(
                {
                    *("role_dir", "tokenizer_device", "detokenizer_device"),
                    *("batch_size", "llm_batch_size", "wait_timeout"),
                }
            ),
            own=MegaSettings,
            requires=("torch", "tokenizers", "yaml", "soxr"),
            install='pip install "flashtts[torch]"',
        )
    ]


async def _open(context: EngineContext) -> Engine:
    from flashtts_core.engines.mega.engine import open_mega  # noqa: PLC0415  # heavy: only when opened

    return await open_mega(context)


def _is_checkpoint(folder: Path, settings: Settings) -> bool:
    return (folder / "diffusion_transformer").is_dir() and (folder / "aligner_lm").is_dir()
