"""Runs the blocks of a page in order, in one folder, as a reader would who types them off."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs import names
from docs.pages import Block, blocks_of
from docs.shell import commands_of
from flashtts_core.cli.main import call

ADDRESS = "http://localhost:8000"
RUNNABLE = frozenset({"cat", "curl", "echo", "flashtts", "head", "ls", "mkdir", "printf"})
"""Programs that need neither a network nor rights; a block of these alone runs."""
NEEDS_MORE = frozenset({"serve", "convert", "--model_path", "-m", "--backend", "-b", "--config"})
"""Words of a flashtts command that does not end, or needs a model."""
_SECONDS = 120
_CURLRC = "fail-with-body\nsilent\nshow-error\nmax-time = 60\n"
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def runs(block: Block) -> bool:
    """Say whether a block runs with the embedded voice."""
    if block.language == "python":
        return "spark" not in block.words and not names.is_quoted(block)
    if block.language != "sh" or block.words:
        return False
    commands = commands_of(block.text)
    programs = {words[0] for words in commands}
    ours = {word for words in commands if words[0] == "flashtts" for word in words}
    local = all(ADDRESS in " ".join(words) for words in commands if words[0] == "curl")
    return programs <= RUNNABLE and not ours & NEEDS_MORE and local


def runs_with_spark(block: Block) -> bool:
    """Say whether a block runs with the small Spark-TTS checkpoint."""
    return block.language in {"python", "sh"} and "spark" in block.words


@dataclass
class Reader:
    """Somebody who types blocks off: in a folder of their own, at a server of their own."""

    folder: Path
    url: str

    def __post_init__(self) -> None:
        """Make a home in which curl counts a refusal as a failure."""
        (self.folder / ".curlrc").write_text(_CURLRC)
        self.environment = {
            "CURL_HOME": str(self.folder),
            "FLASHTTS_VOICE_DIR": str(self.folder / "voices"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def type_off(self, block: Block) -> str:
        """Run one block and return what it printed; fails with the block's place."""
        text = block.text.replace(ADDRESS, self.url)
        if block.language == "python":
            return self._python(block, text)
        is_plain = not set("|<>;&$") & set(text) and all(words[0] == "flashtts" for words in commands_of(text))
        return self._commands(block, text) if is_plain else self._shell(block, text)

    def _commands(self, block: Block, text: str) -> str:
        """Run commands of flashtts in this process, as ``_python`` does and for the same reason."""
        with self._at_home() as printed:
            for words in commands_of(text):
                assert call(words[1:]) == 0, f"{block.where}: {printed.getvalue()}"
        return printed.getvalue()

    def _shell(self, block: Block, text: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block.where}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def _python(self, block: Block, text: str) -> str:
        """Run in this process: importing the product anew for every block would take longer than all blocks."""
        code = compile("\n" * (block.line - 1) + text, str(block.page), "exec")
        with self._at_home() as printed:
            exec(code, {"__name__": "__main__"})
        return printed.getvalue()

    @contextlib.contextmanager
    def _at_home(self) -> Iterator[io.StringIO]:
        """Be in the reader's folder and environment, and give what is printed there."""
        printed = io.StringIO()
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                yield printed


def read(page: Path, reader: Reader, *, spark: bool) -> None:
    """Type off every block of a page that runs, and hold what it prints against the ``text output`` block after it."""
    printed: str | None = None
    for block in blocks_of(page):
        if (runs_with_spark if spark else runs)(block):
            printed = reader.type_off(block)
        elif "output" in block.words and printed is not None:
            same = doctest.OutputChecker().check_output(block.text, printed, _FLAGS)
            assert same, f"{block.where}: the block before it printed\n{printed}"
            printed = None
        else:
            printed = None
