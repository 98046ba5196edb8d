"""Finds the distributions of this repository, so that what pages say does not depend on what is installed."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from flashtts_core.plugins import Plugins

ROOT = Path(__file__).parents[2]
PRODUCT = ("pyproject.toml", "*/pyproject.toml")


class SourceTree(Distribution):
    """A distribution that is not built: its metadata is what its pyproject.toml says."""

    def __init__(self, folder: Path, project: dict[str, Any]) -> None:
        self.folder = folder
        self.project = project

    def read_text(self, filename: str) -> str | None:
        """Return what a wheel would hold in its file ``filename``."""
        if filename == "METADATA":
            return f"Metadata-Version: 2.4\nName: {self.project['name']}\nVersion: {self.project['version']}\n"
        if filename == "entry_points.txt":
            groups = self.project.get("entry-points", {})
            return "".join(
                f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
                for group, points in groups.items()
            )
        return None

    def locate_file(self, path: Any) -> Path:
        """Return a file of the source tree."""
        return self.folder / "src" / str(path)


def distributions(*patterns: str) -> Iterator[SourceTree]:
    """Yield the distributions whose pyproject.toml match, left out: those of the product, which comes first itself."""
    for file in (file for pattern in patterns or PRODUCT for file in sorted(ROOT.glob(pattern))):
        yield SourceTree(file.parent, tomllib.loads(file.read_text(encoding="utf-8"))["project"])


def plugins(*, examples: bool = False) -> Plugins:
    """Load the plugins of this repository, whether they are installed or not; importing them needs no runtime.

    With ``examples`` those that show how to write one are among them.
    """
    found = [*distributions(), *(distributions("examples/*/pyproject.toml") if examples else ())]
    sys.path += [source for tree in found if (source := str(tree.folder / "src")) not in sys.path]
    known = Plugins.discover([point for tree in found for point in tree.entry_points.select(group="flashtts")])
    if known.broken:
        raise known.broken[0].error or AssertionError(known.broken[0].name)
    return known


def extras() -> dict[str, list[str]]:
    """Return the extras of each distribution, by its name."""
    return {tree.project["name"]: sorted(tree.project.get("optional-dependencies", {})) for tree in distributions()}
