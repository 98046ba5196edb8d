"""The contract of backends finds what is wrong: each broken backend fails the check that is there for it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_core.backends import Backend, BackendSpec
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.testing import CountingModel, CountingReference
from flashtts_core.testing.conformance import BackendContract, Reference
from flashtts_core.testing.distribution import Draw, misfit, probabilities
from flashtts_core.types import IdRanges, Sampling, TokenRequest


async def never_opened(context: object) -> Backend:
    raise AssertionError("the test opens its backend itself")


class Rewriting(CountingModel):
    """Gets every request as ``rewrite`` makes it: what a backend does that ignores or misreads a field."""

    def __init__(self, rewrite: Callable[[TokenRequest], TokenRequest]) -> None:
        super().__init__()
        self._rewrite = rewrite

    def admit(self, request: TokenRequest) -> None:
        super().admit(self._rewrite(request))


def sampling(**changes: float) -> Callable[[TokenRequest], TokenRequest]:
    def rewrite(request: TokenRequest) -> TokenRequest:
        if request.sampling.temperature == 0:
            return request
        return msgspec.structs.replace(request, sampling=msgspec.structs.replace(request.sampling, **changes))

    return rewrite


class Tail(CountingModel):
    """Applies the repetition penalty to the last ids only, and to none of the prompt."""

    def distribution(
        self, request: TokenRequest, scores: NDArray[np.float64], answer: list[int]
    ) -> NDArray[np.float64]:
        return super().distribution(msgspec.structs.replace(request, prompt=answer[-1:] or (0,)), scores, answer[-20:])


class SharedDraws(CountingModel):
    """Draws for all requests from one generator, as a global seed does."""

    def admit(self, request: TokenRequest) -> None:
        super().admit(request)
        self._active[request.id].generator = next(iter(self._active.values())).generator


class Late(CountingModel):
    """Reads a prompt wrongly when others are running."""

    def admit(self, request: TokenRequest) -> None:
        super().admit(request)
        if len(self._active) > 1:
            self._active[request.id].state += 1


class Leaky(CountingModel):
    """Keeps a request that left."""

    def release(self, request_id: str) -> None:
        if request_id.startswith("v"):
            self._active[f"ghost of {request_id}"] = self._active[request_id]
        super().release(request_id)

    def step(self) -> Mapping[str, list[int]]:
        if ghosts := [key for key in self._active if key.startswith("ghost")]:
            raise RuntimeError(f"{ghosts} are still here")
        return super().step()


class Deaf(ThreadedBackend):
    """Goes on generating when nobody listens any more."""

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        inner = super().generate(request)
        self.kept = [*getattr(self, "kept", []), inner]  # so that nothing closes it
        async for delta in inner:
            yield delta


class Immortal(ThreadedBackend):
    """Does not say that it died."""

    @property
    def alive(self) -> bool:
        return True


def two_penalties(request: TokenRequest) -> TokenRequest:
    return sampling(repetition_penalty=(request.sampling.repetition_penalty or 1) ** 2)(request)


def union(request: TokenRequest) -> TokenRequest:
    ranges = itertools.chain.from_iterable(each.ranges for each in request.allowed)
    return msgspec.structs.replace(request, allowed=(IdRanges(tuple(sorted(ranges))),) if request.allowed else ())


def unstoppable(request: TokenRequest) -> TokenRequest:
    return msgspec.structs.replace(request, stop=frozenset()) if request.allowed else request


EFFECT = "test_one_setting_has_the_effect_that_transformers_gives_it"
TOGETHER = "test_settings_work_together_and_beside_requests_with_other_settings"
ALLOWED = "test_ids_that_may_not_follow_never_do_in_ten_thousand"
LIKELIEST = "test_what_may_follow_is_chosen_as_the_reference_would"
GREEDY = "test_greedy_answers_are_the_references_alone_and_in_staggered_company"
SEEDS = "test_the_same_seed_gives_the_same_ids_alone_and_in_company"
STOPS = "test_stop_ids_may_always_follow"
CLOSING = "test_closing_a_stream_frees_its_place_within_a_step"
JOINS = "test_a_hundred_joins_and_aborts_leave_nothing"
DEATH = "test_a_dead_engine_is_reported_and_nothing_hangs"


def rewriting(rewrite: Callable[[TokenRequest], TokenRequest]) -> Callable[[], Backend]:
    return lambda: ThreadedBackend(Rewriting(rewrite))


BROKEN: dict[str, tuple[Callable[[], Backend], str, list[Any]]] = {
    "ignores temperature": (rewriting(sampling(temperature=1.0)), EFFECT, ["temperature"]),
    "ignores top_k": (rewriting(sampling(top_k=0)), EFFECT, ["top_k"]),
    "ignores top_p": (rewriting(sampling(top_p=1.0)), EFFECT, ["top_p"]),
    "ignores the penalty": (rewriting(sampling(repetition_penalty=1.0)), EFFECT, ["repetition_penalty"]),
    "penalises the tail alone": (lambda: ThreadedBackend(Tail()), EFFECT, ["repetition_penalty"]),
    "penalises twice": (rewriting(two_penalties), TOGETHER, []),
    "samples colder": (rewriting(sampling(temperature=0.7)), TOGETHER, []),
    "has a top_k of its own": (rewriting(sampling(top_k=20)), TOGETHER, []),
    "ignores what may follow": (rewriting(lambda asked: msgspec.structs.replace(asked, allowed=())), ALLOWED, []),
    "takes a cycle for a set": (rewriting(union), ALLOWED, []),
    "masks after choosing": (rewriting(union), LIKELIEST, []),
    "forbids stop ids": (rewriting(unstoppable), STOPS, []),
    "is disturbed by company": (lambda: ThreadedBackend(Late()), GREEDY, []),
    "shares its draws": (lambda: ThreadedBackend(SharedDraws()), SEEDS, []),
    "ignores the seed": (rewriting(sampling(seed=1)), SEEDS, []),
    "goes on when closed": (lambda: Deaf(CountingModel()), CLOSING, []),
    "keeps who left": (lambda: ThreadedBackend(Leaky()), JOINS, []),
    "hides its death": (lambda: Immortal(CountingModel()), DEATH, []),
}


@contextmanager
def contract(make: Callable[[], Backend], spec: BackendSpec) -> Iterator[BackendContract]:
    given = spec

    class Tried(BackendContract):
        spec = given

        async def open_backend(self) -> Backend:
            return make()

        def reference(self) -> Reference:
            return CountingReference()

    Tried.setup_class()
    try:
        yield Tried()
    finally:
        Tried.teardown_class()


SPEC = BackendSpec("counting", "A fake.", never_opened, restriction="cycle")


@pytest.mark.parametrize("defect", BROKEN)
def test_a_broken_backend_fails(defect: str) -> None:
    make, check, arguments = BROKEN[defect]
    with contract(make, SPEC) as tried, pytest.raises((AssertionError, ExceptionGroup, RuntimeError)):
        getattr(tried, check)(*arguments)


def test_what_a_spec_disclaims_is_checked_to_be_harmless() -> None:
    disclaiming = BackendSpec("counting", "A fake.", never_opened, sampling=frozenset({"max_tokens"}))
    with contract(rewriting(sampling(temperature=1.0, top_k=0, top_p=1.0, seed=1)), disclaiming) as tried:
        for field in ("temperature", "top_k"):
            getattr(tried, EFFECT)(field)
        getattr(tried, SEEDS)()

    def refuse(request: TokenRequest) -> TokenRequest:
        raise RuntimeError(f"no seeds here: {request.sampling.seed}")

    with contract(rewriting(refuse), disclaiming) as tried, pytest.raises(Exception, match="no seeds here"):
        getattr(tried, SEEDS)()


def test_a_flat_backend_may_take_a_cycle_for_the_union_of_its_sets() -> None:
    flat = BackendSpec("counting", "A fake.", never_opened, restriction="flat")
    with contract(rewriting(union), flat) as tried:
        getattr(tried, ALLOWED)()
        getattr(tried, LIKELIEST)()


def test_probabilities_by_hand() -> None:
    scores = np.log([0.5, 0.25, 0.15, 0.1])
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0)), [0.5, 0.25, 0.15, 0.1])
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0, 2)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0, 0, 0.6)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0, 2, 0.6)), [1, 0, 0, 0])
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0, 2, 0.6), top_p_of_all=True), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(probabilities(scores, Sampling(0.0)), [1, 0, 0, 0])
    squared = np.array([0.25, 0.0625, 0.0225, 0.01])
    np.testing.assert_allclose(probabilities(scores, Sampling(0.5)), squared / squared.sum())
    lowered = np.array([0.25, 0.25, 0.15, 0.1])  # a negative score is multiplied: log 0.5 * 2 = log 0.25
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0, repetition_penalty=2.0), seen={0}), lowered / 0.75)
    allowed = IdRanges(((1, 3),))
    np.testing.assert_allclose(probabilities(scores, Sampling(1.0, 3), allowed=allowed), [0, 0.625, 0.375, 0])


def test_draws_fit_their_own_distribution_and_no_other() -> None:
    draw = np.random.default_rng(0)
    share = draw.dirichlet(np.ones(50))
    tokens = [int(token) for token in draw.choice(50, 2000, p=share)]
    assert misfit(Draw(token, share) for token in tokens) < 4
    flatter = np.sqrt(share) / np.sqrt(share).sum()
    assert misfit(Draw(token, flatter) for token in tokens) > 6
    cut = np.where(share > np.median(share), share, 0)
    assert misfit(Draw(token, cut / cut.sum()) for token in tokens) == np.inf
