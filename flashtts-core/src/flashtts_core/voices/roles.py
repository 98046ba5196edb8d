"""Reads a folder of roles: ``<role>/*.wav``, an optional ``reference_text.txt`` and an optional ``.npy`` latent."""

from __future__ import annotations

from pathlib import Path

from flashtts_core.errors import ConfigError
from flashtts_core.types import Reference
from flashtts_core.voices.folder import checked_name

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus"})


class RoleFolder:
    """The roles under one folder, found by name; their files are read when they are first used."""

    def __init__(self, root: Path) -> None:
        """Look for roles under ``root``; raises ``ConfigError`` if it is no folder or a role has not one recording."""
        if not root.is_dir():
            raise ConfigError(f"--role_dir {root} is not a folder.")
        folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        self._recordings = {checked_name(folder.name): _recording(folder) for folder in folders}

    def names(self) -> list[str]:
        """Return the names of the roles, sorted."""
        return sorted(self._recordings)

    def reference(self, name: str) -> Reference:
        """Return the recording of a role; raises ``KeyError`` for a name that ``names`` does not list."""
        audio = self._recordings[name]
        transcript = audio.parent / "reference_text.txt"
        latents = sorted(audio.parent.glob("*.npy"))
        return Reference(
            audio=audio.read_bytes(),
            transcript=transcript.read_text(encoding="utf-8").strip() if transcript.is_file() else None,
            latent=latents[0].read_bytes() if latents else None,
        )


def _recording(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES)
    if len(found) != 1:
        raise ConfigError(f"The role folder {folder} holds {len(found)} recordings; exactly one is needed.")
    return found[0]
