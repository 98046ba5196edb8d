"""``flashtts convert gguf``: make the file that llama.cpp runs out of a model's official folder."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from flashtts_backend_llamacpp.formats import FORMATS, NumberFormat
from flashtts_core.errors import ConfigError
from flashtts_core.plugins import Plugins


def convert(plugins: Plugins) -> click.Group:
    """Return the command group ``convert`` with ``gguf`` in it."""

    def run(model: str, number_format: NumberFormat, output: Path | None, overwrite: bool) -> None:
        from flashtts_backend_llamacpp.convert import convert_model  # noqa: PLC0415  # these are heavy
        from flashtts_backend_llamacpp.files import find_language_model  # noqa: PLC0415
        from flashtts_core.host import find_model  # noqa: PLC0415

        logging.getLogger("gguf").setLevel(logging.WARNING)  # it reports every file it writes
        folder = find_language_model(asyncio.run(find_model(model, plugins)))
        target = output or folder / f"model-{number_format}.gguf"
        _check_target(target, overwrite=overwrite)
        convert_model(folder, target, number_format, _show if sys.stderr.isatty() else None)
        click.echo(f"Wrote {target}: {target.stat().st_size / 1e6:.1f} MB.", err=True)

    command = click.Command(
        "gguf",
        callback=run,
        params=[
            click.Argument(["model"]),
            click.Option(
                ["--type", "number_format"],
                type=click.Choice(FORMATS),
                default="q8_0",
                show_default=True,
                help="Number format of the matrices; f32 is exact, q8_0 the one for CPUs.",
            ),
            click.Option(
                ["-o", "--output"],
                type=click.Path(path_type=Path, dir_okay=False),
                help="File to write. Left out: model-<type>.gguf beside the language model, where llama-cpp finds it.",
            ),
            click.Option(["--overwrite"], is_flag=True, help="Replace the file if it is there."),
        ],
        help="Write the language model of MODEL (a speech model's folder, its language model's, or a hub id) as GGUF.",
    )
    return click.Group("convert", commands=[command], help="Convert models to the formats of other runtimes.")


def _check_target(target: Path, *, overwrite: bool) -> None:
    if not target.absolute().parent.is_dir():
        raise ConfigError(f"There is no folder {target.absolute().parent}; make it first, or choose another --output.")
    if target.exists() and not overwrite:
        raise ConfigError(f"{target} is there already. Give --overwrite to replace it, or another --output.")


def _show(done: int, total: int) -> None:
    click.echo(f"\r{done / total:6.1%} of {total / 1e6:.0f} MB", nl=done == total, err=True)
