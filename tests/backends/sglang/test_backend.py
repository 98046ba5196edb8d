"""The SGLang backend passes the contract on a stand-in for the engine, and knows SGLang's traps."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from backends.sglang.fake import MAX_LENGTH, OWN_END, FakeEngine
from flashtts_backend_sglang import flashtts_backends, open_sglang
from flashtts_backend_sglang.arguments import device_arguments, engine_arguments, sampling_parameters
from flashtts_backend_sglang.backend import SglangBackend, _failure
from flashtts_backend_sglang.release import check_release
from flashtts_core.backends import Backend, BackendContext
from flashtts_core.errors import BackendDied, BadCheckpoint, ConfigError, EngineError, RequestError
from flashtts_core.settings import Settings
from flashtts_core.testing import CountingReference
from flashtts_core.testing.conformance import BackendContract, Reference, run
from flashtts_core.types import Sampling, TokenRequest

(SPEC,) = flashtts_backends()
ARGUMENTS = {
    "context_length": MAX_LENGTH,
    "incremental_streaming_output": True,
    "mem_fraction_static": 0.6,
    "random_seed": 1,
}


async def opened(engine_class: Callable[..., Any] = FakeEngine, **changes: object) -> SglangBackend:
    return await SglangBackend.start(engine_class, {**ARGUMENTS, **changes})


def engine_of(backend: Backend) -> FakeEngine:
    assert isinstance(backend, SglangBackend)
    engine = backend._thread.engine
    assert isinstance(engine, FakeEngine)
    return engine


class TestSglang(BackendContract):
    spec = SPEC

    async def open_backend(self) -> Backend:
        return await opened()

    def reference(self) -> Reference:
        return CountingReference()

    async def kill(self, backend: Backend) -> None:
        engine_of(backend).tokenizer_manager.die()


def request(key: str = "a", **changes: Any) -> TokenRequest:
    stop = changes.pop("stop", frozenset())
    prompt = changes.pop("prompt", (1, 2, 3))
    fields = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "max_tokens": 40, "seed": 1}
    return TokenRequest(key, prompt, stop, Sampling(**{**fields, **changes}))


async def collect(backend: Backend, asked: TokenRequest) -> list[int]:
    async with aclosing(backend.generate(asked)) as deltas:
        return [token async for delta in deltas for token in delta]


def greedy(count: int) -> list[int]:
    return CountingReference().greedy((1, 2, 3), count)


def test_the_models_own_end_does_not_end_an_answer_unless_it_is_a_stop_id() -> None:
    answer = greedy(300)

    async def check() -> None:
        backend = await opened()
        try:
            manager = engine_of(backend).tokenizer_manager
            manager.model_config.hf_eos_token_id = {answer[3]}
            backend._ends = frozenset({answer[3]})
            assert await collect(backend, request()) == answer[:40]
            assert await collect(backend, request(stop=frozenset({answer[20]}))) == answer[: answer.index(answer[20])]
            both = frozenset({answer[3], answer[20]})
            assert await collect(backend, request(stop=both)) == answer[: answer.index(answer[3])]
        finally:
            await backend.aclose()

    run(check())


def test_stop_ids_are_sglangs_where_they_cover_the_models_own_ends() -> None:
    covered = sampling_parameters(request(stop=frozenset({5, 9})), {9})
    assert (covered["stop_token_ids"], covered["ignore_eos"]) == ([5, 9], False)
    uncovered = sampling_parameters(request(stop=frozenset({5})), {9})
    assert uncovered["ignore_eos"]
    assert "stop_token_ids" not in uncovered


def test_an_answer_that_ends_at_a_stop_id_of_ours_is_aborted_in_the_engine() -> None:
    async def check() -> None:
        backend = await opened()
        try:
            stop = greedy(6)[5]
            assert stop != OWN_END
            await collect(backend, request(stop=frozenset({stop}), max_tokens=400))
            async with asyncio.timeout(20):
                while engine_of(backend).tokenizer_manager.rid_to_state:
                    await asyncio.sleep(0)
        finally:
            await backend.aclose()

    run(check())


def test_names_that_begin_alike_are_aborted_one_by_one() -> None:
    async def check() -> None:
        backend = await opened()
        try:
            async with aclosing(backend.generate(request("r1", max_tokens=400))) as leaving:
                await anext(leaving)
                stays = asyncio.create_task(collect(backend, request("r10", max_tokens=60)))
                await asyncio.sleep(0)
            assert await stays == greedy(60)
        finally:
            await backend.aclose()

    run(check())


def test_a_prompt_longer_than_sglang_reads_is_refused_with_the_remedy() -> None:
    async def check() -> None:
        backend = await opened()
        try:
            with pytest.raises(RequestError, match="--max_length"):
                await collect(backend, request(prompt=(1,) * (backend.max_length - 4)))
            assert await collect(backend, request(max_tokens=2)) == greedy(2)
        finally:
            await backend.aclose()

    run(check())


class Refusing(FakeEngine):
    async def async_generate(self, *args: Any, **kwargs: Any) -> Any:
        raise kwargs["sampling_params"] and self.kwargs["error"]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(ValueError("top_p must be in (0, 1]"), RequestError), (RuntimeError("CUDA error"), EngineError)],
)
def test_what_sglang_raises_for_a_request_reaches_its_caller_alone(raised: Exception, expected: type) -> None:
    async def check() -> None:
        backend = await opened(Refusing, error=raised)
        try:
            with pytest.raises(expected, match=str(raised).split("(", maxsplit=1)[0]):
                await collect(backend, request())
            assert backend.alive
        finally:
            await backend.aclose()

    run(check())


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        (None, type(None)),
        ({"type": "length", "length": 3}, type(None)),
        ({"type": "abort", "message": "too long", "status_code": 400}, RequestError),
        ({"type": "abort", "message": "out of memory", "status_code": 500}, EngineError),
        ({"type": "abort", "message": "Aborted", "status_code": None}, EngineError),
    ],
)
def test_the_reason_of_an_end_is_told(finish: dict[str, Any] | None, expected: type) -> None:
    failure = _failure(finish)
    assert type(failure) is expected
    if failure is not None:
        assert finish is not None
        assert finish["message"] in str(failure)


def failing(error: Exception) -> Callable[..., Any]:
    def make(**kwargs: object) -> Any:
        raise error

    return make


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            RuntimeError("Not enough memory. Please try to increase --mem-fraction-static"),
            "--llm_gpu_memory_utilization",
        ),
        (RuntimeError("Rank 0 scheduler died during initialization"), "Rank 0 scheduler died"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_an_engine_that_does_not_start_is_a_configuration_error(raised: Exception, said: str) -> None:
    before = set(threading.enumerate())
    with pytest.raises(ConfigError, match=said):
        run(opened(failing(raised)))
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()


def test_closing_shuts_the_engine_down_and_leaves_no_thread_and_no_handler() -> None:
    async def check() -> FakeEngine:
        backend = await opened()
        engine = engine_of(backend)
        await backend.aclose()
        await backend.aclose()
        return engine

    before, handler = set(threading.enumerate()), signal.getsignal(signal.SIGQUIT)
    assert run(check()).shut_down
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()
    assert signal.getsignal(signal.SIGQUIT) == handler


def test_death_while_nothing_runs_is_noticed() -> None:
    async def check() -> None:
        backend = await opened()
        os.kill(os.getpid(), signal.SIGQUIT)
        async with asyncio.timeout(20):
            while backend.alive:
                await asyncio.sleep(0)
        with pytest.raises(BackendDied, match="Restart flashtts"):
            await collect(backend, request())
        await backend.aclose()

    run(check())


def test_the_engine_never_runs_on_the_loop_of_the_host() -> None:
    threads: list[str] = []

    class Telling(FakeEngine):
        def __init__(self, **kwargs: Any) -> None:
            threads.append(threading.current_thread().name)
            super().__init__(**kwargs)

        async def async_generate(self, *args: Any, **kwargs: Any) -> Any:
            threads.append(threading.current_thread().name)
            return await super().async_generate(*args, **kwargs)

    async def check() -> None:
        backend = await opened(Telling)
        await collect(backend, request(max_tokens=1))
        await backend.aclose()

    run(check())
    assert threads == ["flashtts-llm", "flashtts-llm"]


@pytest.fixture
def sglang(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module ``sglang`` with the fake engine, of the oldest supported release."""
    module = ModuleType("sglang")
    vars(module).update(Engine=FakeEngine, __version__="0.5.23")
    monkeypatch.setitem(sys.modules, "sglang", module)
    return module


