"""The TensorRT-LLM backend passes the contract on a stand-in, and opens what the flags say."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from backends.trt import fake
from flashtts_backend_trt import flashtts_backends, open_trt
from flashtts_backend_trt.backend import TrtBackend
from flashtts_backend_trt.plan import Plan, engine_folder, plan
from flashtts_backend_trt.runtime import NO_END, Runtime, check_release, load, sampling_arguments
from flashtts_core.backends import Backend, BackendContext
from flashtts_core.errors import BackendDied, BadCheckpoint, ConfigError, EngineError, RequestError
from flashtts_core.settings import Settings
from flashtts_core.testing import CountingReference
from flashtts_core.testing.conformance import BackendContract, Reference, run
from flashtts_core.types import Sampling, TokenRequest

(SPEC,) = flashtts_backends()
PLAN = Plan(False, {"model": "tiny", "skip_tokenizer_init": True}, 1000, 1024)


def opened(llm: fake.LLM | None = None) -> TrtBackend:
    return TrtBackend(Runtime(llm or fake.LLM(**PLAN.arguments), fake.SamplingParams), PLAN)


def llm_of(backend: Backend) -> fake.LLM:
    assert isinstance(backend, TrtBackend)
    llm = backend._runtime.llm
    assert isinstance(llm, fake.LLM)
    return llm


class TestTrt(BackendContract):
    spec = SPEC

    async def open_backend(self) -> Backend:
        return opened()

    def reference(self) -> Reference:
        return CountingReference()

    async def kill(self, backend: Backend) -> None:
        llm_of(backend)._executor.die()


def request(key: str = "a", **changes: Any) -> TokenRequest:
    stop = changes.pop("stop", frozenset())
    fields = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "max_tokens": 40, "seed": 1}
    return TokenRequest(key, (1, 2, 3), stop, Sampling(**{**fields, **changes}))


async def collect(backend: Backend, asked: TokenRequest) -> list[int]:
    async with aclosing(backend.generate(asked)) as deltas:
        return [token async for delta in deltas for token in delta]


def test_ids_come_one_by_one_and_not_at_the_end() -> None:
    async def check() -> list[int]:
        backend = opened()
        try:
            async with aclosing(backend.generate(request())) as deltas:
                return [len(delta) async for delta in deltas]
        finally:
            await backend.aclose()

    assert run(check()) == [1] * 40


def test_a_stream_that_is_closed_is_aborted_in_the_runtime() -> None:
    async def check() -> None:
        backend = opened()
        try:
            async with aclosing(backend.generate(request(max_tokens=400))) as deltas:
                await anext(deltas)
                assert len(llm_of(backend)._executor.results) == 1
            assert not llm_of(backend)._executor.results
        finally:
            await backend.aclose()

    run(check())


@pytest.mark.parametrize("reason", ["timeout", "cancelled"])
def test_an_answer_that_the_runtime_gives_up_is_an_error(reason: str) -> None:
    async def check() -> None:
        backend = opened()
        try:
            async with aclosing(backend.generate(request(max_tokens=400))) as deltas:
                await anext(deltas)
                executor = llm_of(backend)._executor
                executor._end(next(iter(executor.results)), [], reason)
                with pytest.raises(EngineError, match=reason):
                    async for _ in deltas:
                        pass
            assert backend.alive
            assert len(await collect(backend, request())) == 40
        finally:
            await backend.aclose()

    run(check())


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(ValueError("prompt length 9000 should not exceed"), RequestError), (RuntimeError("CUDA error"), EngineError)],
)
def test_what_the_runtime_raises_for_a_request_reaches_its_caller_alone(raised: Exception, expected: type) -> None:
    class Refusing(fake.LLM):
        def generate_async(self, *args: Any, **kwargs: Any) -> fake.RequestOutput:
            raise raised

    async def check() -> None:
        backend = opened(Refusing(**PLAN.arguments))
        try:
            with pytest.raises(expected, match=str(raised)):
                await collect(backend, request())
            assert backend.alive
        finally:
            await backend.aclose()

    run(check())


def test_a_runtime_that_shut_down_is_dead() -> None:
    async def check() -> None:
        backend = opened()
        llm_of(backend).shutdown()
        assert not backend.alive
        with pytest.raises(BackendDied, match="Restart flashtts"):
            await collect(backend, request())
        await backend.aclose()

    run(check())


def test_stop_ids_go_as_stop_words_and_no_end_is_asked_for() -> None:
    given = sampling_arguments(request(stop=frozenset({9, 5}), temperature=0.5, top_k=0, seed=7))
    assert (given["end_id"], given["stop_token_ids"]) == (NO_END, [5, 9])
    assert (given["temperature"], given["top_k"], given["top_p"], given["seed"]) == (0.5, 0, 1.0, 7)
    assert "ignore_eos" not in given
    assert sampling_arguments(request())["top_k"] == 1
    assert "temperature" not in sampling_arguments(request())


def write_model(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "qwen2", "vocab_size": 1000, "max_position_embeddings": 600}')
    return folder


def write_engine(folder: Path, *, sequences: int = 256) -> Path:
    folder.mkdir(parents=True)
    built = {"max_batch_size": sequences, "max_seq_len": 512, "max_input_len": 400}
    (folder / "config.json").write_text(
        json.dumps({"version": "1.2.0", "build_config": built, "pretrained_config": {"vocab_size": 1000}})
    )
    return folder


def test_the_engine_is_the_one_given_else_the_models_else_the_llms(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "spark" / "LLM")
    settings = Settings(model_path=str(tmp_path / "spark"))
    assert engine_folder(folder, settings) is None
    inside = write_engine(folder / "tensorrt-engine")
    assert engine_folder(folder, settings) == inside
    beside = write_engine(tmp_path / "spark" / "tensorrt-engine")
    assert engine_folder(folder, settings) == beside
    given = write_engine(tmp_path / "mine")
    assert engine_folder(folder, Settings(llm_tensorrt_path=str(given))) == given
    with pytest.raises(ConfigError, match="--llm_tensorrt_path"):
        engine_folder(folder, Settings(llm_tensorrt_path=str(tmp_path / "nowhere")))


def test_an_engine_built_for_fewer_sequences_is_refused_with_the_number(tmp_path: Path) -> None:
    engine = write_engine(tmp_path / "engine", sequences=8)
    with pytest.raises(ConfigError, match="--llm_batch_size 8, or build it with --max_batch_size 16"):
        plan(tmp_path, Settings(llm_tensorrt_path=str(engine), llm_batch_size=16))
    assert plan(tmp_path, Settings(llm_tensorrt_path=str(engine), llm_batch_size=8)).arguments["max_batch_size"] == 8


@pytest.mark.parametrize("content", [None, "nonsense", "{}", '{"build_config": {"max_batch_size": 8}}'])
def test_a_folder_that_is_no_engine_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(BadCheckpoint, match="TensorRT-LLM engine"):
        plan(tmp_path, Settings(llm_tensorrt_path=str(tmp_path)))


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="language model"):
        plan(tmp_path, Settings())


@pytest.mark.parametrize(
    ("device", "said"), [("cpu", "NVIDIA"), ("mps", "NVIDIA"), ("cuda:1", "CUDA_VISIBLE_DEVICES=1")]
)
def test_devices_that_cannot_be_had_are_refused_with_the_remedy(tmp_path: Path, device: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan(write_model(tmp_path), Settings(llm_device=device))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT-LLM as far as anybody can see."""
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("installed")
def test_opening_a_model_folder_runs_the_pytorch_flow(tmp_path: Path) -> None:
    async def check() -> fake.LLM:
        settings = Settings(llm_device="cuda:0", torch_dtype="bfloat16", llm_batch_size=9, max_length=500)
        backend = await open_trt(BackendContext(write_model(tmp_path), settings))
        assert (backend.vocab_size, backend.max_length) == (1000, 500)
        assert len(await collect(backend, request())) == 40
        await backend.aclose()
        return llm_of(backend)

    llm = run(check())
    assert type(llm) is fake.LLM
    assert (llm.model, llm.dtype, llm.tokenizer) == (str(tmp_path), "bfloat16", None)
    assert llm.kwargs == {"max_batch_size": 9, "max_seq_len": 500, "enable_chunked_prefill": True}


