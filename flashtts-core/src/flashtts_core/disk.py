"""Writes files so that they outlive a crash: flushed before they get their name, the name flushed after.

``Disk`` has one method for each effect on the file system. Code that must leave the old or the new state behind goes
through it, so that tests can break off, fill up or lose power between any two effects.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

PARTIAL = ".partial"
"""Suffix of files that are being written; one that is found belongs to a writer that runs or to one that died."""


class Disk:
    """The effects on the file system; a method that raises ``OSError`` has had part of its effect or none."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder whose parent exists; one that is there already is left alone."""
        folder.mkdir(exist_ok=True)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file and wait until its content is on the disk; its name is not, yet."""
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def move(self, source: Path, target: Path) -> None:
        """Give a file or folder another name in one step; a file of that name is replaced."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a file; one that is gone already is no error."""
        path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        folder.rmdir()

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in a folder are on the disk, where the system can (Windows cannot open folders)."""
        if os.name == "posix":
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def replace(self, path: Path, content: bytes) -> None:
        """Give a file new content in one step; ``sync_folder`` then makes it last.

        What cannot be written leaves the old content, and a file with the suffix ``PARTIAL`` only if the process dies.
        """
        fresh = path.with_name(f".{uuid.uuid4().hex}{PARTIAL}")
        try:
            self.write(fresh, content)
            self.move(fresh, path)
        except OSError:
            self.unlink(fresh)
            raise

    def make_folders(self, folder: Path) -> None:
        """Make a folder and those above it that are missing, each on the disk before the next."""
        if not folder.is_dir():
            self.make_folders(folder.parent)
            self.make_folder(folder)
            self.sync_folder(folder.parent)