def test_opening_takes_the_folder_and_the_settings(tmp_path: Path, sglang: ModuleType) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen2", "max_position_embeddings": 600}')
    settings = Settings(
        llm_device="cuda:1", torch_dtype="bfloat16", llm_batch_size=9, llm_gpu_memory_utilization=0.4, seed=2**40 + 3
    )

    async def check() -> dict[str, Any]:
        backend = await SPEC.open(BackendContext(tmp_path, settings))
        assert isinstance(backend, SglangBackend)
        assert (backend.vocab_size, backend.max_length) == (1000, 598)
        kwargs = engine_of(backend).kwargs
        await backend.aclose()
        return kwargs

    assert run(check()) == {
        "model_path": str(tmp_path),
        "skip_tokenizer_init": True,
        "incremental_streaming_output": True,
        "stream_interval": 1,
        "dtype": "bfloat16",
        "context_length": 600,
        "max_running_requests": 9,
        "mem_fraction_static": 0.4,
        "random_seed": 3,
        "device": "cuda",
        "base_gpu_id": 1,
    }


def test_a_context_that_the_model_has_room_for_is_given_whole(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 32768}')

    async def check() -> int:
        arguments = engine_arguments(tmp_path, Settings(max_length=500))
        backend = await SglangBackend.start(FakeEngine, arguments)
        await backend.aclose()
        return backend.max_length

    assert run(check()) == 500


