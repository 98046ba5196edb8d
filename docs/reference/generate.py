"""Writes the reference pages that come from the code: ``python docs/reference/generate.py`` (tests check them)."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from flashtts_core.audio.formats import FORMATS
from flashtts_core.flags import knob_of
from flashtts_core.plugins import Plugins
from flashtts_core.settings import ENVIRONMENT_PREFIX, Settings, fields_of
from flashtts_core.types import Diffusion, Sampling, SplitLimits, Style
from flashtts_server.settings import ServerSettings

HERE = Path(__file__).parent
HEAD = "<!-- Written by docs/reference/generate.py; edit the code and run it again. -->\n"


def settings_page() -> str:
    """Return the page of all settings."""
    parts = [
        HEAD,
        "# Settings",
        "",
        "A value is looked up as command-line flag, then environment variable "
        f"(`{ENVIRONMENT_PREFIX}` and the name in capitals), then key of the TOML file given by `--config`, "
        "then the default. Dashes in flags are as good as underscores.",
        "",
        "## The model (`flashtts serve`, `infer`, `voices`)",
        "",
        *table(Settings),
        "",
        "## The server (`flashtts serve`)",
        "",
        *table(ServerSettings),
    ]
    for entry in Plugins.discover().engines:
        if entry.spec.own is not None:
            name = entry.spec.name
            parts += [
                "",
                f"## The engine {name} (table `[plugin.{name}]`)",
                "",
                *table(entry.spec.own, prefix=f"{name}_"),
            ]
    for title, group in (
        ("Style", Style),
        ("Sampling", Sampling),
        ("Diffusion", Diffusion),
        ("Splitting", SplitLimits),
    ):
        parts += ["", f"## {title} of one request (`flashtts infer`, HTTP, Python)", "", *table(group)]
    return "\n".join(parts) + "\n"


def table(group: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """Return the rows of one settings struct."""
    rows = ["| flag | values | default | meaning |", "|---|---|---|---|"]
    for name, field in fields_of(group).items():
        knob = knob_of(field.type)
        values = "flag" if knob.kinds == (bool,) else knob.metavar.replace("|", " ")
        default = "" if field.default in {None, msgspec.NODEFAULT} else f"`{field.default}`"
        rows.append(f"| `--{prefix}{name}` | {values} | {default} | {knob.description} |")
    return rows


def formats_page() -> str:
    """Return the page of audio formats."""
    rows = [f"| `{name}` | {spec.content_type} | .{spec.extension} |" for name, spec in FORMATS.items()]
    head = [HEAD, "# Audio formats", "", "All of them stream.", "", "| name | content type | file |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


PAGES = {"settings.md": settings_page, "formats.md": formats_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        click.echo(f"Wrote {name}.")
