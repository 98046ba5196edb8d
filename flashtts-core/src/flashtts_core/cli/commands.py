"""Registers the commands that come with the core, as any plugin would; each module is loaded when it is called."""

from __future__ import annotations

import click

from flashtts_core.cli import infer, plugin_list, voices
from flashtts_core.hookspecs import hookimpl
from flashtts_core.plugins import Plugins


@hookimpl
def flashtts_commands(plugins: Plugins) -> list[click.Command]:
    """Return ``infer``, ``voices`` and ``plugins``."""
    return [infer.command(plugins), voices.command(plugins), plugin_list.command(plugins)]
