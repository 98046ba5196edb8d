"""Keeps added voices on disk, one folder a voice, so that a crash at any moment leaves the old or the new state.

A folder holds ``voice.json`` and the files it names: the reference recording as it was given, its latent, and the
codes of each engine as safetensors. Files are written under new names (their content hash) and flushed before
``voice.json``, which is replaced in one step. Nothing is ever unpickled, and a name never becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
import unicodedata
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import safetensors.numpy
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.errors import RequestError, UnknownVoice, VoiceExists
from flashtts_core.types import Reference, Voice

MAX_NAME_LENGTH = 128
_META = "voice.json"
_TRASH = ".removed-"
_READ_TRIES = 5


class StoredVoice(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``voice.json``; the values are names of files beside it."""

    name: str
    created: float
    """Seconds since the epoch."""
    reference: str
    latent: str | None = None
    transcript: str | None = None
    codes: dict[str, str] = {}
    """By engine name."""
    next_name: str | None = None
    """The name it is getting: its name as soon as the folder is that name's."""


def checked_name(name: str, param: str = "name") -> str:
    """Return ``name`` in its one spelling (NFC, trimmed); raises ``RequestError`` for one that cannot be a name.

    ``param`` is the field of the request that the name comes from.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > MAX_NAME_LENGTH:
        raise RequestError(f"A voice name has 1 to {MAX_NAME_LENGTH} characters.", param=param)
    if any(unicodedata.category(char)[0] == "C" or char in "<>,:" for char in name):
        raise RequestError("A voice name has no control characters and none of < > , :", param=param)
    return name


class FolderStore:
    """The voices under one folder; safe for several threads, and for several processes that add different voices."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._writing = threading.Lock()

    def names(self) -> list[str]:
        """Return the names of all voices, sorted."""
        if not self._root.is_dir():
            return []
        metas = (self._meta(folder) for folder in self._root.iterdir() if not folder.name.startswith("."))
        return sorted(meta.name for meta in metas if meta is not None)

    def load(self, name: str, engine: str) -> Voice:
        """Return a voice with the codes kept for ``engine`` (none: they have to be made from the reference).

        Raises ``UnknownVoice``.
        """
        folder = self._folder(name)
        for _ in range(_READ_TRIES):
            meta = self._meta(folder)
            if meta is None:
                break
            try:
                return _read(folder, meta, engine)
            except FileNotFoundError:
                continue  # the voice was replaced or removed between the two reads
        raise UnknownVoice(f"No voice {name!r} was added.", param="voice")

    def save(self, voice: Voice, *, overwrite: bool) -> None:
        """Keep a voice with its reference; raises ``VoiceExists`` unless ``overwrite``."""
        assert voice.reference is not None, "a voice that is kept has the recording it was made from"
        with self._writing:
            self._save(voice, voice.reference, overwrite=overwrite)

    def _save(self, voice: Voice, reference: Reference, *, overwrite: bool) -> None:
        folder = self._folder(voice.name)
        if not overwrite and self._meta(folder) is not None:
            raise VoiceExists(
                f"There is already a voice {voice.name!r}. Choose another name, or send overwrite=true.",
                param="name",
            )
        folder.mkdir(parents=True, exist_ok=True)
        meta = StoredVoice(
            name=voice.name,
            created=time.time(),
            reference=_write(folder, "reference", reference.audio),
            latent=None if reference.latent is None else _write(folder, "latent", reference.latent),
            transcript=reference.transcript,
            codes={voice.engine: _write_codes(folder, voice)} if voice.codes else {},
        )
        self._commit(folder, meta)

    def save_codes(self, voice: Voice) -> None:
        """Keep the codes that an engine made for a voice that is already there."""
        folder = self._folder(voice.name)
        with self._writing:
            if (meta := self._meta(folder)) is not None:
                codes = {**meta.codes, voice.engine: _write_codes(folder, voice)}
                self._commit(folder, msgspec.structs.replace(meta, codes=codes))

    def remove(self, name: str) -> None:
        """Forget a voice; raises ``UnknownVoice``."""
        folder = self._folder(name)
        with self._writing:
            if self._meta(folder) is None:
                raise UnknownVoice(f"No voice {name!r} was added.", param="name")
            trash = self._root / f"{_TRASH}{uuid.uuid4().hex}"
            folder.rename(trash)  # one step: the voice is gone even if deleting the files is cut short
            _sync_folder(self._root)
        shutil.rmtree(trash, ignore_errors=True)

    def rename(self, name: str, new_name: str) -> None:
        """Give a voice another name, in one step; raises ``UnknownVoice``, and ``VoiceExists`` for a name in use."""
        folder, target = self._folder(name), self._folder(new_name)
        with self._writing:
            if (meta := self._meta(folder)) is None:
                raise UnknownVoice(f"No voice {name!r} was added.", param="name")
            if self._meta(target) is not None:
                raise VoiceExists(f"There is already a voice {new_name!r}. Choose another name.", param="new_name")
            shutil.rmtree(target, ignore_errors=True)  # what a save that was cut short left there
            self._commit(folder, msgspec.structs.replace(meta, next_name=checked_name(new_name)))
            folder.rename(target)  # the step: from here on the voice has its new name
            _sync_folder(self._root)
            if (renamed := self._meta(target)) is not None:
                self._commit(target, renamed)

    def _folder(self, name: str) -> Path:
        return self._root / hashlib.sha256(checked_name(name).encode()).hexdigest()[:32]

    def _meta(self, folder: Path) -> StoredVoice | None:
        try:
            meta = msgspec.json.decode((folder / _META).read_bytes(), type=StoredVoice)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if meta.next_name is None:
            return meta
        name = meta.next_name if folder == self._folder(meta.next_name) else meta.name
        return msgspec.structs.replace(meta, name=name, next_name=None)

    def _commit(self, folder: Path, meta: StoredVoice) -> None:
        """Make ``meta`` the state of the voice in one step, then drop the files it no longer names."""
        fresh = folder / f".{uuid.uuid4().hex}"
        _flush(fresh, msgspec.json.format(msgspec.json.encode(meta)))
        fresh.replace(folder / _META)
        _sync_folder(folder)
        _sync_folder(self._root)
        named = {_META, meta.reference, meta.latent, *meta.codes.values()}
        for path in folder.iterdir():
            if path.name not in named:
                path.unlink(missing_ok=True)


def _read(folder: Path, meta: StoredVoice, engine: str) -> Voice:
    latent = (folder / meta.latent).read_bytes() if meta.latent else None
    reference = Reference((folder / meta.reference).read_bytes(), meta.transcript, latent)
    codes: Mapping[str, NDArray[Any]] = {}
    if engine in meta.codes:
        codes = safetensors.numpy.load_file(folder / meta.codes[engine])
    return Voice(name=meta.name, engine=engine, codes=codes, reference=reference)


def _write_codes(folder: Path, voice: Voice) -> str:
    return _write(folder, f"codes-{voice.engine}", safetensors.numpy.save(dict(voice.codes)), ".safetensors")


def _write(folder: Path, kind: str, content: bytes, suffix: str = "") -> str:
    """Write a file under a name that no other content has, and return the name."""
    name = f"{kind}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    path = folder / name
    if not path.exists():
        partial = folder / f".{uuid.uuid4().hex}"
        _flush(partial, content)
        partial.replace(path)
    return name


def _flush(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable, where the system can (Windows cannot open folders)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
