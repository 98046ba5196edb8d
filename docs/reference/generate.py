"""Writes the reference pages that come from the code: ``python docs/reference/generate.py`` (tests check them).

They describe every distribution of this repository, also those that are not installed (``workspace.py``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

HERE = Path(__file__).parent
DOCS = HERE.parent
sys.path.insert(0, str(HERE))

import http_page  # noqa: E402  # these are modules beside this file
import map_page  # noqa: E402
import plugins_page  # noqa: E402
import python_page  # noqa: E402
import settings_page  # noqa: E402

HEAD = "<!-- Written by docs/reference/generate.py; edit the code and run it again. -->\n"

REFERENCE: dict[str, Callable[[], str]] = {
    "settings.md": settings_page.settings,
    "commands.md": settings_page.commands,
    "formats.md": plugins_page.formats,
    "plugins.md": plugins_page.plugins,
    "http.md": http_page.http,
    "errors.md": http_page.errors,
    "python.md": python_page.python,
}


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page that is written from the code, with its text."""
    for name, page in REFERENCE.items():
        yield HERE / name, f"{HEAD}\n{page()}\n"
    yield DOCS / "README.md", map_page.with_pages((DOCS / "README.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {path.relative_to(DOCS)}.")
