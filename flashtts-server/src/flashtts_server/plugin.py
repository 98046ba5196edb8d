"""Adds the command ``serve`` to ``flashtts``; the server itself is imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flashtts_core.flags import CONTEXT, model_options, model_settings, options, warn_of_stray_variables
from flashtts_core.hookspecs import hookimpl
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings, Sources
from flashtts_server.settings import ServerSettings


@hookimpl
def flashtts_commands(plugins: Plugins) -> list[click.Command]:
    """Return the command ``serve``."""

    def serve(config: Path | None, **flags: Any) -> None:
        sources = Sources.of_process(flags, config)
        warn_of_stray_variables(plugins, sources, Settings, ServerSettings)
        settings, server_settings = model_settings(plugins, sources, ServerSettings), sources.build(ServerSettings)
        from flashtts_server import serve as server  # noqa: PLC0415  # slow to import: not for every command's help

        server.serve(settings, server_settings, plugins)

    return [
        click.Command(
            "serve",
            callback=serve,
            params=[*model_options(plugins), *options(ServerSettings)],
            context_settings=dict(CONTEXT),
            help="Serve speech over HTTP: the API, OpenAI's API, and a web page.",
            short_help="Serve speech over HTTP.",
        )
    ]