@pytest.mark.parametrize("content", [None, "{}", "nonsense"])
def test_a_folder_that_is_no_model_is_refused_before_sglang_starts(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(BadCheckpoint, match=r"config\.json"):
        engine_arguments(tmp_path, Settings())


def test_devices() -> None:
    assert device_arguments("auto") == {}
    assert device_arguments("cuda") == {"device": "cuda"}
    assert device_arguments("cuda:2") == {"device": "cuda", "base_gpu_id": 2}
    assert device_arguments("cpu") == {"device": "cpu"}
    with pytest.raises(ConfigError, match="mlx-lm"):
        device_arguments("mps")


@pytest.mark.parametrize("version", ["0.5.22", "0.6.0", "0.4.10.post2", "1.0"])
def test_a_release_we_do_not_know_is_refused_with_the_command(version: str) -> None:
    with pytest.raises(ConfigError, match=r"pip install"):
        check_release(version)


@pytest.mark.parametrize("version", ["0.5.23", "0.5.23.post1", "0.5.99"])
def test_releases_we_know_are_taken(version: str) -> None:
    check_release(version)


def test_a_broken_installation_names_its_cause(tmp_path: Path, sglang: ModuleType) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 600}')

    def lazy(name: str) -> object:
        raise ModuleNotFoundError("No module named 'sgl_kernel'")

    del vars(sglang)["Engine"]
    vars(sglang)["__getattr__"] = lazy
    with pytest.raises(ConfigError, match="sgl_kernel"):
        run(open_sglang(BackendContext(tmp_path, Settings())))


def test_what_it_does_not_honour_is_declared() -> None:
    assert set(SPEC.sampling) == {"temperature", "top_k", "top_p", "max_tokens"}
    assert SPEC.restriction == "none"
    assert "sampling_seed" not in sampling_parameters(request(seed=4), set())
