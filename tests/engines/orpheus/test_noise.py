"""The noise of the codec: standard normal, and a function of seed, block and position alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.engines.orpheus.codec.noise import noise

COUNT = 1 << 17
FAR = 5.0  # standard errors
SEEDS = [0, 1, 2**63 - 1]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("block", [0, 3])
def test_it_is_distributed_normally(seed: int, block: int) -> None:
    drawn = np.sort(noise([seed], block, [0], COUNT)[0, 0].astype(np.float64))
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(drawn**power) - moment) < FAR * np.sqrt(variance / COUNT)
    expected = np.array([math.erf(value / math.sqrt(2)) for value in drawn]) / 2 + 0.5
    distance = np.abs(expected - (np.arange(COUNT) + 0.5) / COUNT).max()
    assert distance < 1.95 / np.sqrt(COUNT), "Kolmogorov and Smirnov: chance exceeds this once in a thousand"


def test_neighbours_blocks_and_seeds_are_not_correlated() -> None:
    one = noise([0], 0, [0], COUNT)[0, 0]
    others = [one[np.arange(COUNT) - lag] for lag in (1, 2, 3, 8, 2048)]
    others += [noise([seed], block, [0], COUNT)[0, 0] for seed, block in ((0, 1), (0, 3), (1, 0), (2**63 - 1, 0))]
    for other in others:
        assert abs(np.mean(one * other)) < FAR / np.sqrt(COUNT)


@given(start=st.integers(0, 10**7), length=st.integers(1, 50), block=st.integers(0, 3), seed=st.integers(0, 2**63 - 1))
def test_it_is_the_same_wherever_a_stretch_begins(start: int, length: int, block: int, seed: int) -> None:
    longer = noise([seed, 5], block, [start, 0], length + 7)
    np.testing.assert_array_equal(noise([seed], block, [start + 7], length)[0], longer[0, :, 7:])
    assert longer.shape == (2, 1, length + 7)
    assert longer.dtype == np.float32


def test_it_does_not_change_between_versions() -> None:
    drawn = noise([7], 2, [40], 3)[0, 0]
    np.testing.assert_allclose(drawn, [-0.4777153, 1.0573629, -1.5204357], atol=1e-6)
