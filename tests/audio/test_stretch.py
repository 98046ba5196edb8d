from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flashtts_core.audio.stretch import TimeStretch, stretch
from flashtts_core.errors import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTORS = [0.25, 0.4, 0.5, 0.8, 1.1, 1.5, 2.0, 3.0, 4.0]

Signal = Callable[[int, int], "NDArray[np.float32]"]


@settings(max_examples=60, deadline=None)
@given(
    factor=st.one_of(st.sampled_from(FACTORS), st.floats(0.25, 4)),
    sample_rate=st.sampled_from([16_000, 24_000, 44_100]),
    samples=st.integers(0, 9_000),
    cuts=st.lists(st.integers(0, 9_000), max_size=12),
)
def test_pieces_give_the_same_bits_as_the_whole_and_the_length_is_exact(
    factor: float, sample_rate: int, samples: int, cuts: list[int]
) -> None:
    signal = np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    stretcher = TimeStretch(sample_rate, factor)
    pieces = [stretcher.process(piece) for piece in np.split(signal, sorted(min(cut, samples) for cut in cuts))]
    streamed = np.concatenate([*pieces, stretcher.finish()])
    whole = stretch(signal, sample_rate, factor)
    assert np.array_equal(streamed, whole)
    assert whole.size == round(samples / factor)


@pytest.mark.parametrize("sample_rate", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("factor", FACTORS)
def test_the_pitch_and_the_level_stay(factor: float, sample_rate: int, vowel: Signal) -> None:
    signal = vowel(3 * sample_rate, sample_rate)
    out = stretch(signal, sample_rate, factor)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(out.size), 1 << 19))
    assert np.argmax(spectrum) * sample_rate / (1 << 19) == pytest.approx(130, rel=0.01)
    assert np.std(out) == pytest.approx(np.std(signal), rel=0.05)


@pytest.mark.parametrize("sample_rate", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("factor", FACTORS)
def test_the_last_sound_is_not_lost(factor: float, sample_rate: int) -> None:
    signal = np.zeros(sample_rate, np.float32)
    burst = sample_rate * 60 // 1000
    signal[-burst:] = 0.8 * np.sin(2 * np.pi * 500 * np.arange(burst) / sample_rate)
    out = stretch(signal, sample_rate, factor)
    loud = np.nonzero(np.abs(out) > 0.4)[0]
    assert loud.size > 0.3 * burst / factor * 0.6  # |0.8 sin| is over 0.4 for two thirds of the time
    assert (out.size - loud[-1]) / sample_rate < 0.04


def test_factor_one_is_the_identity(noise: Signal) -> None:
    signal = noise(5_001, 1)
    assert np.array_equal(stretch(signal, 24_000, 1), signal)


@pytest.mark.parametrize(
    ("factor", "milliseconds"), [(0.25, 80), (0.5, 50), (0.9, 60), (1.1, 60), (1.5, 70), (2.0, 80), (4.0, 220)]
)
@pytest.mark.parametrize("sample_rate", [16_000, 24_000, 44_100])
def test_the_first_output_comes_early(factor: float, milliseconds: int, sample_rate: int, vowel: Signal) -> None:
    stretcher = TimeStretch(sample_rate, factor)
    assert stretcher.process(vowel(sample_rate * milliseconds // 1000, sample_rate)).size


@pytest.mark.parametrize("factor", [0, 0.2, 4.1, -1, float("nan")])
def test_an_impossible_factor_is_refused_in_a_sentence(factor: float) -> None:
    with pytest.raises(RequestError, match=r"from 0.25 to 4"):
        TimeStretch(24_000, factor)
