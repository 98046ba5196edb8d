"""Writes the file that a command was asked for, without harm to what stands in its place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flashtts_core.errors import ConfigError


class Output:
    """Where ``-o`` points: a file, a pipe or device, or ``-`` for standard output; ``name`` is what to call it."""

    def __init__(self, given: str) -> None:
        """Raise ``ConfigError`` for a place that cannot be written, before anything has been computed."""
        self.name = "standard output" if given == "-" else given
        self.path = Path(given)
        if given == "-":
            if sys.stdout is None:
                raise ConfigError("There is no standard output to write. Give -o a file.")
            return
        self.path = Path(os.path.realpath(given))  # a link stays one, and the file it points to is written
        if not self.path.parent.is_dir():
            raise ConfigError(f"There is no folder {self.path.parent}; make it first, or choose another -o.")
        try:
            if self.path.is_dir():
                raise ConfigError(f"{given} is a folder; give -o a file in it.")
        except OSError as error:  # a name that is too long
            raise self._refusal(error) from error

    def write(self, content: bytes) -> None:
        """Write all of it; a file that is there is replaced at once or stays as it was. Raises ``ConfigError``."""
        try:
            if str(self.path) == "-":
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()
            elif self.path.exists() and not self.path.is_file():
                self.path.write_bytes(content)
            else:
                self._replace(content)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self.name} cannot be written: {error.strerror or error}. Choose another -o.")

    def _replace(self, content: bytes) -> None:
        partial = self.path.with_name(f".flashtts-{os.getpid()}.part")  # its own name could be too long with an ending
        try:
            partial.write_bytes(content)
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)
