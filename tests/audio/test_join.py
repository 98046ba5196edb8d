from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.audio.join import Joiner, fade_gains, join

if TYPE_CHECKING:
    from numpy.typing import NDArray

Signal = Callable[[int, int], "NDArray[np.float32]"]


def ones(*lengths: int) -> list[NDArray[np.float32]]:
    return [np.ones(length, np.float32) for length in lengths]


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 40))
def test_pieces_overlap_by_as_much_as_both_have_and_nothing_else_is_lost(lengths: list[int], overlap: int) -> None:
    real = [length for length in lengths if length]
    shared = [min(overlap, a, b) for a, b in pairwise(real)]
    assert join(ones(*lengths), overlap).size == sum(real) - sum(shared)


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 15))
def test_a_steady_signal_stays_steady(lengths: list[int], overlap: int) -> None:
    assert np.allclose(join(ones(*lengths), overlap), 1, atol=1e-6)


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 40))
def test_streamed_is_the_same_as_whole_and_no_more_than_the_overlap_is_held(lengths: list[int], overlap: int) -> None:
    pieces = [np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32) for length in lengths]
    joiner = Joiner(overlap)
    given_out = []
    for count, piece in enumerate(pieces, start=1):
        given_out.append(joiner.process(piece))
        assert join(pieces[:count], overlap).size - sum(out.size for out in given_out) <= overlap
    assert np.array_equal(np.concatenate([*given_out, joiner.finish()]), join(pieces, overlap))


def test_without_overlap_pieces_are_put_end_to_end(noise: Signal) -> None:
    pieces = [noise(5, 1), noise(0, 2), noise(7, 3)]
    assert np.array_equal(join(pieces), np.concatenate(pieces))


def test_the_fade_is_that_of_mega(noise: Signal) -> None:
    one, two = noise(5_000, 1), noise(6_000, 2)
    window = np.hanning(2 * 3_840)
    middle = one[-3_840:] * window[3_840:] + two[:3_840] * window[:3_840]
    expected = np.concatenate([one[:-3_840], middle, two[3_840:]])
    assert np.allclose(join([one, two], 3_840), expected, atol=1e-7)


@pytest.mark.parametrize("length", [0, 1, 2, 15, 16, 17, 480, 3_840])
def test_gains_add_up_to_one(length: int) -> None:
    rise, fall = fade_gains(length)
    assert rise.size == fall.size == length
    assert np.allclose(rise + fall, 1, atol=np.pi / max(4 * length - 2, 1))


def test_a_negative_overlap_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        Joiner(-1)
