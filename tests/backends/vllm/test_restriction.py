"""The processor in vLLM's sampler follows requests as they come, go and change rows, and masks what may not follow."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, MoveDirectionality

from flashtts_backend_vllm.backend import sampling_params
from flashtts_backend_vllm.restriction import AllowedIds
from flashtts_core.errors import RequestError
from flashtts_core.types import IdRanges, Sampling, TokenRequest

VOCAB = 12
FLAT = (IdRanges(((2, 5),)),)
CYCLE = (IdRanges(((0, 2),)), IdRanges(((6, 7), (9, 11))))


def params(*allowed: IdRanges, stop: frozenset[int] = frozenset()) -> SamplingParams:
    return sampling_params(TokenRequest("a", (1,), stop, Sampling(max_tokens=5), allowed), VOCAB)


def open_ids(processor: AllowedIds, rows: int) -> list[list[int]]:
    """Return the ids that each row may still write."""
    logits = processor.apply(torch.zeros(rows, VOCAB))
    return [row.isfinite().nonzero().flatten().tolist() for row in logits]


def update(**changes: Any) -> BatchUpdate:
    return BatchUpdate(**{"batch_size": 3, "removed": [], "added": [], "moved": [], **changes})


@pytest.fixture
def processor() -> AllowedIds:
    return AllowedIds(None, torch.device("cpu"), False)


def test_each_row_is_held_to_its_own_set_and_step(processor: AllowedIds) -> None:
    written: list[int] = []
    free, flat, cycle = params(), params(*FLAT, stop=frozenset({11})), params(*CYCLE)
    processor.update_state(update(added=[(0, free, [1], []), (1, flat, [1], []), (2, cycle, [1], written)]))
    everything = list(range(VOCAB))
    assert open_ids(processor, 3) == [everything, [2, 3, 4, 11], [0, 1]]
    written.append(0)
    processor.update_state(None)
    assert open_ids(processor, 3) == [everything, [2, 3, 4, 11], [6, 9, 10]]
    written.append(-1)  # a token that is still being computed counts
    assert open_ids(processor, 3)[2] == [0, 1]


def test_rows_are_followed_when_they_move_and_forgotten_when_they_go(processor: AllowedIds) -> None:
    processor.update_state(update(added=[(0, params(*FLAT), [1], []), (1, params(*CYCLE), [1], [0])]))
    processor.update_state(update(moved=[(0, 1, MoveDirectionality.SWAP)]))
    assert open_ids(processor, 2) == [[6, 9, 10], [2, 3, 4]]
    processor.update_state(update(removed=[0], moved=[(1, 0, MoveDirectionality.UNIDIRECTIONAL)]))
    assert open_ids(processor, 1) == [[2, 3, 4]]
    processor.update_state(update(added=[(0, params(), [1], [])]))
    assert open_ids(processor, 1) == [list(range(VOCAB))]


def test_rows_that_agree_are_masked_together(processor: AllowedIds) -> None:
    processor.update_state(update(added=[(row, params(*FLAT), [1], []) for row in range(3)]))
    assert open_ids(processor, 3) == [[2, 3, 4]] * 3


def test_only_so_many_masks_are_kept(processor: AllowedIds) -> None:
    for first in range(VOCAB - 1):
        for end in range(first + 1, VOCAB):
            processor.update_state(update(added=[(0, params(IdRanges(((first, end),))), [1], [])]))
            assert open_ids(processor, 1) == [list(range(first, end))]
    assert len(processor._masks) == 64


def test_greedy_and_vanishing_temperatures_are_greedy_and_the_seed_follows_prompt_and_seed() -> None:
    def made(prompt: tuple[int, ...], **changes: Any) -> SamplingParams:
        sampling = Sampling(**{"temperature": 0.9, "max_tokens": 5, **changes})
        return sampling_params(TokenRequest("a", prompt, frozenset(), sampling), VOCAB)

    assert made((1,), temperature=0.0).temperature == made((1,), temperature=1e-9).temperature == 0.0
    seeds = {made(prompt, seed=seed).seed for prompt in ((1,), (2,)) for seed in (0, 7, 2**63 - 1)}
    assert len(seeds) == 6
    assert made((1,), seed=7).seed == made((1,), seed=7).seed


def test_a_set_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(RequestError, match="hold none"):
        params(IdRanges(((VOCAB, VOCAB + 3),)))
