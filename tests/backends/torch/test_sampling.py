"""Sampling has the distribution of transformers' processors, and nothing but the request decides a draw."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    LogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from flashtts_core.backends.torch.sampling import Sampler, choose, gumbel
from flashtts_core.types import Sampling, TokenRequest

CPU = torch.device("cpu")
VOCAB = 24
DRAWS = 20_000
PROMPT = (0, 3, 5, 7)
SCORES = torch.tensor([3 * math.sin(2.7 * token) for token in range(VOCAB)])


def sampler(sampling: Sampling, prompt: tuple[int, ...] = PROMPT) -> Sampler:
    return Sampler(TokenRequest("a", prompt, frozenset(), sampling), VOCAB, CPU)


def reference(sampling: Sampling, scores: torch.Tensor) -> torch.Tensor:
    """Return the probabilities that transformers' processors give, in the order in which generate applies them."""
    assert sampling.temperature is not None
    assert sampling.top_k is not None
    assert sampling.top_p is not None
    assert sampling.repetition_penalty is not None
    processors: list[LogitsProcessor] = [
        RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty),
        TemperatureLogitsWarper(sampling.temperature),
    ]
    if sampling.top_k:
        processors.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        processors.append(TopPLogitsWarper(sampling.top_p))
    scores = scores[None].clone()
    for processor in processors:
        scores = processor(torch.tensor([PROMPT]), scores)
    return scores[0].softmax(-1)


def assert_distributed(counts: Counter[int], expected: torch.Tensor) -> None:
    total = counts.total()
    for token, probability in enumerate(expected.tolist()):
        if probability == 0:
            assert counts[token] == 0, token
        else:
            deviation = math.sqrt(total * probability * (1 - probability))
            assert abs(counts[token] - total * probability) <= 4.5 * deviation + 1e-6, token


SETTINGS = [
    Sampling(1.0, 0, 1.0, 1.0),
    Sampling(0.5, 0, 1.0, 1.0),
    Sampling(2.0, 0, 1.0, 1.0),
    Sampling(1.0, 5, 1.0, 1.0),
    Sampling(1.0, 1, 1.0, 1.0),
    Sampling(1.0, 1000, 1.0, 1.0),
    Sampling(1.0, 0, 0.6, 1.0),
    Sampling(1.0, 0, 0.01, 1.0),
    Sampling(0.8, 0, 0.9, 1.7),
    Sampling(1.0, 0, 1.0, 0.5),
    Sampling(0.7, 9, 0.8, 1.3),
    Sampling(1.5, 6, 0.95, 2.0),
]


@pytest.mark.parametrize("sampling", SETTINGS, ids=str)
def test_draws_are_distributed_as_transformers_processors_say(sampling: Sampling) -> None:
    samplers = [sampler(Sampling(*_fields(sampling), 1, seed)) for seed in range(DRAWS)]
    drawn = choose(SCORES.repeat(DRAWS, 1), torch.arange(VOCAB), samplers)
    assert_distributed(Counter(drawn), reference(sampling, SCORES))


def test_the_draws_of_one_request_are_distributed_over_its_steps() -> None:
    sampling = Sampling(1.0, 0, 1.0, 1.0, 1, 11)
    one = sampler(sampling)
    drawn = [choose(SCORES[None].clone(), torch.arange(VOCAB), [one])[0] for _ in range(5000)]
    assert_distributed(Counter(drawn), reference(sampling, SCORES))
    likeliest = max(Counter(drawn), key=Counter(drawn).__getitem__)
    share = drawn.count(likeliest) / len(drawn)
    after = [second for first, second in pairwise(drawn) if first == likeliest]
    expected = share * len(after)
    assert abs(after.count(likeliest) - expected) < 4.5 * math.sqrt(expected), "a draw depends on the one before"


