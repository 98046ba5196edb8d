"""``flashtts plugins``: what is installed, what is missing, and why something is broken."""

from __future__ import annotations

import click

from flashtts_core.backends import BackendSpec
from flashtts_core.engines import EngineSpec
from flashtts_core.plugins import PluginInfo, Plugins, Registered


def command(plugins: Plugins) -> click.Command:
    """Return the command."""

    def show() -> None:
        click.echo(render(plugins))

    return click.Command("plugins", callback=show, help="List engines and backends, and why a broken one is broken.")


def render(plugins: Plugins) -> str:
    """Return the report as text."""
    lines = ["Engines", *(_row(entry) for entry in plugins.engines), "", "Backends"]
    lines += [_row(entry) for entry in plugins.backends] or ["  (none; the embedded voice needs none)"]
    if plugins.broken:
        lines += ["", "Broken", *(_broken(info) for info in plugins.broken)]
    return "\n".join(lines)


def _row(entry: Registered[EngineSpec] | Registered[BackendSpec]) -> str:
    spec, plugin = entry.spec, entry.plugin
    row = f"  {spec.name:<14} {plugin.distribution} {plugin.version}: {spec.summary}"
    if entry.missing:
        row += f"\n{'':17}not usable: {', '.join(entry.missing)} not installed. Run: {spec.install}"
    return row


def _broken(info: PluginInfo) -> str:
    where = f"{info.distribution} {info.version} ({info.module})"
    return f"  {info.name:<14} {where}: {type(info.error).__name__}: {info.error}"
