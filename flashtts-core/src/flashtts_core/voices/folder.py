"""Keeps added voices on disk, one folder a voice, so that a crash at any moment leaves the old or the new state.

A folder holds ``voice.json`` and the files it names: the reference recording as it was given, its latent, and the codes
of each encoder as safetensors. Their names are made of their content's hash, so a file that is there is the right one,
and one that is damaged is noticed. They are on the disk before ``voice.json``, which is replaced in one step. Writers,
of this process or another, take turns by a lock that ends with its holder; readers need none. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import safetensors.numpy
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from flashtts_core.disk import PARTIAL, Disk
from flashtts_core.errors import UnknownVoice, VoiceExists, VoiceStoreError
from flashtts_core.types import Reference, Voice
from flashtts_core.voices.names import folder_name, spelled
from flashtts_core.voices.stored import META, Content, Kept, StoredVoice

LOCK_SECONDS = 30.0
"""How long a writer waits for its turn; a turn takes milliseconds."""
_LOCK = ".lock"
_TRASH = ".removed-"
_VOICE_FOLDER = re.compile("[0-9a-f]{32}")
_LEFTOVER = re.compile(rf"(reference|latent|codes)-[0-9a-f]{{32}}.*|\..*{re.escape(PARTIAL)}")

logger = logging.getLogger(__name__)


class FolderStore:
    """The voices under one folder; safe for several threads and several processes.

    An ``encoding`` names what codes are in: an engine and its encoder. What the disk does not let it do is raised as
    ``VoiceStoreError``, by all methods.
    """

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self._root = root
        self._disk = disk or Disk()
        self._writing = threading.Lock()
        self._swept = False

    def names(self) -> list[str]:
        """Return the names of all voices, sorted; one that is damaged is logged and left out."""
        with _told("listed"):
            metas = [meta for folder in self._folders() if (meta := self._readable(folder)) is not None]
        return sorted(meta.name for meta in metas)

    def find(self, name: str) -> StoredVoice | None:
        """Return the description of a voice, ``None`` if there is no such voice."""
        with _told("read"):
            return self._meta(self._folder(name))

    def load(self, name: str, encoding: str) -> Kept:
        """Return the codes of a voice, or its reference if none are kept in that encoding; raises ``UnknownVoice``."""
        folder = self._folder(name)
        with _told("read"):
            while (meta := self._meta(folder)) is not None:
                try:
                    return _read(folder, meta, encoding)
                except FileNotFoundError as error:
                    if self._meta(folder) == meta:  # else it was replaced or removed between the two reads
                        raise _damaged(folder, f"{error.filename} is missing") from error
        raise _unknown(name)

    def save(self, voice: Voice, encoding: str, *, overwrite: bool) -> None:
        """Keep a voice with its reference; raises ``VoiceExists`` unless ``overwrite``."""
        assert voice.reference is not None, "a voice that is kept has the recording it was made from"
        folder, reference = self._folder(voice.name), voice.reference
        with self._exclusively("kept"):
            if not overwrite and (folder / META).exists():
                raise VoiceExists(
                    f"There is already a voice {voice.name!r}. Choose another name, or send overwrite=true.",
                    param="name",
                )
            try:
                self._disk.make_folder(folder)
                meta = StoredVoice(
                    name=voice.name,
                    created=time.time(),
                    reference=self._put(folder, "reference", reference.audio),
                    latent=None if reference.latent is None else self._put(folder, "latent", reference.latent),
                    transcript=reference.transcript,
                    codes={encoding: self._put_codes(folder, voice.codes)} if voice.codes else {},
                )
                self._commit(folder, meta)
            finally:
                self._tidy(folder)

    def save_codes(self, voice: Voice, encoding: str, content: Content) -> None:
        """Keep codes that were made of ``content``, unless the voice was replaced or removed meanwhile."""
        folder = self._folder(voice.name)
        with self._exclusively("kept"):
            meta = self._meta(folder)
            if meta is None or meta.content != content:
                return
            try:
                codes = {**meta.codes, encoding: self._put_codes(folder, voice.codes)}
                self._commit(folder, msgspec.structs.replace(meta, codes=codes))
            finally:
                self._tidy(folder)

    def remove(self, name: str) -> None:
        """Forget a voice, a damaged one too; raises ``UnknownVoice``."""
        folder = self._folder(name)
        if not (folder / META).exists():
            raise _unknown(name)  # before the lock, which would make the folder of a store that was never written to
        with self._exclusively("removed"):
            if not (folder / META).exists():
                raise _unknown(name)
            trash = self._root / f"{_TRASH}{uuid.uuid4().hex}"
            self._disk.move(folder, trash)  # one step: the voice is gone even if deleting the files is cut short
            self._disk.sync_folder(self._root)
            self._discard(trash)

    def rename(self, name: str, new_name: str) -> None:
        """Give a voice another name, in one step; raises ``UnknownVoice``, and ``VoiceExists`` for a name in use."""
        folder, target = self._folder(name), self._folder(new_name)
        if self.find(name) is None:
            raise _unknown(name)  # before the lock, as above
        with self._exclusively("renamed"):
            if (meta := self._meta(folder)) is None:
                raise _unknown(name)
            if (target / META).exists():
                raise VoiceExists(f"There is already a voice {new_name!r}. Choose another name.", param="new_name")
            self._discard(target)  # what a save that was cut short left there
            self._commit(folder, msgspec.structs.replace(meta, next_name=spelled(new_name)))
            self._disk.move(folder, target)  # the step: from here on the voice has its new name
            self._disk.sync_folder(self._root)
            if (renamed := self._meta(target)) is not None:
                self._commit(target, renamed)

    def _folder(self, name: str) -> Path:
        return self._root / folder_name(name)

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self._root.iterdir() if _VOICE_FOLDER.fullmatch(path.name)]
        except FileNotFoundError:
            return []

    def _readable(self, folder: Path) -> StoredVoice | None:
        try:
            return self._meta(folder)
        except VoiceStoreError:
            return None  # it is in the log

    def _meta(self, folder: Path) -> StoredVoice | None:
        try:
            meta = msgspec.json.decode((folder / META).read_bytes(), type=StoredVoice)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _damaged(folder, str(error)) from error
        for name in (meta.next_name, meta.name):
            if name is not None and folder.name == folder_name(name):
                return msgspec.structs.replace(meta, name=name, next_name=None)
        return None  # a copy that somebody made by hand

    @contextmanager
    def _exclusively(self, doing: str) -> Iterator[None]:
        """Be the only writer; the first time, clear away what writers that died have left."""
        with self._writing, _told(doing):
            self._disk.make_folders(self._root)
            with FileLock(self._root / _LOCK).acquire(timeout=LOCK_SECONDS, poll_interval=0.01):
                if not self._swept:
                    self._sweep()
                    self._swept = True
                yield

    def _put(self, folder: Path, kind: str, content: bytes, suffix: str = "") -> str:
        """Write a file under a name that no other content has, and return the name."""
        path = folder / f"{kind}-{_digest(content)}{suffix}"
        if not (path.exists() and path.read_bytes() == content):
            self._disk.replace(path, content)
        return path.name

    def _put_codes(self, folder: Path, codes: Mapping[str, NDArray[Any]]) -> str:
        return self._put(folder, "codes", safetensors.numpy.save(dict(codes)), ".safetensors")

    def _commit(self, folder: Path, meta: StoredVoice) -> None:
        """Make ``meta`` the state of the voice in one step."""
        self._disk.sync_folder(folder)  # what it names has its name before it is named
        self._disk.replace(folder / META, msgspec.json.format(msgspec.json.encode(meta)))
        self._disk.sync_folder(folder)
        self._disk.sync_folder(self._root)

    def _sweep(self) -> None:
        for trash in self._root.glob(f"{_TRASH}*"):
            self._discard(trash)
        for folder in self._folders():
            self._tidy(folder)

    def _tidy(self, folder: Path) -> None:
        """Remove files that the voice does not name, and the folder if there is no voice; of a damaged one, nothing."""
        with suppress(OSError, VoiceStoreError):  # what stays is cleared away the next time
            meta = self._meta(folder)
            named = frozenset() if meta is None else meta.files
            for path in folder.iterdir():
                if path.name not in named and _LEFTOVER.fullmatch(path.name):
                    self._disk.unlink(path)
            if meta is None:
                self._disk.remove_folder(folder)

    def _discard(self, trash: Path) -> None:
        with suppress(OSError):  # as above
            for path in trash.iterdir():
                self._disk.unlink(path)
            self._disk.remove_folder(trash)


def _read(folder: Path, meta: StoredVoice, encoding: str) -> Kept:
    """Return what is kept; raises ``FileNotFoundError`` and, for a recording that is damaged, ``VoiceStoreError``."""
    if (name := meta.codes.get(encoding)) is not None:
        try:
            return Kept(meta.content, safetensors.numpy.load(_whole(folder / name)), None)
        except (FileNotFoundError, VoiceStoreError) as error:
            logger.warning("The codes of the voice %r are made anew: %s", meta.name, error)
    latent = None if meta.latent is None else _whole(folder / meta.latent)
    return Kept(meta.content, None, Reference(_whole(folder / meta.reference), meta.transcript, latent))


def _whole(path: Path) -> bytes:
    """Return the content of a file; raises ``VoiceStoreError`` if it is not what was written."""
    content = path.read_bytes()
    if _digest(content) not in path.name:
        raise _damaged(path.parent, f"{path.name} has changed")
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _damaged(folder: Path, reason: str) -> VoiceStoreError:
    logger.warning("The voice in %s is damaged: %s.", folder, reason)
    return VoiceStoreError("The voice is kept but damaged. Add it again with overwrite, or delete it.")


def _unknown(name: str) -> UnknownVoice:
    return UnknownVoice(f"No voice {name!r} was added.", param="voice")


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Say in a sentence what the disk does not let the store do."""
    try:
        yield
    except Timeout as error:
        raise VoiceStoreError(
            f"The voice cannot be {doing}: for {LOCK_SECONDS:g} s another process has been writing voices. Try again."
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise VoiceStoreError(
            f"The voice cannot be {doing}: {reason}. Make room in the voice folder and let flashtts write to it, "
            f"or choose another with --voice_dir."
        ) from error
