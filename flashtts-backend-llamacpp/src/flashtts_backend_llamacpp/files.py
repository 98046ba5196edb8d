"""Finds the GGUF file of a language model (the one that is named, ``model.gguf``, or the only one), and its folder."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from flashtts_core.backends.torch.config import CONFIG_FILE, FAMILIES
from flashtts_core.errors import BadCheckpoint, ConfigError

USUAL_NAME = "model.gguf"
MAGIC = b"GGUF"
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")


def find_gguf(folder: Path, chosen: str | None) -> Path:
    """Return the file to open; raises ``ConfigError`` (none, several, no such file) and ``BadCheckpoint`` (no GGUF)."""
    found = sorted(path for path in folder.glob("[!.]*.gguf") if path.is_file() and not _LATER_PART.search(path.name))
    path = _choose(folder, found) if chosen is None else _named(folder, chosen, found)
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise BadCheckpoint(f"{path} cannot be read: {error.strerror or error}.") from error
    if start != MAGIC:
        raise BadCheckpoint(f"{path} is no GGUF file, or a broken one: it does not begin with GGUF. Make it again.")
    return path


def find_language_model(folder: Path) -> Path:
    """Return the folder of the language model in that of a speech model: itself, or the one below that holds one.

    So the ``LLM`` of Spark-TTS, Orpheus-TTS itself and the ``g2p`` of MegaTTS 3 are found. Raises ``ConfigError``.
    """
    if _is_language_model(folder):
        return folder
    found = [path for path in sorted(folder.iterdir()) if path.is_dir() and _is_language_model(path)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"{folder} holds no language model: neither it nor a folder in it has a {CONFIG_FILE} of "
            f"{' or '.join(FAMILIES)}. Give the folder of a speech model or of its language model."
        )
    names = ", ".join(path.name for path in found)
    raise ConfigError(f"{folder} holds several language models: {names}. Give the folder of one: {found[0]}")


class _Family(Struct, frozen=True):
    model_type: str = ""


def _is_language_model(folder: Path) -> bool:
    try:
        content = (folder / CONFIG_FILE).read_bytes()
        return msgspec.json.decode(content, type=_Family).model_type in FAMILIES
    except (OSError, msgspec.DecodeError):
        return False


def _choose(folder: Path, found: list[Path]) -> Path:
    if len(found) == 1:
        return found[0]
    if usual := next((path for path in found if path.name == USUAL_NAME), None):
        return usual
    if not found:
        raise ConfigError(
            f"{folder} holds no GGUF file, which llama-cpp needs. Make one from the model there: "
            f"flashtts convert gguf {folder} --type q8_0"
        )
    names = ", ".join(path.name for path in found)
    raise ConfigError(f"{folder} holds several GGUF files: {names}. Choose one with --llama_cpp_gguf {found[0].name}")


def _named(folder: Path, chosen: str, found: list[Path]) -> Path:
    given = Path(chosen).expanduser()
    for path in (folder / chosen, folder / f"{chosen}.gguf", given):
        if path.is_file():
            return path
    there = ", ".join(path.name for path in found) or "none"
    raise ConfigError(f"--llama_cpp_gguf: there is no file {chosen}, here or in {folder}. GGUF files there: {there}.")
