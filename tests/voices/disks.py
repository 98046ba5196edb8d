"""Disks on which things go wrong: a process that dies, a disk that is full, a machine that loses its power."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from flashtts_core.disk import Disk


class Death(BaseException):
    """The process has been killed."""


class DyingDisk(Disk):
    """A disk whose process dies at its ``last``-th effect, which happens in part or not at all; none follows."""

    def __init__(self, last: int, *, half: bool) -> None:
        self.effects = 0
        self._last = last
        self._half = half

    def write(self, path: Path, content: bytes) -> None:
        self._effect(lambda: path.write_bytes(content[: len(content) // 2]))
        super().write(path, content)

    def move(self, source: Path, target: Path) -> None:
        self._effect()
        super().move(source, target)

    def make_folder(self, folder: Path) -> None:
        self._effect()
        super().make_folder(folder)

    def unlink(self, path: Path) -> None:
        self._effect()
        super().unlink(path)

    def remove_folder(self, folder: Path) -> None:
        self._effect()
        super().remove_folder(folder)

    def sync_folder(self, folder: Path) -> None:
        self._effect()
        super().sync_folder(folder)

    def _effect(self, in_part: Callable[[], object] = lambda: None) -> None:
        self.effects += 1
        if self.effects >= self._last:
            if self.effects == self._last and self._half:
                in_part()
            raise Death


class FullDisk(Disk):
    """A disk that takes ``room`` more effects that need room; the next leaves half a file, and so do all after it."""

    def __init__(self, room: int, code: int = errno.ENOSPC) -> None:
        self.room = room
        self.refused = 0
        self._code = code

    def write(self, path: Path, content: bytes) -> None:
        self._need(lambda: path.write_bytes(content[: len(content) // 2]))
        super().write(path, content)

    def make_folder(self, folder: Path) -> None:
        self._need()
        super().make_folder(folder)

    def move(self, source: Path, target: Path) -> None:
        self._need()  # a folder may have to grow for a name
        super().move(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._need()  # where blocks are given out late, it is here that there are none
        super().sync_folder(folder)

    def _need(self, in_part: Callable[[], object] = lambda: None) -> None:
        self.room -= 1
        if self.room < 0:
            self.refused += 1
            in_part()
            raise OSError(self._code, "No space left on device")


class QuickDisk(Disk):
    """A disk that does not wait: for looking at what another left."""

    def write(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)

    def sync_folder(self, folder: Path) -> None:
        pass


Names = dict[int, dict[str, int]]
"""The entries of folders, by the numbers of what they name; the first folder is number 0."""


class Moment(Struct):
    """What had reached the disk at some moment, and which changes of names had not yet."""

    lasting: Names
    files: dict[int, bytes]
    pending: list[tuple[int, dict[str, int | None]]]

    def restore(self, target: Path, rng: random.Random) -> None:
        """Write into ``target`` what is there after a loss of power: of what had not reached the disk, some part."""
        names = {folder: dict(entries) for folder, entries in self.lasting.items()}
        for folder, changes in self.pending:
            if rng.random() < 0.5:
                _apply(names[folder], changes)
        self._restore(names, 0, target)

    def _restore(self, names: Names, folder: int, target: Path) -> None:
        for name, number in names[folder].items():
            if number in names:
                (target / name).mkdir()
                self._restore(names, number, target / name)
            else:
                (target / name).write_bytes(self.files[number])


class CachedDisk(QuickDisk):
    """A disk under ``root`` behind a write cache, as a kernel has one; it remembers its ``moments``.

    A name lasts from the sync of its folder on, and a content from the end of its ``write`` on; until then names may
    have reached the disk or not, each for itself, and of the content nothing, half, or all.
    """

    def __init__(self, root: Path) -> None:
        self.moments: list[Moment] = []
        self._root = root
        self._names: Names = {0: {}}
        self._lasting: Names = {0: {}}
        self._files: dict[int, bytes] = {}
        self._pending: list[tuple[int, dict[str, int | None]]] = []
        self._count = 0

    def write(self, path: Path, content: bytes) -> None:
        number = self._new()
        self._files[number] = b""
        self._change(path.parent, {path.name: number})
        for size in (len(content) // 2, len(content)):
            self._files[number] = content[:size]
            self._remember()
        super().write(path, content)

    def make_folder(self, folder: Path) -> None:
        if not folder.exists():
            number = self._new()
            self._names[number], self._lasting[number] = {}, {}
            self._change(folder.parent, {folder.name: number})
        super().make_folder(folder)

    def move(self, source: Path, target: Path) -> None:
        assert source.parent == target.parent, "a move between folders would be two changes"
        number = self._names[self._number(source.parent)][source.name]
        self._change(source.parent, {source.name: None, target.name: number})
        super().move(source, target)

    def unlink(self, path: Path) -> None:
        if path.exists():
            self._change(path.parent, {path.name: None})
        super().unlink(path)

    def remove_folder(self, folder: Path) -> None:
        super().remove_folder(folder)
        self._change(folder.parent, {folder.name: None})

    def sync_folder(self, folder: Path) -> None:
        number = self._number(folder)
        for where, changes in self._pending:
            if where == number:
                _apply(self._lasting[number], changes)
        self._pending = [each for each in self._pending if each[0] != number]
        self._remember()

    def _new(self) -> int:
        self._count += 1
        return self._count

    def _number(self, folder: Path) -> int:
        number = 0
        for name in folder.relative_to(self._root).parts:
            number = self._names[number][name]
        return number

    def _change(self, folder: Path, changes: dict[str, int | None]) -> None:
        number = self._number(folder)
        _apply(self._names[number], changes)
        self._pending.append((number, changes))
        self._remember()

    def _remember(self) -> None:
        lasting = {folder: dict(entries) for folder, entries in self._lasting.items()}
        self.moments.append(Moment(lasting, dict(self._files), list(self._pending)))


def _apply(entries: dict[str, int], changes: dict[str, int | None]) -> None:
    for name, number in changes.items():
        if number is None:
            entries.pop(name, None)
        else:
            entries[name] = number
