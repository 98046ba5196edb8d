"""Failures end the requests they concern, with a reason, and the next request is answered."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from flashtts_backend_mlx import flashtts_backends
from flashtts_core.backends import Backend, BackendContext
from flashtts_core.errors import BackendDied, ConfigError, EngineError
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import Family

Ask = Callable[..., list[list[int] | BaseException]]
Checkpoint = Callable[[Family], Path]

(SPEC,) = flashtts_backends()
PROMPTS = [(1, 2, 3), (4, 5, 6), (7, 8, 9)]


class Failing:
    """A network that raises once, at call ``at``, and computes what the real one computes before and after."""

    def __init__(self, network: Any, at: int, error: Exception) -> None:
        self.network = network
        self.at = at
        self.error = error
        self.calls = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return self.network(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)


def failing(at: int, error: Exception) -> Callable[[Backend], None]:
    def spoil(backend: Backend) -> None:
        batch: Any = backend._model._batch  # type: ignore[attr-defined]  # where mlx-lm keeps the network
        network = Failing(batch.model, at, error)
        for part in (batch, batch._prompt_batch, batch._generation_batch):
            part.model = network

    return spoil


@pytest.mark.parametrize("at", [1, 2, 5])
def test_without_memory_the_running_requests_get_a_reason_and_later_ones_an_answer(
    checkpoint: Checkpoint, ask: Ask, at: int
) -> None:
    folder = checkpoint("qwen2")
    sound = ask(folder, *PROMPTS)
    # One request at a time: those that wait come after the failure.
    error = RuntimeError("[malloc] Unable to allocate 123456789 bytes.")
    first, *later = ask(folder, *PROMPTS, spoil=failing(at, error), llm_batch_size=1)
    assert isinstance(first, EngineError)
    assert "--llm_batch_size" in str(first)
    assert later == sound[1:]
    together = ask(folder, *PROMPTS, spoil=failing(at, error))
    assert any(isinstance(answer, EngineError) for answer in together)
    for answer, expected in zip(together, sound, strict=True):
        assert isinstance(answer, EngineError) or answer == expected


def test_any_other_failure_is_the_end_and_says_so(checkpoint: Checkpoint, ask: Ask) -> None:
    answers = ask(checkpoint("qwen2"), *PROMPTS, spoil=failing(3, RuntimeError("the card fell out")))
    assert all(isinstance(answer, BackendDied) and "the card fell out" in str(answer) for answer in answers)


def test_scores_that_are_not_numbers_end_that_request_alone(checkpoint: Checkpoint, ask: Ask) -> None:
    folder = checkpoint("llama")
    sound = ask(folder, *PROMPTS)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"][5] = torch.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    first, second, third = ask(folder, *PROMPTS)
    assert isinstance(second, EngineError)
    assert "not numbers (float32)" in str(second)
    assert [first, third] == [sound[0], sound[2]]


def test_a_shell_of_mlx_without_a_runtime_names_the_command(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlx.core", None)  # what `pip install mlx` leaves on Linux: no such module

    async def check() -> None:
        with pytest.raises(ConfigError, match=r'pip install "flashtts\[mlx\]"'):
            await SPEC.open(BackendContext(checkpoint("qwen2"), Settings()))

    asyncio.run(check())


def test_the_plugin_is_found_by_both_names_and_importing_it_is_light() -> None:
    plugins = Plugins.discover()
    assert plugins.backend("mlx-lm") is plugins.backend("mlx")
    code = "import sys, flashtts_backend_mlx; assert not {'mlx', 'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
