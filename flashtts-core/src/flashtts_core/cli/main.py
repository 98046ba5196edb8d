"""The command ``flashtts``: finds its subcommands through plugins and turns errors into sentences and exit codes.

Exit codes: 0 done, 1 the request could not be carried out, 2 wrong flags, settings or installation, 130 interrupted.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version

import click

from flashtts_core.errors import ConfigError, FlashTTSError
from flashtts_core.flags import CONTEXT
from flashtts_core.plugins import Plugins

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_INTERRUPTED = 130


def build(plugins: Plugins) -> click.Group:
    """Return the command with the subcommands of all ``plugins``."""
    group = click.Group(
        "flashtts",
        help="Text to speech: streamed over HTTP, from the command line and from Python.",
        context_settings=dict(CONTEXT),
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Show the version and exit.",
            )
        ],
    )
    for command in plugins.commands():
        command.context_settings = {**CONTEXT, **command.context_settings}
        group.add_command(command)
    return group


def run() -> None:
    """Run the command line of this process; the entry point of the console script."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for client in ("httpx", "httpx2"):  # they log every request with its URL
        logging.getLogger(client).setLevel(logging.WARNING)
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run one command line and return its exit code; errors made on purpose become one sentence on stderr."""
    try:
        build(Plugins.discover()).main(arguments, prog_name="flashtts", standalone_mode=False)
    except ConfigError as error:
        click.echo(f"flashtts: {error}", err=True)
        return EXIT_CONFIG
    except FlashTTSError as error:
        click.echo(f"flashtts: {error}", err=True)
        return EXIT_FAILED
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("flashtts: interrupted.", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return 0


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"flashtts-core {version('flashtts-core')}")
        context.exit()
