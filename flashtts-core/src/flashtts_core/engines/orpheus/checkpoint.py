"""Finds the files of an Orpheus-TTS checkpoint: a Llama folder, and a SNAC folder inside it or elsewhere."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from flashtts_core.engines.orpheus import SNAC_FILES
from flashtts_core.errors import BadCheckpoint
from flashtts_core.hub import fetch, local_path
from flashtts_core.settings import Settings

_, *_SNAC_WEIGHTS = SNAC_FILES
_LAST_CODE = b'"<custom_token_28681>"'


class OrpheusFiles(Struct, frozen=True):
    """Where the parts of a checkpoint are."""

    llm: Path
    snac_config: Path
    snac_weights: Path


def is_checkpoint(folder: Path, settings: Settings) -> bool:
    """Say whether a folder holds an Orpheus-TTS model, without loading anything.

    It is a Llama with SNAC beside it (``snac/`` or ``settings.snac_path``), or with the codes of SNAC in its tokenizer:
    one that lacks the codec is still ours, so that we can say what is missing.
    """
    if not _is_llama(folder / "config.json"):
        return False
    return (folder / "snac").is_dir() or settings.snac_path is not None or _names_codes(folder / "tokenizer.json")


async def find_snac(folder: Path, settings: Settings) -> Path:
    """Return where the codec is: at ``settings.snac_path``, fetched if that is a hub id, else inside the model.

    Raises as ``hub.fetch``.
    """
    if settings.snac_path is None:
        return folder / "snac"
    return local_path(settings.snac_path) or await fetch(settings.snac_path, SNAC_FILES)


def find_files(folder: Path, snac: Path) -> OrpheusFiles:
    """Return the files of a checkpoint; raises ``BadCheckpoint`` that names all missing ones."""
    inside = folder / "snac"
    if not snac.is_dir():
        lack = f"{folder} has no codec in it" if snac == inside else f"There is no folder {snac}"
        raise BadCheckpoint(
            f"{lack}. Give --snac_path hubertsiuzdak/snac_24khz, or a folder with its config.json and "
            f"pytorch_model.bin, or put that folder at {inside}."
        )
    found = [snac / name for name in _SNAC_WEIGHTS if (snac / name).is_file()]
    files = OrpheusFiles(folder, snac / "config.json", found[0] if found else snac / _SNAC_WEIGHTS[-1])
    needed = (folder / "tokenizer.json", files.snac_config, files.snac_weights)
    if missing := [str(path) for path in needed if not path.is_file()]:
        raise BadCheckpoint(
            f"The Orpheus-TTS model {folder} lacks {', '.join(missing)}. Fetch it again, the model for example from "
            f"canopylabs/orpheus-3b-0.1-ft and the codec from hubertsiuzdak/snac_24khz."
        )
    return files


def _is_llama(path: Path) -> bool:
    try:
        config: Any = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return False  # whatever it is, it is not for us to complain about
    return isinstance(config, dict) and config.get("model_type") == "llama"


def _names_codes(path: Path) -> bool:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.rfind(_LAST_CODE) >= 0
    except (OSError, ValueError):  # absent or empty
        return False
