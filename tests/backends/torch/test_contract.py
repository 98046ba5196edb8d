"""The torch backend passes the contract of backends, and keeps its promises about failing requests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from flashtts_core.backends import Backend, BackendContext
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.backends.torch import flashtts_backends
from flashtts_core.backends.torch.model import load_model
from flashtts_core.errors import EngineError
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.testing.conformance import CancellationContract, CheckpointContract, CountedBackend, counted, run
from flashtts_core.types import Sampling, TokenRequest

(SPEC,) = flashtts_backends()


class TestQwen2(CheckpointContract):
    spec = SPEC
    family = "qwen2"


class TestLlama(CheckpointContract):
    spec = SPEC
    family = "llama"


class TestQwen2Stops(CancellationContract):
    @pytest.fixture(autouse=True)
    def _use(self, checkpoints: dict[str, Path]) -> None:
        self.folder = checkpoints["qwen2"]

    async def open_counted(self) -> CountedBackend:
        return counted(load_model(self.folder, Settings(llm_device="cpu")))


def request(key: str, prompt: tuple[int, ...], max_tokens: int = 10) -> TokenRequest:
    return TokenRequest(key, prompt, frozenset(), Sampling(0.9, 50, 0.95, 1.0, max_tokens, 1))


async def collect(backend: Backend, asked: TokenRequest) -> list[int]:
    async with aclosing(backend.generate(asked)) as deltas:
        return [token async for delta in deltas for token in delta]


def test_scores_that_are_not_numbers_end_the_request_with_a_reason_and_no_other(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    weights = load_file(checkpoints["llama"] / "model.safetensors")
    weights["model.embed_tokens.weight"][7] = torch.nan
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((checkpoints["llama"] / "config.json").read_bytes())

    async def check() -> None:
        backend = ThreadedBackend(load_model(tmp_path, Settings(llm_device="cpu")))
        sound = [request(str(number), (1, 2, 3 + number), 60) for number in range(3)]
        alone = [await collect(backend, asked) for asked in sound]
        # The broken prompt is longer than a slice, so its rows are in the cache when the others join and leave.
        broken = request("broken", (7, *(1,) * 150))
        results = await asyncio.gather(
            *(collect(backend, asked) for asked in [sound[0], broken, *sound[1:]]), return_exceptions=True
        )
        failure = results.pop(1)
        assert isinstance(failure, EngineError)
        assert "not numbers (float32)" in str(failure)
        assert results == alone
        assert await collect(backend, sound[0]) == alone[0]
        await backend.aclose()

    run(check())


def test_float16_that_overflows_names_the_remedy(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    weights = load_file(checkpoints["llama"] / "model.safetensors")
    weights["model.norm.weight"] *= 1e5
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((checkpoints["llama"] / "config.json").read_bytes())

    async def check() -> None:
        settings = Settings(llm_device="cpu", torch_dtype="float16")
        backend = await SPEC.open(BackendContext(tmp_path, settings))
        with pytest.raises(EngineError, match="--torch_dtype float32 or bfloat16"):
            await collect(backend, request("a", (1, 2, 3)))
        await backend.aclose()

    run(check())


def test_the_context_is_the_smaller_of_the_setting_and_the_model(checkpoints: dict[str, Path]) -> None:
    async def check() -> None:
        for setting, expected in ((16, 16), (32_768, 2048)):
            settings = Settings(llm_device="cpu", max_length=setting)
            backend = await SPEC.open(BackendContext(checkpoints["llama"], settings))
            guarded = GuardedBackend(backend, max_length=settings.max_length)
            assert backend.max_length == expected
            assert len(await collect(guarded, request("a", (1,) * (expected - 4), 100))) == 4
            await guarded.aclose()

    run(check())


def test_the_plugin_is_found_and_importing_it_loads_no_torch() -> None:
    assert Plugins.discover().backend("torch").name == "torch"
    code = "import sys, flashtts_core.backends.torch; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
