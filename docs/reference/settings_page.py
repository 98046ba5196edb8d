"""The pages of settings and of commands, from the settings structs and the command line itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec
import workspace

from flashtts_core.cli.main import build
from flashtts_core.flags import knob_of
from flashtts_core.settings import ENVIRONMENT_PREFIX, Settings, fields_of
from flashtts_core.types import Diffusion, Sampling, SplitLimits, Style
from flashtts_server.settings import ServerSettings

REQUEST_GROUPS = (("Style", Style), ("Sampling", Sampling), ("Diffusion", Diffusion), ("Splitting", SplitLimits))


def settings() -> str:
    """Return the page of all settings."""
    parts = [
        "# Settings",
        "",
        "A value is looked up as command-line flag, then environment variable "
        f"(`{ENVIRONMENT_PREFIX}` and the name in capitals), then key of the TOML file given by `--config`, "
        "then the default. Dashes in flags are as good as underscores. When to change what: [Serve](../serve.md).",
        "",
        "## The model (`flashtts serve`, `infer`, `voices`)",
        "",
        *table(Settings),
        "",
        "## The server (`flashtts serve`)",
        "",
        *table(ServerSettings),
    ]
    for kind, name, own in _plugin_groups():
        parts += ["", f"## The {kind} {name} (table `[plugin.{name}]`)", "", *table(own, prefix=_prefix(name))]
    for title, group in REQUEST_GROUPS:
        parts += ["", f"## {title} of one request (`flashtts infer`, HTTP, Python)", "", *table(group)]
    return "\n".join(parts)


def _plugin_groups() -> Iterator[tuple[str, str, type[msgspec.Struct]]]:
    """Yield kind, name and settings of each plugin that has settings of its own."""
    known = workspace.plugins()
    named = [("engine", entry.spec.name, entry.spec.own) for entry in known.engines]
    named += [("backend", entry.spec.name, entry.spec.own) for entry in known.backends]
    yield from ((kind, name, own) for kind, name, own in named if own is not None)


def _prefix(plugin: str) -> str:
    return plugin.replace("-", "_") + "_"


def table(group: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """Return the rows of one settings struct."""
    rows = ["| flag | values | default | meaning |", "|---|---|---|---|"]
    for name, field in fields_of(group).items():
        knob = knob_of(field.type)
        is_flag = knob.kinds == (bool,)
        values = "flag" if is_flag else knob.metavar.replace("|", " ")
        shown = ("on" if field.default else "off") if is_flag else field.default
        default = "" if shown in {None, "", msgspec.NODEFAULT} else f"`{shown}`"
        flag = f"`--{prefix}{name}`" + (f", `--no_{prefix}{name}`" if is_flag and field.default else "")
        rows.append(f"| {flag} | {values} | {default} | {knob.description} |")
    return rows


def commands() -> str:
    """Return the page of commands: what each does and the options that are its own."""
    parts = [
        "# Commands",
        "",
        "Exit codes: 0 done, 1 the request could not be carried out, 2 wrong flags, settings or installation, "
        "130 interrupted. Where the table of a command ends with *settings*, the flags of the "
        "[settings](settings.md) can be given as well.",
    ]
    for command in _walk(build(workspace.plugins()), ()):
        parts += ["", *command]
    return "\n".join(parts)


def _walk(command: click.Command, above: tuple[str, ...]) -> list[list[str]]:
    names = (*above, command.name or "")
    if isinstance(command, click.Group):
        found = [_section(names, command)] if not above else []
        return found + [part for each in command.commands.values() for part in _walk(each, names)]
    return [_section(names, command)]


def _section(names: tuple[str, ...], command: click.Command) -> list[str]:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    usage = " ".join([*names, *(f"{argument.name or ''}".upper() for argument in arguments)])
    rows = [f"## `{usage}`", "", command.help or ""]
    settings = {name for group in (Settings, ServerSettings) for name in fields_of(group)}
    for _, name, own in _plugin_groups():
        settings |= {_prefix(name) + field for field in fields_of(own)}
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    mine = [option for option in options if option.name not in settings]
    if mine:
        rows += ["", "| option | meaning |", "|---|---|"]
        rows += [_row(option) for option in mine]
        rows += ["| *settings* | |"] if len(mine) < len(options) else []
    return rows


def _row(option: click.Option) -> str:
    spelled = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len))
    required = " Required." if option.required else ""
    return f"| {spelled} | {option.help or ''}{required} |"
