"""The pages of the documentation, and the fenced blocks in them.

The words after a block's language say how it is checked: ``spark`` runs with a small Spark-TTS checkpoint, the name of
a plugin holds the block against that plugin where it is part of the tree, ``output`` and ``layout`` say what a ``text``
block shows. What that means for writers stands in ``CONTRIBUTING.md``.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OUTSIDE = {".nox", ".venv", "node_modules", ".pytest_cache", ".ci", ".git"}
PAGES = [path for path in sorted(ROOT.rglob("*.md")) if not OUTSIDE & set(path.parts)]

_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``line`` is the number of its first line."""

    page: Path
    line: int
    language: str
    words: frozenset[str]
    text: str

    @property
    def where(self) -> str:
        """Where it stands, as an editor takes it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def text_of(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


@cache
def blocks_of(page: Path) -> tuple[Block, ...]:
    """Return the fenced blocks of a page."""
    text = text_of(page)
    return tuple(
        Block(page, text.count("\n", 0, found.start()) + 2, found[1], frozenset(found[2].split()), found[3])
        for found in _FENCE.finditer(text)
    )


def prose_of(page: Path) -> str:
    """Return a page without its blocks."""
    return _FENCE.sub("", text_of(page))


def spans_of(page: Path) -> list[str]:
    """Return what stands between backticks in the prose of a page."""
    return re.findall(r"`([^`\n]+)`", prose_of(page))


def reference(name: str) -> Any:
    """Return a module of ``docs/reference``, which writes the pages that come from the code."""
    folder = str(DOCS / "reference")
    if folder not in sys.path:
        sys.path.append(folder)
    return __import__(name)
