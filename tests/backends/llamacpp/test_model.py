"""The batch on llama.cpp: a cache that is too small for everybody, memory that runs out, a runtime that breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_backend_llamacpp import flashtts_backends
from flashtts_backend_llamacpp.convert import convert_model
from flashtts_backend_llamacpp.model import LlamaCppModel
from flashtts_backend_llamacpp.runtime import NoRoom, Part, Runtime
from flashtts_core.backends import BackendContext
from flashtts_core.errors import BadCheckpoint, ConfigError, EngineError, RequestError
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import TransformersReference
from flashtts_core.testing.conformance import run
from flashtts_core.types import Sampling, TokenRequest

OpenModel = Callable[..., LlamaCppModel]
Drive = Callable[..., dict[str, "list[int] | EngineError"]]


class Watched:
    """A runtime that records its steps, and fails at steps of choice."""

    def __init__(self, runtime: Runtime, failures: dict[int, Exception] | None = None) -> None:
        self.vocab_size, self.max_length, self.plan = runtime.vocab_size, runtime.max_length, runtime.plan
        self.steps: list[list[Part]] = []
        self.held: dict[int, int] = {}
        self._runtime = runtime
        self._failures = failures or {}

    def run(self, parts: Sequence[Part]) -> list[NDArray[np.float32]]:
        self.steps.append(list(parts))
        if len(self.steps) in self._failures:
            raise self._failures[len(self.steps)]
        for part in parts:
            assert self.held.get(part.sequence, 0) == part.start, "positions follow one another"
            self.held[part.sequence] = part.start + len(part.ids)
        assert sum(self.held.values()) <= self.plan.cells
        return self._runtime.run(parts)

    def forget(self, sequence: int, start: int = 0) -> None:
        self.held[sequence] = min(start, self.held.get(sequence, 0))
        self._runtime.forget(sequence, start)

    def close(self) -> None:
        self._runtime.close()


def watched(model: LlamaCppModel, failures: dict[int, Exception] | None = None) -> Watched:
    runtime = Watched(model._runtime, failures)
    model._runtime = runtime  # type: ignore[assignment]  # it has what the model uses
    return runtime


@pytest.mark.parametrize("family", ["qwen2", "llama"])
def test_a_cache_that_holds_few_requests_makes_them_wait_and_changes_no_answer(
    family: str,
    checkpoints: dict[str, Path],
    open_model: OpenModel,
    drive: Drive,
    requests: list[TokenRequest],
) -> None:
    reference = TransformersReference(checkpoints[family])
    expected = {request.id: reference.greedy(request.prompt, 32) for request in requests}
    for cells in (140, 200, 300):
        model = open_model(checkpoints[family], kv_tokens=cells)
        runtime = watched(model)
        assert drive(model, requests) == expected
        assert all(held == 0 for held in runtime.held.values())
        again = [part for step in runtime.steps for part in step if part.start == 0]
        assert len(again) >= len(requests)
        if cells == 200:
            assert len(again) > len(requests), "somebody had to give up its places and be read again"
        model.close()


@pytest.mark.parametrize("cache", ["f16", "q8_0"])
def test_packed_weights_and_caches_answer_the_same_in_company(
    cache: str, checkpoints: dict[str, Path], tmp_path: Path, open_model: OpenModel, drive: Drive
) -> None:
    convert_model(checkpoints["qwen2"], tmp_path / "model.gguf", "q8_0")
    model = open_model(tmp_path, kv_type=cache)
    asked = [
        TokenRequest(str(seed), tuple(range(seed, 40 + 20 * seed)), frozenset(), Sampling(0.9, 50, 0.95, 1.0, 64, seed))
        for seed in range(8)
    ]
    alone = {request.id: drive(model, [request])[request.id] for request in asked}
    together = drive(model, asked)
    # Packed scores have no tolerance to spare: one answer in eight may turn on its last bit on some processor.
    assert sum(together[key] == alone[key] for key in alone) >= 7
    model.close()


def test_a_prompt_is_read_in_slices_beside_running_requests(
    checkpoints: dict[str, Path], open_model: OpenModel, requests: list[TokenRequest]
) -> None:
    model = open_model(checkpoints["qwen2"], prompt_slice=16)
    runtime = watched(model)
    model.admit(requests[4])  # 7 tokens
    model.step()
    model.admit(requests[0])  # 100 tokens
    for _ in range(7):
        assert requests[4].id in model.step(), "the running request writes in every step"
    assert [sorted(len(part.ids) for part in step) for step in runtime.steps] == [[7], *[[1, 16]] * 6, [1, 4]]
    model.close()


def test_memory_that_runs_out_ends_the_longest_request_and_changes_no_other_answer(
    checkpoints: dict[str, Path], open_model: OpenModel, drive: Drive, requests: list[TokenRequest]
) -> None:
    model = open_model(checkpoints["qwen2"])
    expected = drive(model, requests)
    watched(model, {3: NoRoom(), 9: NoRoom()})
    results = drive(model, requests)
    failed = {key: result for key, result in results.items() if isinstance(result, EngineError)}
    assert failed.keys() == {"0", "5"}
    assert all("no memory" in str(error) for error in failed.values())
    assert {**results, **failed} == {**expected, **failed}
    model.close()


def test_a_broken_runtime_is_not_taken_for_a_full_one(
    checkpoints: dict[str, Path], open_model: OpenModel, requests: list[TokenRequest]
) -> None:
    model = open_model(checkpoints["qwen2"])
    model.admit(requests[0])
    model._jobs[0].tokens[0] = 1 << 20  # llama.cpp itself refuses ids outside the vocabulary
    with pytest.raises(RuntimeError, match="status -1"):
        model.step()
    model.close()


def test_what_does_not_fit_the_context_is_refused_when_it_joins(
    checkpoints: dict[str, Path], open_model: OpenModel
) -> None:
    model = open_model(checkpoints["qwen2"], kv_tokens=128)
    assert model.max_length == 128
    with pytest.raises(RequestError, match="context of 128"):
        model.admit(TokenRequest("a", (1,) * 100, frozenset(), Sampling(0.0, max_tokens=29)))
    model.close()


def test_opening_what_cannot_be_opened_says_what_to_do(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    (spec,) = flashtts_backends()

    def refusal(folder: Path, error: type[Exception], words: str, **settings: object) -> None:
        given = {"llm_device": "cpu", **settings}
        with pytest.raises(error, match=words):
            run(spec.open(BackendContext(folder, Settings(**given))))  # type: ignore[arg-type]  # by name

    refusal(tmp_path, ConfigError, "flashtts convert gguf")
    whole = (checkpoints["qwen2"] / "model.gguf").read_bytes()
    (tmp_path / "model.gguf").write_bytes(whole[: len(whole) // 2])
    refusal(tmp_path, BadCheckpoint, "llama.cpp cannot load .*model.gguf: .*(data|bounds|size)")
    (tmp_path / "model.gguf").write_bytes(b"PK" + whole[2:])
    refusal(tmp_path, BadCheckpoint, "no GGUF file")
    refusal(checkpoints["qwen2"], ConfigError, "built for the CPU alone", llm_device="cuda:1")
