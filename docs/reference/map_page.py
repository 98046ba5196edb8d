"""The list of all pages at the end of the map, from their titles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[1]
MARK = "<!-- The rest is written by docs/reference/generate.py. -->\n"


def with_pages(text: str) -> str:
    """Return the map with the list of the pages there are."""
    head, mark, _ = text.partition(MARK)
    assert mark, "the map has lost the line after which the list of pages begins"
    return head + mark + "\n" + "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    pages = [path for path in DOCS.rglob("*.md") if path != DOCS / "README.md"]
    for path in sorted(pages, key=lambda each: (len(each.parts), str(each))):
        title = next(line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
        yield f"* [{title}]({path.relative_to(DOCS).as_posix()})"
