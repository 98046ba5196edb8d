"""Discovery: what is found, what is refused, and what a broken plugin does to the others."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from flashtts_core.cli.plugin_list import render
from flashtts_core.errors import BadCheckpoint, ConfigError, PluginConflict, UnknownPlugin
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings

MakePlugin = Callable[[str, str], EntryPoint]

ENGINE = """
    from flashtts_core import EngineSpec, hookimpl

    async def open_it(context):
        raise AssertionError("not opened in these tests")

    @hookimpl
    def flashtts_engines():
        return [EngineSpec(name={name!r}, summary="A test.", open=open_it, detect=lambda folder, settings: {detect})]
"""


@pytest.fixture
def make_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePlugin]:
    """Return a function that writes a module and gives the entry point that names it."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def make(name: str, code: str) -> EntryPoint:
        module = f"flashtts_test_plugin_{name}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        made.append(module)
        return EntryPoint(name, module, "flashtts")

    yield make
    for module in made:
        sys.modules.pop(module, None)


def test_the_installed_plugins_are_found_with_their_distribution() -> None:
    plugins = Plugins.discover()
    assert plugins.broken == ()
    hibari = next(entry for entry in plugins.engines if entry.spec.name == "hibari")
    assert hibari.plugin.distribution == "flashtts-engine-hibari"
    assert hibari.plugin.version == importlib.metadata.version("flashtts-engine-hibari")


def test_the_embedded_voice_is_the_engine_when_no_model_is_given() -> None:
    assert Plugins.discover().detect(None, Settings()).name == "hibari"


def test_without_any_embedded_voice_the_remedy_is_named() -> None:
    with pytest.raises(ConfigError, match="flashtts-engine-hibari"):
        Plugins.discover([]).detect(None, Settings())


def test_a_broken_plugin_leaves_the_others_working_and_says_why(make_plugin: MakePlugin) -> None:
    good = make_plugin("good", ENGINE.format(name="good", detect=True))
    bad = make_plugin("bad", "import no_such_module_at_all")
    plugins = Plugins.discover([good, bad])
    assert plugins.engine("good").name == "good"
    with pytest.raises(UnknownPlugin, match="no_such_module_at_all") as caught:
        plugins.engine("bad")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert "no_such_module_at_all" in render(plugins)


@pytest.mark.parametrize("hook", ["flashtts_engines()", "flashtts_backends()", "flashtts_commands(plugins)"])
@pytest.mark.parametrize("answer", ["raise RuntimeError('boom')", "return None"])
def test_a_hook_that_fails_breaks_its_own_plugin_only(make_plugin: MakePlugin, hook: str, answer: str) -> None:
    code = f"""
        from flashtts_core import hookimpl

        @hookimpl
        def {hook}:
            {answer}
    """
    good = make_plugin("good", ENGINE.format(name="good", detect=True))
    plugins = Plugins.discover([make_plugin("bad", code), good])
    assert plugins.commands() == []
    assert plugins.engine("good").name == "good"
    (broken,) = plugins.broken
    assert broken.name == "bad"
    assert "bad" in render(plugins)


SPEC = "return [EngineSpec('odd', '', print, print, {})]"


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ("return {'odd': 1}", "flashtts_engines returned 'odd'"),
        ("return [EngineSpec]", "a list of EngineSpec"),
        ("return [BackendSpec('odd', '', print)]", "a list of EngineSpec"),
        ("return [EngineSpec('odd', '', None, print)]", "EngineSpec.open of odd is None"),
        ("return [EngineSpec('An engine', '', print, print)]", "EngineSpec.name is 'An engine'"),
        (SPEC.format("requires='numpy'"), "EngineSpec.requires of odd is the text 'numpy'"),
        (SPEC.format("own=dict"), "derives from msgspec.Struct"),
        (SPEC.format("own=Required"), "argument 'size'.* Every setting needs a default"),
        (SPEC.format("own=Clash").replace("odd", "model"), "'path' of model would be the flag --model_path"),
    ],
)
def test_a_spec_that_is_none_breaks_its_own_plugin_only(make_plugin: MakePlugin, hook: str, words: str) -> None:
    code = f"""
        from flashtts_core import BackendSpec, EngineSpec, hookimpl
        from msgspec import Struct

        class Required(Struct):
            size: int

        class Clash(Struct):
            path: str = ""

        @hookimpl
        def flashtts_engines():
            {hook}
    """
    good = make_plugin("good", ENGINE.format(name="good", detect=True))
    plugins = Plugins.discover([make_plugin("bad", code), good])
    assert plugins.engine("good").name == "good"
    (broken,) = plugins.broken
    assert re.search(words, str(broken.error))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('usage: train.py --data')", "usage: train.py"),
        ("def flashtts_engines(): return []", "flashtts_engines lacks its decorator"),
        ("import json", "implements no hook; there are flashtts_"),
    ],
)
def test_a_module_that_is_no_plugin_is_broken_and_says_why(make_plugin: MakePlugin, code: str, words: str) -> None:
    plugins = Plugins.discover([make_plugin("bad", code), make_plugin("good", ENGINE.format(name="good", detect=True))])
    assert plugins.engine("good").name == "good"
    assert words in str(plugins.broken[0].error)


