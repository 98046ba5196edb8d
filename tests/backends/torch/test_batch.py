"""The batch: requests join, leave and fail without a trace in the others; seeds hold in any company."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest
import torch

from flashtts_core.backends.threaded import NoRoomYet, ThreadedBackend
from flashtts_core.backends.torch import cache as cache_module
from flashtts_core.backends.torch import model as model_module
from flashtts_core.backends.torch.model import TorchModel
from flashtts_core.errors import EngineError, RequestError
from flashtts_core.testing.conformance import run
from flashtts_core.types import IdRanges, TokenRequest

Drive = Callable[..., dict[str, list[int]]]
Ask = Callable[..., TokenRequest]
OpenModel = Callable[..., TorchModel]


def sampled(ask: Ask, number: int) -> TokenRequest:
    """Return one of many different requests."""
    draw = random.Random(number)
    return ask(
        str(number),
        [draw.randrange(1000) for _ in range(draw.choice([2, 9, 64, 90, 150]))],
        temperature=draw.choice([0.0, 0.7, 1.0, 1.5]),
        top_k=draw.choice([0, 0, 5, 50]),
        top_p=draw.choice([1.0, 0.95, 0.5]),
        repetition_penalty=draw.choice([1.0, 1.0, 1.2]),
        max_tokens=draw.randrange(1, 24),
        seed=number,
        allowed=draw.choice([(), (IdRanges(((100, 300),)),), (IdRanges(((0, 50),)), IdRanges(((500, 900),)))]),
    )


def test_seeds_hold_alone_and_in_any_company(folder: Path, open_model: OpenModel, drive: Drive, ask: Ask) -> None:
    model = open_model(folder)
    requests = [sampled(ask, number) for number in range(24)]
    alone = {request.id: drive(model, [request])[request.id] for request in requests}
    assert drive(model, requests, joins=1) == alone
    assert drive(model, requests[::-1], joins=5) == alone
    assert drive(model, requests) == alone


def test_a_hundred_random_joins_and_aborts_disturb_nobody(
    folder: Path, open_model: OpenModel, drive: Drive, ask: Ask
) -> None:
    model = open_model(folder)
    draw = random.Random(5)
    requests = {str(number): sampled(ask, number) for number in range(100)}
    alone = {key: drive(model, [request])[key] for key, request in requests.items()}
    waiting, running = list(requests), list[str]()
    written: dict[str, list[int]] = {key: [] for key in requests}
    finished = 0
    while waiting or running:
        while waiting and (not running or draw.random() < 0.5):
            key = waiting.pop()
            model.admit(requests[key])
            running.append(key)
        for key, ids in model.step().items():
            assert not isinstance(ids, EngineError)
            written[key] += ids
        for key in list(running):
            done = len(written[key]) == requests[key].sampling.max_tokens
            finished += done
            if done or draw.random() < 0.03:
                model.release(key)
                running.remove(key)
    assert all(ids == alone[key][: len(ids)] for key, ids in written.items())
    assert 10 < finished < 90, "both ends must have been met"


class Watched(TorchModel):
    """Remembers what was asked of it."""

    events: list[str]

    def step(self) -> Mapping[str, list[int] | EngineError]:
        self.events.append("step")
        return super().step()

    def release(self, request_id: str) -> None:
        self.events.append(f"release {request_id}")
        super().release(request_id)

    def admit(self, request: TokenRequest) -> None:
        self.events.append(f"admit {request.id}")
        super().admit(request)


def test_a_closed_stream_frees_its_slot_within_one_step_and_the_next_request_takes_it(
    checkpoints: dict[str, Path], open_model: OpenModel, ask: Ask
) -> None:
    model = open_model(checkpoints["qwen2"], llm_batch_size=1)
    model.__class__ = Watched
    assert isinstance(model, Watched)
    model.events = []

    async def check() -> None:
        backend = ThreadedBackend(model)
        async with aclosing(backend.generate(ask("first", [1, 2], max_tokens=1500))) as deltas:
            await anext(deltas)
            second = asyncio.create_task(anext(backend.generate(ask("second", [3], max_tokens=5))))
            await asyncio.sleep(0)
            at = len(model.events)
        assert await second
        between = model.events[at : model.events.index("release first")]
        assert len(between) <= 2, "the step in which the stream was closed, and one that had begun"
        assert model.events[model.events.index("release first") + 1] == "admit second"
        await backend.aclose()

    run(check())


def test_a_long_prompt_holds_running_streams_back_by_one_slice_a_step(
    folder: Path, open_model: OpenModel, ask: Ask
) -> None:
    model = open_model(folder)
    model.admit(ask("stream", [1, 2, 3]))
    assert "stream" in model.step()
    model.admit(ask("long", [5] * 1000))
    steps = 0
    while "long" not in (ids := model.step()):
        assert set(ids) == {"stream"}
        steps += 1
    assert steps == (1000 - 1) // 64


def test_prompts_are_read_in_order_of_arrival_and_short_ones_together(
    folder: Path, open_model: OpenModel, ask: Ask
) -> None:
    model = open_model(folder)
    for name, count in {"long": 100, "a": 20, "b": 20, "c": 60}.items():
        model.admit(ask(name, [1] * count))
    assert [set(model.step()) for _ in range(3)] == [set(), {"long", "a"}, {"long", "a", "b"}]
    assert set(model.step()) == {"long", "a", "b", "c"}


def test_a_request_that_does_not_fit_the_context_is_refused(folder: Path, open_model: OpenModel, ask: Ask) -> None:
    model = open_model(folder, max_length=20)
    model.admit(ask("fits", [1] * 10, max_tokens=10))
    for prompt, tokens in (([1] * 10, 11), ([1] * 21, 1), ([], 1)):
        with pytest.raises(RequestError, match="do not fit the context of 20"):
            model.admit(ask("large", prompt, max_tokens=tokens))
    assert set(model.step()) == {"fits"}


def test_short_memory_fails_the_request_that_needs_it_and_no_other(
    checkpoints: dict[str, Path], open_model: OpenModel, drive: Drive, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(checkpoints["qwen2"])
    short, long = ask("short", [1] * 5, max_tokens=20), ask("long", [2] * 250, max_tokens=500)
    alone = drive(model, [short])["short"]
    model.admit(short)
    model.admit(long)
    monkeypatch.setattr(cache_module, "available_bytes", lambda device: 0)
    with pytest.raises(NoRoomYet):
        model.admit(ask("third", [1]))
    written: dict[str, list[int]] = {"short": [], "long": []}
    failures: dict[str, str] = {}
    while len(written["short"]) < 20:
        for key, ids in model.step().items():
            if isinstance(ids, EngineError):
                failures[key] = str(ids)
                model.release(key)
            else:
                written[key] += ids
    assert list(failures) == ["long"]
    assert "--llm_batch_size" in failures["long"]
    assert len(written["long"]) == 7  # 250 of the prompt and 6 of the answer fill the 256 that a row has at first
    assert written["short"] == alone


def test_a_request_waits_for_memory_while_others_run(
    checkpoints: dict[str, Path], open_model: OpenModel, drive: Drive, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(checkpoints["qwen2"])
    requests = [ask(name, [number], max_tokens=12) for number, name in enumerate("abcd", 1)]
    alone = {request.id: drive(model, [request])[request.id] for request in requests}
    most_rows = 0

    def left(device: torch.device) -> int:
        nonlocal most_rows
        most_rows = max(most_rows, model._cache.shape[0])
        return model._cache.nbytes(2, 256) - model._cache.nbytes(*model._cache.shape)

    monkeypatch.setattr(cache_module, "available_bytes", left)

    async def check() -> dict[str, list[int]]:
        backend = ThreadedBackend(model)

        async def answer(request: TokenRequest) -> list[int]:
            return [token async for ids in backend.generate(request) for token in ids]

        answers = await asyncio.gather(*map(answer, requests))
        await backend.aclose()
        return dict(zip(alone, answers, strict=True))

    assert run(check()) == alone
    assert most_rows == 2


def test_a_request_that_is_alone_and_has_no_memory_fails(
    folder: Path, open_model: OpenModel, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(folder)
    monkeypatch.setattr(cache_module, "available_bytes", lambda device: 0)
    with pytest.raises(EngineError, match="no memory left"):
        model.admit(ask("a", [1]))


def test_no_memory_for_the_sampler_of_a_request_fails_that_request(
    folder: Path, open_model: OpenModel, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    model = open_model(folder)
    with monkeypatch.context() as patch:
        patch.setattr(model_module, "Sampler", fail)
        with pytest.raises(EngineError, match="no memory left"):
            model.admit(ask("a", [1], repetition_penalty=1.1))
    model.admit(ask("b", [1], repetition_penalty=1.1))
    assert "b" in model.step()


def test_where_memory_does_not_double_the_cache_grows_by_what_is_needed(
    folder: Path, open_model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = open_model(folder)._cache
    cache.fit(16, 512)

    def limit(rows: int, length: int) -> None:
        most = cache.nbytes(rows, length)
        monkeypatch.setattr(cache_module, "available_bytes", lambda device: most - cache.nbytes(*cache.shape))

    limit(31, 512)
    cache.fit(17, 100)
    assert cache.shape == (17, 512)
    limit(17, 1000)
    cache.fit(17, 513)
    assert cache.shape == (17, 768)
    for rows, length in ((24, 10), (10, 1025)):
        with pytest.raises(MemoryError):
            cache.fit(rows, length)
    assert cache.shape == (17, 768)


def test_an_error_that_is_not_about_memory_is_the_end_of_the_model(
    folder: Path, open_model: OpenModel, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(folder)
    model.admit(ask("a", [1]))

    def fail(*arguments: object) -> None:
        raise RuntimeError("the device was unplugged")

    monkeypatch.setattr(model, "_decoder", fail)
    with pytest.raises(RuntimeError, match="unplugged"):
        model.step()


def test_an_idle_model_gives_the_cache_back_unless_it_is_static(
    folder: Path, open_model: OpenModel, drive: Drive, ask: Ask
) -> None:
    for name, shape in (("dynamic", (0, 0)), ("static", (2, 64))):
        model = open_model(folder, cache_implementation=name, llm_batch_size=2, max_length=64)
        drive(model, [ask("a", [1]), ask("b", [2])])
        assert model._cache.shape == shape