@pytest.mark.usefixtures("installed")
def test_opening_an_engine_folder_runs_the_engine(tmp_path: Path) -> None:
    async def check() -> fake.LLM:
        engine = write_engine(tmp_path / "tensorrt-engine")
        backend = await open_trt(BackendContext(tmp_path, Settings()))
        assert (backend.vocab_size, backend.max_length) == (1000, 512)
        await backend.aclose()
        llm = llm_of(backend)
        assert llm.model == str(engine)
        return llm

    llm = run(check())
    assert type(llm).__name__ == "EngineLLM"
    assert llm.kwargs == {"max_batch_size": 256}


@pytest.mark.parametrize("version", ["1.1.0", "1.3.0rc1", "0.21.0", "2.0"])
def test_another_release_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in fake.modules(version).items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(ConfigError, match=r"knows release 1\.2"):
        load(PLAN)


def test_the_releases_we_know_are_taken() -> None:
    for version in ("1.2.0rc2", "1.2.0", "1.2.1"):
        check_release(version)


def test_a_broken_installation_names_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    package = fake.modules()["tensorrt_llm"]
    del vars(package)["LLM"]
    monkeypatch.setitem(sys.modules, "tensorrt_llm", package)
    with pytest.raises(ConfigError, match="cannot import name 'LLM'"):
        load(PLAN)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RuntimeError("CUDA out of memory"), "Lower --llm_batch_size"),
        (ValueError("max_batch_size is greater"), "max_batch_size is greater"),
    ],
)
def test_a_model_that_does_not_load_is_a_configuration_error(
    raised: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(fake.LLM):
        def __init__(self, **kwargs: Any) -> None:
            raise raised

    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("tensorrt_llm.LLM", Failing)
    with pytest.raises(ConfigError, match=said):
        load(PLAN)


def test_closing_twice_shuts_the_runtime_down_once() -> None:
    calls: list[str] = []

    class Counting(fake.LLM):
        def shutdown(self) -> None:
            calls.append("shutdown")
            super().shutdown()

    async def check() -> None:
        backend = opened(Counting(**PLAN.arguments))
        await asyncio.gather(backend.aclose(), backend.aclose())
        await backend.aclose()

    run(check())
    assert calls == ["shutdown"]


def test_what_it_does_not_honour_is_declared() -> None:
    assert set(SPEC.sampling) == {"temperature", "top_k", "top_p", "max_tokens"}
    assert (SPEC.name, SPEC.aliases, SPEC.restriction) == ("tensorrt-llm", ("trt",), "none")
