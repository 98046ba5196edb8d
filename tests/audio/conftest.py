"""Signals to test audio code with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

Signal = Callable[[int, int], "NDArray[np.float32]"]


@pytest.fixture
def vowel() -> Signal:
    """A harmonic tone of 130 Hz that swells and fades, like a vowel: (samples, sample rate) -> float32 [n]."""

    def make(samples: int, sample_rate: int) -> NDArray[np.float32]:
        time = np.arange(samples) / sample_rate
        tone = sum(0.3 / k * np.sin(2 * np.pi * 130 * k * time) for k in range(1, 9))
        return np.asarray(tone * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)), dtype=np.float32)

    return make


@pytest.fixture
def noise() -> Signal:
    """White noise over the whole band, the hardest signal for a filter."""

    def make(samples: int, seed: int) -> NDArray[np.float32]:
        return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)

    return make
