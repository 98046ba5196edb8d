"""``flashtts voices``: list, add and remove voices of a model without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flashtts_core.errors import RequestError
from flashtts_core.flags import model_options, model_settings
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Sources
from flashtts_core.types import Reference

if TYPE_CHECKING:
    from flashtts_core.synthesizer import Synthesizer


def command(plugins: Plugins) -> click.Group:
    """Return the group with its three commands."""
    group = click.Group("voices", help="List, add and remove the voices of a model.")
    model = model_options(plugins)
    name = click.Argument(["name"])

    def listing(**flags: Any) -> None:
        _with_model(plugins, flags, _list)

    def adding(name: str, overwrite: bool, **flags: Any) -> None:
        reference = take_reference(flags)
        assert reference is not None, "click requires the recording"

        async def add(synthesizer: Synthesizer) -> None:
            voice = await synthesizer.voices.add(name, reference, overwrite=overwrite)
            click.echo(f"Added {voice.name}.")

        _with_model(plugins, flags, add)

    def removing(name: str, **flags: Any) -> None:
        async def remove(synthesizer: Synthesizer) -> None:
            await synthesizer.voices.remove(name)
            click.echo(f"Removed {name}.")

        _with_model(plugins, flags, remove)

    overwrite = click.Option(["--overwrite"], is_flag=True, help="Replace a voice of that name.")
    recording = [*reference_options(required=True), overwrite]
    group.add_command(click.Command("list", callback=listing, params=[*model], help="List the voices."))
    group.add_command(
        click.Command("add", callback=adding, params=[name, *recording, *model], help="Add a voice from a recording.")
    )
    group.add_command(click.Command("remove", callback=removing, params=[name, *model], help="Remove an added voice."))
    return group


def reference_options(*, required: bool) -> list[click.Parameter]:
    """Return the options that give a recording to clone."""
    existing = click.Path(exists=True, dir_okay=False, path_type=Path)
    return [
        click.Option(
            ["--reference_audio"], type=existing, required=required, help="Recording of the voice, 1 to 30 seconds."
        ),
        click.Option(["--reference_text"], help="What is said in the recording."),
        click.Option(["--latent_file"], type=existing, help="Latent of the recording, a .npy file (MegaTTS 3)."),
    ]


def take_reference(flags: dict[str, Any]) -> Reference | None:
    """Take the options of ``reference_options`` out of ``flags`` and return the recording they give."""
    audio, transcript, latent = (flags.pop(name) for name in ("reference_audio", "reference_text", "latent_file"))
    if audio is None:
        if transcript is not None or latent is not None:
            raise RequestError("--reference_text and --latent_file belong to a recording; give --reference_audio, too.")
        return None
    return Reference(audio.read_bytes(), transcript, latent.read_bytes() if latent else None)


async def _list(synthesizer: Synthesizer) -> None:
    for name in await synthesizer.voices.names():
        kind = " (built in)" if synthesizer.voices.is_builtin(name) else ""
        click.echo(f"{name}{kind}")


def _with_model(plugins: Plugins, flags: dict[str, Any], work: Callable[[Synthesizer], Awaitable[None]]) -> None:
    from flashtts_core.host import open_synthesizer  # noqa: PLC0415  # numpy and PyAV, not needed for --help

    settings = model_settings(plugins, Sources.of_process(flags, flags.pop("config", None)))

    async def main() -> None:
        async with await open_synthesizer(settings, plugins) as synthesizer:
            await work(synthesizer)

    asyncio.run(main())
