"""Reads a folder of roles: ``<role>/*.wav``, an optional ``reference_text.txt`` and an optional ``.npy`` latent."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from flashtts_core.errors import ConfigError, RequestError, VoiceStoreError
from flashtts_core.types import Reference
from flashtts_core.voices.names import checked_name

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus"})
TRANSCRIPT = "reference_text.txt"


class _Role(Struct, frozen=True):
    audio: Path
    latent: Path | None
    transcript: str | None


class RoleFolder:
    """The roles under one folder, found by name; recordings are read when they are first used."""

    def __init__(self, root: Path) -> None:
        """Look for roles under ``root``; raises ``ConfigError`` that names the folder in which something is wrong."""
        if not root.is_dir():
            raise ConfigError(f"--role_dir {root} is not a folder.")
        self._roles: dict[str, _Role] = {}
        try:
            for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
                self._roles[_name(folder)] = _role(folder)
        except OSError as error:
            raise ConfigError(f"--role_dir {root} cannot be read: {error}.") from error

    def __contains__(self, name: str) -> bool:
        return name in self._roles

    def names(self) -> list[str]:
        """Return the names of the roles, sorted."""
        return sorted(self._roles)

    def reference(self, name: str) -> Reference:
        """Return the recording of a role; raises ``KeyError`` for a name that ``names`` does not list.

        Raises ``VoiceStoreError`` if the files are not there any more.
        """
        role = self._roles[name]
        try:
            latent = role.latent.read_bytes() if role.latent else None
            return Reference(role.audio.read_bytes(), role.transcript, latent)
        except OSError as error:
            raise VoiceStoreError(
                f"The recording of the role {name!r} cannot be read: {error.strerror or error}. Put it back, or start "
                f"flashtts again without the role."
            ) from error


def _name(folder: Path) -> str:
    try:
        return checked_name(folder.name)
    except RequestError as error:
        raise ConfigError(f"The role folder {folder} cannot be the name of a voice. {error}") from error


def _role(folder: Path) -> _Role:
    # macOS puts "._anna.wav" beside "anna.wav" on disks and in archives that are not its own.
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    if len(found) != 1:
        raise ConfigError(f"The role folder {folder} holds {len(found)} recordings; exactly one is needed.")
    latents = [path for path in files if path.suffix.lower() == ".npy"]
    if len(latents) > 1:
        raise ConfigError(f"The role folder {folder} holds {len(latents)} .npy latents; at most one is possible.")
    return _Role(found[0], latents[0] if latents else None, _transcript(folder / TRANSCRIPT))


def _transcript(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig").strip() or None  # Windows' editors begin it with a mark
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error