def test_requests_of_different_settings_sampled_together_draw_what_they_draw_alone() -> None:
    settings = [*SETTINGS, Sampling(0.0, 0, 1.0, 1.0), Sampling(0.0, 5, 0.5, 1.8)]
    scores = torch.randn(len(settings), VOCAB, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(VOCAB)
    alone = [
        choose(scores[row : row + 1].clone(), ids, [sampler(Sampling(*_fields(sampling), 1, 5))])[0]
        for row, sampling in enumerate(settings)
    ]
    together = choose(scores.clone(), ids, [sampler(Sampling(*_fields(sampling), 1, 5)) for sampling in settings])
    assert together == alone


def test_scores_that_differ_in_their_last_bits_give_the_same_draws() -> None:
    generator = torch.Generator().manual_seed(2)
    scores = 5 * torch.randn(2000, 1000, generator=generator)
    nearly = scores * (1 + 1e-7 * torch.randn(scores.shape, generator=generator))
    ids = torch.arange(1000)
    for top_k, top_p in ((0, 1.0), (50, 0.95)):
        sampling = [Sampling(0.9, top_k, top_p, 1.0, 1, seed) for seed in range(2000)]
        assert choose(scores.clone(), ids, [sampler(one) for one in sampling]) == choose(
            nearly.clone(), ids, [sampler(one) for one in sampling]
        )


def test_ids_that_tie_with_the_kth_stay() -> None:
    scores = torch.tensor([1.0, 2.0, 2.0, 2.0, 0.0])
    drawn = {
        choose(scores[None].clone(), torch.arange(5), [sampler(Sampling(1.0, 2, 1.0, 1.0, 1, seed))])[0]
        for seed in range(100)
    }
    assert drawn == {1, 2, 3}


def test_the_penalty_grows_with_what_was_written() -> None:
    one = sampler(Sampling(0.0, 0, 1.0, 2.0, 8, 0), prompt=(0,))
    scores = torch.tensor([4.0, 3.0, 2.5, -1.0])
    written = [choose(scores[None].clone(), torch.arange(4), [one])[0] for _ in range(4)]
    assert written == [1, 2, 0, 0]  # 4/2 < 3, then 3/2 < 2.5, then all are halved


def test_lines_that_share_a_seed_do_not_share_their_draws() -> None:
    sampling = Sampling(1.0, 0, 1.0, 1.0, 1, 7)
    flat = torch.zeros(400, 1000)
    drawn = choose(flat, torch.arange(1000), [sampler(sampling, prompt=(1, 2, number)) for number in range(400)])
    assert len(set(drawn)) > 250


@given(key=st.integers(-(2**63), 2**63 - 1), ids=st.lists(st.integers(0, 200_000), min_size=1, max_size=20))
def test_noise_is_finite_and_belongs_to_the_id_whatever_stands_beside_it(key: int, ids: list[int]) -> None:
    keys = torch.tensor([[key]])
    together = gumbel(keys, torch.tensor(ids))
    assert together.isfinite().all()
    alone = torch.cat([gumbel(keys, torch.tensor([token])) for token in ids], dim=1)
    assert torch.equal(together, alone)


def test_noise_has_the_gumbel_distribution() -> None:
    noise = gumbel(torch.tensor([[12345]]), torch.arange(200_000))[0]
    for quantile in (0.001, 0.1, 0.5, 0.9, 0.999):
        bound = -math.log(-math.log(quantile))
        share = float((noise <= bound).float().mean())
        assert abs(share - quantile) < 4.5 * math.sqrt(quantile * (1 - quantile) / 200_000)


def _fields(sampling: Sampling) -> tuple[float | None, int | None, float | None, float | None]:
    return sampling.temperature, sampling.top_k, sampling.top_p, sampling.repetition_penalty


def test_vanishing_temperatures_are_greedy() -> None:
    drawn = choose(SCORES[None].clone(), torch.arange(VOCAB), [sampler(Sampling(1e-300, 0, 0.9, 1.0, 1, 0))])
    assert drawn == [int(SCORES.argmax())]
