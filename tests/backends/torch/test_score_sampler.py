"""The sampler in numpy, which other backends use, draws what the torch backend draws, and what transformers says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from flashtts_core.backends.choices import choices_of
from flashtts_core.backends.sampling import ScoreSampler, gumbel, largest, nucleus
from flashtts_core.backends.torch.head import Head, restrict
from flashtts_core.backends.torch.sampling import Sampler, choose
from flashtts_core.backends.torch.sampling import gumbel as torch_gumbel
from flashtts_core.errors import EngineError, RequestError
from flashtts_core.types import IdRanges, Sampling, TokenRequest

VOCAB = 300
PROMPT = (5, 6, 7, 250)
FLAT = (IdRanges(((10, 90), (200, 260))),)
CYCLE = (IdRanges(((0, 40),)), IdRanges(((250, 300),)), IdRanges(((3, 9), (70, 80))))


def rows(count: int) -> torch.Tensor:
    return 3 * torch.randn(count, VOCAB, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "penalty", "allowed"),
    list(itertools.product((0.0, 0.7, 1.5), (0, 1, 9, 1000), (1.0, 0.8), (1.0, 1.4, 0.7), ((), FLAT, CYCLE))),
)
def test_it_chooses_what_the_torch_backend_chooses(
    temperature: float, top_k: int, top_p: float, penalty: float, allowed: tuple[IdRanges, ...]
) -> None:
    sampling = Sampling(temperature, top_k, top_p, penalty, 12, 3)
    request = TokenRequest("a", PROMPT, frozenset({299}), sampling, allowed)
    mine, theirs = ScoreSampler(request, VOCAB), Sampler(request, VOCAB, torch.device("cpu"))
    head = Head(torch.eye(VOCAB))
    choices = choices_of(request, VOCAB)
    for step, row in enumerate(rows(12)):
        choice = choices[step % len(choices)]
        plan = head.plan([choice])
        scores = restrict(head.scores(row[None], plan), plan, [choice])
        (expected,) = choose(scores, plan.ids, [theirs])
        assert mine.choose(row.numpy()) == expected


def test_the_noise_is_that_of_the_torch_backend() -> None:
    ids = np.arange(100_000)
    for key in (0, -1, 2**63 - 1, -(2**63), 123_456_789):
        expected = torch_gumbel(torch.tensor([[key]]), torch.from_numpy(ids))[0].numpy()
        np.testing.assert_allclose(gumbel(key, ids), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 7, 50, 4999, 5000, 9000])
@pytest.mark.parametrize("size", [1, 2, 300, 5000])
def test_the_largest_are_those_of_a_sorted_row_and_what_ties_with_the_last(size: int, count: int) -> None:
    draw = np.random.default_rng(4)
    for row in (draw.standard_normal(size), draw.integers(0, 40, size), np.arange(size), np.zeros(size)):
        least = np.sort(row)[max(0, size - count)]
        np.testing.assert_array_equal(largest(row.astype(np.float32), count), np.flatnonzero(row >= least))


@pytest.mark.parametrize("mass", [0.01, 0.5, 0.9, 0.999, 1 - 1e-9])
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_the_nucleus_is_that_of_a_sorted_row(scale: float, mass: float) -> None:
    row = (scale * np.random.default_rng(5).standard_normal(20_000)).astype(np.float32)
    order = np.argsort(-row, kind="stable")
    share = np.exp(row[order].astype(np.float64) - row.max())
    kept = int(np.searchsorted(np.cumsum(share), mass * share.sum())) + 1
    found = nucleus(row, mass)
    assert abs(len(found) - kept) <= 1  # the sums round
    np.testing.assert_array_equal(found, order[: len(found)])


def test_scores_stay_as_they_are_and_those_that_are_not_numbers_are_refused() -> None:
    sampler = ScoreSampler(TokenRequest("a", PROMPT, frozenset(), Sampling(0.9, 5, 0.9, 1.5, 4, 0)), VOCAB)
    scores = rows(1)[0].numpy()
    before = scores.copy()
    sampler.choose(scores)
    np.testing.assert_array_equal(scores, before)
    scores[3] = np.nan
    with pytest.raises(EngineError, match="not numbers"):
        sampler.choose(scores)


def test_a_request_that_leaves_nothing_to_write_is_refused() -> None:
    request = TokenRequest("a", PROMPT, frozenset(), Sampling(0.9), (IdRanges(((VOCAB, VOCAB + 5),)),))
    with pytest.raises(RequestError, match="vocabulary"):
        ScoreSampler(request, VOCAB)
