"""One definition of each knob: flag, environment variable, file key, range and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click
import msgspec
import pluggy
import pytest
from msgspec import Meta, Struct

from flashtts_core import hookspecs
from flashtts_core.engines import Engine, EngineContext, EngineSpec
from flashtts_core.errors import ConfigError
from flashtts_core.flags import CONTEXT, model_settings, options, warn_of_stray_variables
from flashtts_core.plugins import PluginInfo, Plugins
from flashtts_core.settings import Settings, Sources, fields_of, read_file, voice_folder
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


def test_what_a_value_may_be_is_said() -> None:
    with pytest.raises(ConfigError, match=r"--speed: 'fast' does not fit; it must be one of high, .* from 0.25 to 4"):
        Sources(flags={"speed": "fast"}).build(Style)
    with pytest.raises(ConfigError, match="it must be text, such as auto, cpu, cuda:1"):
        Sources(flags={"llm_device": "gpu"}).build(Settings)


def test_an_empty_variable_is_one_left_out() -> None:
    sources = Sources(environment={"FLASHTTS_SEED": "", "FLASHTTS_MODEL_PATH": ""}, file={"seed": 4})
    settings = sources.build(Settings)
    assert (settings.seed, settings.model_path) == (4, None)


def test_the_address_that_kubernetes_writes_into_the_port_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASHTTS_PORT", "tcp://10.0.0.7:8000")
    monkeypatch.setenv("FLASHTTS_SEED", "7")
    assert set(Sources.of_process({}, None).environment) & {"FLASHTTS_PORT", "FLASHTTS_SEED"} == {"FLASHTTS_SEED"}


def test_variables_that_belong_to_no_setting_are_named(caplog: pytest.LogCaptureFixture) -> None:
    kubernetes = ("FLASHTTS_SERVICE_HOST", "FLASHTTS_SERVICE_PORT_HTTP", "FLASHTTS_PORT_8000_TCP_ADDR")
    mine = ("FLASHTTS_CONFIG", "FLASHTTS_SEED", "FLASHTTS_KIND_RATIO", "PATH")
    warn_of_stray_variables(kind_plugin(), Sources(environment=dict.fromkeys((*kubernetes, *mine), "1")), Settings)
    assert caplog.text == ""
    wrong = Sources(environment={"FLASHTTS_SEEDS": "1", "FLASHTTS_WHAT_IS_THIS": "1", "FLASHTTS_OLD": ""})
    warn_of_stray_variables(kind_plugin(), wrong, Settings)
    assert "mean nothing here: FLASHTTS_SEEDS (is it FLASHTTS_SEED?), FLASHTTS_WHAT_IS_THIS." in caplog.text


def test_the_home_folder_is_spelled_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert voice_folder(Settings(voice_dir="~/voices")) == tmp_path / "voices"


def kind_plugin() -> Plugins:
    """Return a plugin called kind whose settings are the knobs above."""
    spec = EngineSpec("kind", "A test.", open_nothing, detect=lambda folder, settings: False, own=Knobs)
    manager = pluggy.PluginManager("flashtts")
    manager.add_hookspecs(hookspecs)

    class Plugin:
        @hookspecs.hookimpl
        def flashtts_engines(self) -> list[EngineSpec]:
            return [spec]

    manager.register(Plugin(), "kind")
    return Plugins(manager, [PluginInfo("kind", __name__, "tests", "0")])


def own_settings(file: dict[str, object], **flags: str) -> dict[str, dict[str, object]]:
    return model_settings(kind_plugin(), Sources(flags=flags, file=file)).plugin


async def open_nothing(context: EngineContext) -> Engine:
    raise AssertionError("not opened in these tests")


def test_a_flag_wins_over_the_file_where_it_is_the_default_too(caplog: pytest.LogCaptureFixture) -> None:
    file: dict[str, object] = {"plugin": {"kind": {"ratio": 0.1, "loud": True, "retrys": 3}}}
    assert own_settings(file) == {"kind": {"ratio": 0.1, "loud": True}}
    assert "retrys of [plugin.kind]" in caplog.text
    assert own_settings(file, kind_ratio="0.5", kind_loud="false") == {}


@pytest.mark.parametrize("table", [3, {"kind": 3}])
def test_a_plugins_settings_that_are_no_table_are_refused(table: object) -> None:
    with pytest.raises(ConfigError, match=r"\[plugin.NAME\]"):
        own_settings({"plugin": table})


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


def test_a_file_may_begin_with_the_mark_of_windows_editors(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("\ufeffratio = 1\n", encoding="utf-8")
    assert read_file(path) == {"ratio": 1}


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("ratio = = 1")
    for path in (tmp_path / "none.toml", broken):
        with pytest.raises(ConfigError, match=path.name):
            read_file(path)
