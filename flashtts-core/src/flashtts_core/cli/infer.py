"""``flashtts infer``: speak a text, or a text file, into an audio file, with progress on a terminal."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flashtts_core.audio.formats import FORMATS, AudioFormat
from flashtts_core.cli.output import Output
from flashtts_core.cli.voices import reference_options, take_reference
from flashtts_core.errors import ConfigError, RequestError
from flashtts_core.flags import model_options, model_settings, options
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings, Sources
from flashtts_core.text.script import looks_like_script
from flashtts_core.types import Diffusion, Sampling, SpeechRequest, SplitLimits, Style, VoiceChoice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import numpy as np
    from numpy.typing import NDArray

    from flashtts_core.stream import AudioStream

_FILE_NAME = re.compile(r"\S+\.(txt|md)")
GROUPS = (Style, Sampling, Diffusion, SplitLimits)


def command(plugins: Plugins) -> click.Command:
    """Return the command."""

    def speak(**flags: Any) -> None:
        settings = model_settings(plugins, Sources.of_process(flags, flags.pop("config")))
        request = _request(flags)
        output = Output(flags["output"])
        kind = _format(flags["response_format"], output.path)
        asyncio.run(_speak(plugins, settings, request, output, kind))

    chosen = [option for group in GROUPS for option in options(group) if option.name != "seed"]  # seed is a setting
    return click.Command(
        "infer",
        callback=speak,
        params=[
            click.Option(
                ["-i", "--input"],
                required=True,
                help="What to say: text, a UTF-8 text file, or - for stdin, as UTF-8.",
            ),
            click.Option(["-o", "--output"], required=True, help="Audio file to write, or - for stdout."),
            click.Option(["--response_format"], help="Audio format. Left out: by the ending of the file."),
            click.Option(["--name"], help="Voice, by name. Left out: the model's first."),
            click.Option(["--script"], is_flag=True, help="The text is a dialogue with <role:NAME> before each turn."),
            *reference_options(required=False),
            *chosen,
            *model_options(plugins),
        ],
        help="Speak a text into an audio file.",
    )


def _request(flags: dict[str, Any]) -> SpeechRequest:
    """Return what the flags ask to be spoken; raises ``ConfigError`` for a value that does not fit."""
    typed = Sources(flags={name: value for name, value in flags.items() if value is not None})
    voice: VoiceChoice = flags["name"]
    if (reference := take_reference(flags)) is not None:
        if voice is not None:
            raise ConfigError("Give --name or --reference_audio, not both.")
        voice = reference
    text = _text(flags["input"])
    if not flags["script"] and looks_like_script(text):
        click.echo("The text has role tags, which are read aloud; add --script to speak it as a dialogue.", err=True)
    return SpeechRequest(
        text=text,
        voice=voice,
        style=typed.build(Style),
        sampling=typed.build(Sampling),
        diffusion=typed.build(Diffusion),
        limits=typed.build(SplitLimits),
        script=flags["script"],
    )


def _text(source: str) -> str:
    """Return the text: standard input for ``-``, a file's content if there is such a file, else ``source`` itself."""
    try:
        if source == "-":
            if sys.stdin is None:
                raise RequestError("There is no standard input to read. Give -i the words, or a text file.")
            with io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig") as words:  # as a file, whatever the locale
                return words.read()
        path = Path(source)
        if _is_file(path):
            return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"{source} is not a UTF-8 text file ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise RequestError(f"{source} cannot be read: {error.strerror}.") from error
    if _FILE_NAME.fullmatch(source):  # to read the name aloud is not what was wanted
        raise RequestError(f"There is no file {source}. Check the path, or give -i the words themselves.")
    return source


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # words can be longer than a file name may be, or hold a zero byte
        return False


def _format(name: str | None, output: Path) -> AudioFormat:
    chosen = name or output.suffix.removeprefix(".").lower() or "wav"
    for known in FORMATS:
        if chosen == known:
            return known
    raise ConfigError(f"{chosen!r} is not an audio format. Use --response_format with one of: {', '.join(FORMATS)}.")


async def _speak(
    plugins: Plugins, settings: Settings, request: SpeechRequest, output: Output, kind: AudioFormat
) -> None:
    import numpy as np  # noqa: PLC0415  # this and the next two are heavy, and not needed for --help

    from flashtts_core.audio.encode import encode_whole  # noqa: PLC0415
    from flashtts_core.host import open_synthesizer  # noqa: PLC0415

    async with (
        await open_synthesizer(settings, plugins) as synthesizer,
        await synthesizer.open(request, whole=True) as stream,
    ):
        parts = [samples async for samples in _watched(stream)]
        if stream.ignored:
            click.echo(f"Without effect on this engine: {', '.join(stream.ignored)}.", err=True)
        content = encode_whole(np.concatenate(parts), stream.sample_rate, kind)
    output.write(content)
    click.echo(f"Wrote {output.name}: {sum(map(len, parts)) / stream.sample_rate:.1f} s of speech.", err=True)


async def _watched(stream: AudioStream) -> AsyncIterator[NDArray[np.float32]]:
    """Yield the samples of a stream, and show how far it is if somebody watches."""
    watched = sys.stderr is not None and sys.stderr.isatty()  # a service may have none
    began, seconds = time.monotonic(), 0.0
    async for chunk in stream:
        yield chunk.samples
        seconds += len(chunk.samples) / chunk.sample_rate
        if watched:
            pace = seconds / (time.monotonic() - began)
            click.echo(f"\r{seconds:6.1f} s of speech, {pace:.1f} times real time", nl=False, err=True)
    if watched:
        click.echo("\r" + " " * 60 + "\r", nl=False, err=True)
