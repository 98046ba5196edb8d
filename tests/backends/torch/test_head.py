"""The restricted head: never an id outside, the same choice as the whole head masked, few products."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.backends.choices import Ranges, choices_of, merged
from flashtts_core.backends.torch.head import Head, Plan, restrict
from flashtts_core.backends.torch.model import TorchModel
from flashtts_core.errors import RequestError
from flashtts_core.types import IdRanges, Sampling, TokenRequest

VOCAB = 300
WEIGHT = torch.randn(VOCAB, 16, generator=torch.Generator().manual_seed(0))

sets = st.frozensets(st.integers(0, VOCAB - 1), min_size=1, max_size=60)


def ranges_of(tokens: frozenset[int]) -> Ranges:
    return merged((token, token + 1) for token in tokens)


@given(st.lists(sets, min_size=1, max_size=4))
def test_restricted_scores_are_the_whole_heads_scores_masked(choices: list[frozenset[int]]) -> None:
    head = Head(WEIGHT)
    ranges = [ranges_of(choice) for choice in choices]
    hidden = torch.randn(len(choices), 16, generator=torch.Generator().manual_seed(1))
    plan = head.plan(ranges)
    scores = restrict(head.scores(hidden, plan), plan, ranges)
    whole = hidden @ WEIGHT.t()
    for row, choice in enumerate(choices):
        finite = scores[row].isfinite()
        assert plan.ids[finite].tolist() == sorted(choice)
        torch.testing.assert_close(scores[row][finite], whole[row][sorted(choice)])
    assert len(plan.ranges) <= 8


def test_requests_that_agree_are_computed_on_their_ids_alone() -> None:
    head = Head(WEIGHT)
    choice = ((20, 60), (290, 291))
    plan = head.plan([choice, choice, choice])
    assert len(plan.ids) == 41
    assert plan.mask(choice) is None
    assert head.plan([choice]) is plan


def test_a_choice_of_most_ids_is_computed_whole() -> None:
    plan = Head(WEIGHT).plan([((0, 200), (210, 290))])
    assert plan.ranges == ((0, VOCAB),)
    mask = plan.mask(((0, 200), (210, 290)))
    assert mask is not None
    assert int(mask.sum()) == 280


def test_only_so_many_plans_are_kept() -> None:
    head = Head(WEIGHT)
    first: Plan = head.plan([((0, 1),)])
    for token in range(1, 40):
        head.plan([((token, token + 1),)])
    assert head.plan([((39, 40),)]) is head.plan([((39, 40),)])
    assert head.plan([((0, 1),)]) is not first


def request(*allowed: IdRanges, stop: frozenset[int] = frozenset()) -> TokenRequest:
    return TokenRequest("a", (1,), stop, Sampling(), allowed)


def test_stop_ids_are_always_allowed_and_ids_beyond_the_vocabulary_never() -> None:
    assert choices_of(request(IdRanges(((3, 5), (VOCAB - 1, VOCAB + 9))), stop=frozenset({7})), VOCAB) == (
        ((3, 5), (7, 8), (VOCAB - 1, VOCAB)),
    )
    assert choices_of(request(stop=frozenset({7})), VOCAB) == (((0, VOCAB),),)
    with pytest.raises(RequestError, match="hold none"):
        choices_of(request(IdRanges(((VOCAB, VOCAB + 1),))), VOCAB)


def test_ten_thousand_sampled_ids_keep_to_what_is_allowed(
    checkpoints: dict[str, Path],
    open_model: Callable[..., TorchModel],
    drive: Callable[..., dict[str, list[int]]],
    ask: Callable[..., TokenRequest],
) -> None:
    cycle = tuple(IdRanges(((100 * slot, 100 * slot + 50),)) for slot in range(7))
    scattered = IdRanges(tuple((token, token + 1) for token in range(5, 1000, 37)))
    model = open_model(checkpoints["qwen2"])
    requests = [
        ask(
            f"{kind} {seed}",
            [seed, 2, 3],
            allowed=allowed,
            stop=frozenset() if seed else frozenset({998, 999}),
            temperature=2.0,
            top_k=0,
            max_tokens=320,
            seed=seed,
        )
        for kind, allowed in {"flat": (IdRanges(((10, 20), (600, 640))),), "cycle": cycle, "dots": (scattered,)}.items()
        for seed in range(12)
    ]
    written = drive(model, requests, joins=3)
    assert sum(map(len, written.values())) >= 10_000
    for asked in requests:
        for at, token in enumerate(written[asked.id]):
            assert token in asked.allowed[at % len(asked.allowed)]
    assert any(len(ids) < 320 for ids in written.values()), "a stop id should have been drawn"
