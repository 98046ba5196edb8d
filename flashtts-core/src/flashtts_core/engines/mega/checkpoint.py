"""The files of a MegaTTS 3 checkpoint, and what their configs say that the tensors do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec import Struct

from flashtts_core.errors import BadCheckpoint

ALIGNER, DIFFUSION, DURATION, CODEC, PHONE_WRITER = (
    "aligner_lm",
    "diffusion_transformer",
    "duration_lm",
    "wavvae",
    "g2p",
)
_WEIGHTS = "model_only_last.ckpt"
_DECODER = "decoder.ckpt"

Config = TypeVar("Config", bound=Struct)


class MegaFiles(Struct, frozen=True):
    """Where the parts of a checkpoint are."""

    aligner_config: Path
    aligner: Path
    diffusion: Path
    duration_config: Path
    duration: Path
    codec: Path
    llm: Path
    tokenizer: Path


class AlignerConfig(Struct, frozen=True):
    """``aligner_lm/config.yaml``: recordings are padded to one sample less than a multiple of ``win_size``."""

    win_size: int = 1


class DurationConfig(Struct, frozen=True):
    """``duration_lm/config.yaml``: what kind of network it is; all sizes follow from the tensors."""

    dur_model_type: str = "ar_mse"
    use_rot_embed: bool = True


def find_files(folder: Path) -> MegaFiles:
    """Return the files of a checkpoint; raises ``BadCheckpoint`` that names all missing ones."""
    whole_codec = folder / CODEC / _WEIGHTS
    files = MegaFiles(
        aligner_config=folder / ALIGNER / "config.yaml",
        aligner=folder / ALIGNER / _WEIGHTS,
        diffusion=folder / DIFFUSION / _WEIGHTS,
        duration_config=folder / DURATION / "config.yaml",
        duration=folder / DURATION / _WEIGHTS,
        codec=whole_codec if whole_codec.is_file() else folder / CODEC / _DECODER,
        llm=folder / PHONE_WRITER,
        tokenizer=folder / PHONE_WRITER / "tokenizer.json",
    )
    paths: list[Path] = [getattr(files, name) for name in MegaFiles.__struct_fields__]
    if missing := [str(path.relative_to(folder)) for path in paths if not path.exists()]:
        raise BadCheckpoint(
            f"The MegaTTS 3 folder {folder} lacks {', '.join(missing)}. Fetch the model again, for example from "
            f"ByteDance/MegaTTS3."
        )
    return files


def read_config(path: Path, kind: type[Config]) -> Config:
    """Read a config file, of which keys that are not asked for are left alone; raises ``BadCheckpoint``."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(content, kind)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadCheckpoint(f"{path} cannot be read as YAML: {error}. Fetch the file again.") from error
    except msgspec.ValidationError as error:
        raise BadCheckpoint(f"{path} is not the config of a MegaTTS 3 model: {error}.") from error


def read_duration_config(path: Path) -> DurationConfig:
    """Read the config of the duration network; raises ``BadCheckpoint`` for a kind that is not known here."""
    config = read_config(path, DurationConfig)
    if config.dur_model_type != "ar_mse" or not config.use_rot_embed:
        raise BadCheckpoint(
            f"{path} asks for dur_model_type {config.dur_model_type!r} and use_rot_embed {config.use_rot_embed}; "
            f"MegaTTS 3 models have 'ar_mse' and rotary positions, no other kind is known."
        )
    return config
