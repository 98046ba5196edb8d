"""One definition of each knob: flag, environment variable, file key, range and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click
import msgspec
import pytest
from msgspec import Meta, Struct

from flashtts_core.errors import ConfigError
from flashtts_core.flags import CONTEXT, options
from flashtts_core.settings import Settings, Sources, fields_of, read_file
from flashtts_core.types import Sampling, SplitLimits, Style


class Knobs(Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of every kind."""

    ratio: Annotated[float, Meta(ge=0, le=1, description="A share.")] = 0.5
    count: Annotated[int, Meta(ge=1, description="How many.")] | None = None
    loud: Annotated[bool, Meta(description="Be loud.")] = False


def parse(arguments: list[str]) -> dict[str, object]:
    command = click.Command("test", params=[*options(Knobs)], context_settings=dict(CONTEXT))
    return command.make_context("test", arguments).params


@pytest.mark.parametrize(
    ("flags", "environment", "file", "expected"),
    [
        ({}, {}, {}, 0.5),
        ({}, {}, {"ratio": 0.1}, 0.1),
        ({}, {"FLASHTTS_RATIO": "0.2"}, {"ratio": 0.1}, 0.2),
        ({"ratio": "0.3"}, {"FLASHTTS_RATIO": "0.2"}, {"ratio": 0.1}, 0.3),
    ],
)
def test_flag_wins_over_variable_wins_over_file_wins_over_default(
    flags: dict[str, str], environment: dict[str, str], file: dict[str, float], expected: float
) -> None:
    assert Sources(flags, environment, file).build(Knobs).ratio == expected


@pytest.mark.parametrize(
    ("sources", "culprit"),
    [
        (Sources(flags={"ratio": "2"}), "--ratio"),
        (Sources(environment={"FLASHTTS_RATIO": "much"}), "FLASHTTS_RATIO"),
        (Sources(file={"ratio": [1]}), "key 'ratio'"),
    ],
)
def test_a_value_that_does_not_fit_names_where_it_stands(sources: Sources, culprit: str) -> None:
    with pytest.raises(ConfigError, match=culprit):
        sources.build(Knobs)


def test_dashes_and_underscores_are_the_same_flag() -> None:
    assert parse(["--count", "3"]) == parse(["--count=3"])
    settings = click.Command("test", params=[*options(Settings)], context_settings=dict(CONTEXT))
    dashed = settings.make_context("test", ["--model-path", "x", "--llm-gpu-memory-utilization", "0.5"]).params
    assert (dashed["model_path"], dashed["llm_gpu_memory_utilization"]) == ("x", "0.5")


def test_a_flag_that_is_not_typed_leaves_the_value_to_the_other_sources() -> None:
    assert Sources(flags=parse([]), file={"loud": True}).build(Knobs).loud is True
    assert Sources(flags=parse(["--no_loud"]), file={"loud": True}).build(Knobs).loud is False


def test_help_shows_meaning_and_default() -> None:
    command = click.Command("test", params=[*options(Knobs)])
    text = command.get_help(click.Context(command))
    assert "A share.  [default: 0.5]".replace("  ", " ") in " ".join(text.split())


@pytest.mark.parametrize("group", [Settings, Sampling, Style, SplitLimits])
def test_every_knob_has_a_meaning(group: type[Struct]) -> None:
    for option in options(group):
        assert option.help, option.name


@pytest.mark.parametrize("group", [Settings, Sampling, Style, SplitLimits])
def test_every_default_is_valid(group: type[Struct]) -> None:
    values = {name: getattr(group(), name) for name in fields_of(group)}
    msgspec.convert(values, group, strict=True)


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("ratio = = 1")
    for path in (tmp_path / "none.toml", broken):
        with pytest.raises(ConfigError, match=path.name):
            read_file(path)
