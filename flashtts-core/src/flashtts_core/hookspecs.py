"""The three hooks a plugin may implement; a plugin is a module named by an entry point of the group ``flashtts``.

Importing that module must be cheap: specs describe, ``open`` loads. A hook whose name is not below is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from flashtts_core.backends import BackendSpec
    from flashtts_core.engines import EngineSpec
    from flashtts_core.plugins import Plugins

ENTRY_POINT_GROUP = "flashtts"

hookspec = pluggy.HookspecMarker("flashtts")
hookimpl = pluggy.HookimplMarker("flashtts")


@hookspec
def flashtts_engines() -> list[EngineSpec]:  # type: ignore[empty-body]  # pluggy: a specification has no body
    """Return the speech engines (model families) that this plugin provides."""


@hookspec
def flashtts_backends() -> list[BackendSpec]:  # type: ignore[empty-body]  # pluggy: a specification has no body
    """Return the language-model runtimes that this plugin provides."""


@hookspec
def flashtts_commands(plugins: Plugins) -> list[click.Command]:  # type: ignore[empty-body]  # pluggy, see above
    """Return subcommands for ``flashtts``; ``plugins`` knows the engines and backends that are installed."""
