"""Opening a model: what the host says about an engine and a backend that do not honour everything."""

from __future__ import annotations

import threading
from pathlib import Path

import pluggy
import pytest

from flashtts_core import hookspecs
from flashtts_core.backends import Backend, BackendContext, BackendSpec
from flashtts_core.engines import Engine, EngineContext, EngineSpec
from flashtts_core.errors import ConfigError
from flashtts_core.host import open_synthesizer
from flashtts_core.plugins import PluginInfo, Plugins
from flashtts_core.settings import Settings
from flashtts_core.testing import ToneEngine, counting_backend
from flashtts_core.testing.conformance import run
from flashtts_core.types import Sampling, SpeechRequest


class Pair:
    """A plugin: tones that pretend to need a language model, and a backend without seeds."""

    @hookspecs.hookimpl
    def flashtts_engines(self) -> list[EngineSpec]:
        async def open_engine(context: EngineContext) -> Engine:
            await (await context.open_backend(Path())).aclose()
            return ToneEngine()

        return [EngineSpec("tone", "Tones.", open_engine, detect=lambda folder, settings: True, uses_llm=True)]

    @hookspecs.hookimpl
    def flashtts_backends(self) -> list[BackendSpec]:
        async def open_backend(context: BackendContext) -> Backend:
            return counting_backend()

        honoured = frozenset(Sampling.__struct_fields__) - {"seed"}
        return [BackendSpec("seedless", "Counts.", open_backend, sampling=honoured)]


def test_a_role_folder_that_is_none_is_refused_and_leaves_no_thread(tmp_path: Path) -> None:
    manager = pluggy.PluginManager("flashtts")
    manager.add_hookspecs(hookspecs)
    manager.register(Pair(), "pair")
    plugins = Plugins(manager, [PluginInfo("pair", __name__, "tests", "0")])
    settings = Settings(model_path=str(tmp_path), backend="seedless", role_dir=str(tmp_path / "none"))
    before = threading.active_count()
    with pytest.raises(ConfigError, match=r"--role_dir .* is not a folder"):
        run(open_synthesizer(settings, plugins))
    assert threading.active_count() == before


def test_what_the_backend_cannot_honour_is_said_at_the_start_and_with_every_answer_that_asks_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = pluggy.PluginManager("flashtts")
    manager.add_hookspecs(hookspecs)
    manager.register(Pair(), "pair")
    plugins = Plugins(manager, [PluginInfo("pair", __name__, "tests", "0")])

    async def check() -> list[tuple[str, ...]]:
        settings = Settings(model_path=str(tmp_path), backend="seedless", voice_dir=str(tmp_path))
        async with await open_synthesizer(settings, plugins) as synthesizer:
            told = []
            for sampling in (Sampling(), Sampling(temperature=0.5), Sampling(temperature=0.5, seed=3)):
                async with await synthesizer.open(SpeechRequest("Hello.", sampling=sampling)) as stream:
                    told.append(stream.ignored)
            return told

    assert run(check()) == [(), (), ("seed",)]
    assert "The backend seedless does not honour: seed." in caplog.text