def test_a_command_taken_twice_names_both_and_what_is_no_command_is_broken(make_plugin: MakePlugin) -> None:
    code = """
        import click
        from flashtts_core import hookimpl

        @hookimpl
        def flashtts_commands(plugins):
            return [{}]
    """
    mine, same = (make_plugin(name, code.format("click.Command('mine')")) for name in ("mine", "same"))
    none = make_plugin("none", code.format("print"))
    plugins = Plugins.discover([mine, none])
    assert [command.name for command in plugins.commands()] == ["mine"]
    assert "a list of Command" in str(plugins.broken[0].error)
    with pytest.raises(PluginConflict, match=r"the command 'mine': \(no distribution\) and"):
        Plugins.discover([mine, same]).commands()


def test_of_a_folder_that_no_engine_knows_the_broken_plugins_may_be_the_reason(
    make_plugin: MakePlugin, tmp_path: Path
) -> None:
    plugins = Plugins.discover([make_plugin("bad", "import no_such_module_at_all")])
    with pytest.raises(BadCheckpoint, match=r"Broken plugins, .*: bad"):
        plugins.detect(tmp_path, Settings())


def test_an_engine_that_fails_to_look_is_passed_over(
    make_plugin: MakePlugin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = make_plugin("bad", ENGINE.format(name="bad", detect="1 / 0"))
    good = make_plugin("good", ENGINE.format(name="good", detect=True))
    assert Plugins.discover([bad, good]).detect(tmp_path, Settings()).name == "good"
    assert "The engine bad failed to look" in caplog.text


def test_a_required_module_within_a_package_that_is_absent_is_missing(make_plugin: MakePlugin) -> None:
    code = ENGINE.format(name="far", detect=True).replace(
        "open=open_it,", "open=open_it, requires=('not_installed_anywhere.part',), install='pip install far',"
    )
    with pytest.raises(ConfigError, match="pip install far"):
        Plugins.discover([make_plugin("far", code)]).engine("far")


def test_a_misspelled_hook_is_refused(make_plugin: MakePlugin) -> None:
    typo = make_plugin(
        "typo",
        """
        from flashtts_core import hookimpl

        @hookimpl
        def flashtts_engine():
            return []
        """,
    )
    plugins = Plugins.discover([typo])
    assert "flashtts_engine" in str(plugins.broken[0].error)


def test_an_engine_name_taken_twice_names_both(make_plugin: MakePlugin) -> None:
    points = [make_plugin(name, ENGINE.format(name="same", detect=True)) for name in ("one", "two")]
    with pytest.raises(PluginConflict, match="'same'"):
        Plugins.discover(points)


def test_two_engines_claiming_one_folder_is_an_error(make_plugin: MakePlugin, tmp_path: Path) -> None:
    points = [make_plugin(name, ENGINE.format(name=name, detect=True)) for name in ("one", "two")]
    with pytest.raises(PluginConflict, match=r"one.*two"):
        Plugins.discover(points).detect(tmp_path, Settings())


def test_a_folder_that_no_engine_knows_is_a_bad_checkpoint(make_plugin: MakePlugin, tmp_path: Path) -> None:
    point = make_plugin("shy", ENGINE.format(name="shy", detect=False))
    with pytest.raises(BadCheckpoint, match="shy"):
        Plugins.discover([point]).detect(tmp_path, Settings())


def test_an_engine_whose_packages_are_absent_names_the_command(make_plugin: MakePlugin) -> None:
    code = ENGINE.format(name="far", detect=True).replace(
        "open=open_it,", "open=open_it, requires=('not_installed_anywhere',), install='pip install far',"
    )
    plugins = Plugins.discover([make_plugin("far", code)])
    with pytest.raises(ConfigError, match="pip install far"):
        plugins.engine("far")
    assert "pip install far" in render(plugins)


@pytest.mark.parametrize(("name", "extra"), [("vllm", "vllm"), ("mlx-lm", "mlx"), ("tensorrt-llm", "trt")])
def test_a_backend_that_is_not_installed_names_its_extra(name: str, extra: str) -> None:
    with pytest.raises(UnknownPlugin, match=rf'pip install "flashtts\[{extra}\]"'):
        Plugins.discover([]).backend(name)


def test_an_unheard_of_backend_promises_no_extra() -> None:
    with pytest.raises(UnknownPlugin, match="installed: none") as caught:
        Plugins.discover([]).backend("steam")
    assert "pip" not in str(caught.value)
