from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flashtts_core.audio.resample import HIGHEST_RATE, LOWEST_RATE, Resampler, resample
from flashtts_core.errors import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATES = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
PAIRS = [(24_000, 16_000), (44_100, 16_000), (16_000, 24_000), (22_050, 24_000), (24_000, 48_000), (44_099, 24_000)]

Signal = Callable[[int, int], "NDArray[np.float32]"]


def sine(frequency: float, sample_rate: int, samples: int) -> NDArray[np.float32]:
    return (0.8 * np.sin(2 * np.pi * frequency * np.arange(samples) / sample_rate + 0.3)).astype(np.float32)


def level_and_noise(samples: NDArray[np.float32], frequency: float, sample_rate: int) -> tuple[float, float]:
    """Level of a sine against 0.8 (dB), and of everything that is not that sine against it (dB); the ends left out."""
    middle = slice(samples.size // 4, -samples.size // 4)
    phase = 2 * np.pi * frequency * np.arange(samples.size)[middle] / sample_rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    heard = samples[middle].astype(np.float64)
    weights = np.linalg.lstsq(basis, heard, rcond=None)[0]
    amplitude = float(np.hypot(*weights))
    rest = float(np.std(heard - basis @ weights))
    return 20 * np.log10(amplitude / 0.8), 20 * np.log10(rest * np.sqrt(2) / amplitude)


@settings(max_examples=60, deadline=None)
@given(
    pair=st.tuples(st.sampled_from(RATES), st.sampled_from(RATES)),
    samples=st.integers(0, 4_000),
    cuts=st.lists(st.integers(0, 4_000), max_size=12),
)
def test_pieces_give_the_same_bits_as_the_whole_and_the_length_is_exact(
    pair: tuple[int, int], samples: int, cuts: list[int]
) -> None:
    signal = np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    resampler = Resampler(*pair)
    pieces = [resampler.process(piece) for piece in np.split(signal, sorted(min(cut, samples) for cut in cuts))]
    streamed = np.concatenate([*pieces, resampler.finish()])
    whole = resample(signal, *pair)
    assert np.array_equal(streamed, whole)
    assert whole.size == int(samples * pair[1] / pair[0] + 0.5)


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_sine_passes_unchanged(from_rate: int, to_rate: int, share: float) -> None:
    frequency = share * min(from_rate, to_rate) / 2
    level, noise = level_and_noise(
        resample(sine(frequency, from_rate, from_rate), from_rate, to_rate), frequency, to_rate
    )
    assert abs(level) < 0.01
    assert noise < -110


@pytest.mark.parametrize(("from_rate", "to_rate"), [(24_000, 16_000), (44_100, 16_000), (48_000, 24_000)])
@pytest.mark.parametrize("share", [1.0, 1.05, 1.3])
def test_what_the_lower_rate_cannot_hold_is_gone(from_rate: int, to_rate: int, share: float) -> None:
    out = resample(sine(share * to_rate / 2, from_rate, from_rate), from_rate, to_rate)
    assert 20 * np.log10(np.abs(out[2_000:-2_000]).max()) < -110


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_a_click_stays_where_it_was(from_rate: int, to_rate: int) -> None:
    signal = np.zeros(from_rate, np.float32)
    signal[from_rate // 2] = 1
    out = resample(signal, from_rate, to_rate).astype(np.float64)
    centre = float(np.sum(np.arange(out.size) * out**2) / np.sum(out**2))
    assert abs(centre / to_rate - (from_rate // 2) / from_rate) < 0.02 / to_rate


@pytest.mark.parametrize(
    ("share", "decibels"), [(0.91, 0.0), (0.93, -0.04), (0.94, -0.56), (0.95, -3.0), (0.96, -9.43), (0.97, -21.9)]
)
@pytest.mark.parametrize(("from_rate", "to_rate"), [(24_000, 16_000), (16_000, 24_000), (8_000, 16_000)])
def test_the_corner_is_that_of_soxr_vhq(share: float, decibels: float, from_rate: int, to_rate: int) -> None:
    # The levels were measured with soxr 1.1.0, quality "VHQ": Spark-TTS resamples its references with it.
    frequency = share * min(from_rate, to_rate) / 2
    level, _ = level_and_noise(resample(sine(frequency, from_rate, from_rate), from_rate, to_rate), frequency, to_rate)
    assert level == pytest.approx(decibels, rel=0.02, abs=0.03)


def test_nothing_is_heard_before_the_signal_but_the_filter_itself() -> None:
    # Mirrored ends, libswresample's own way, would show up at the very first samples.
    signal = np.zeros(16_000, np.float32)
    signal[100] = 1
    out = resample(signal, 16_000, 24_000)
    assert np.allclose(out[150:200], out[150:100:-1], atol=1e-6)


def test_equal_rates_are_the_identity(noise: Signal) -> None:
    signal = noise(1_001, 1)
    assert np.array_equal(resample(signal, 24_000, 24_000), signal)


def test_no_more_than_half_the_filter_is_held_back(noise: Signal) -> None:
    resampler = Resampler(24_000, 48_000)
    assert resampler.process(noise(240, 1)).size >= 2 * (240 - 120)


@pytest.mark.parametrize("rate", [LOWEST_RATE - 1, HIGHEST_RATE + 1, 0, -1])
def test_a_rate_that_makes_no_sense_is_refused_in_a_sentence(rate: int) -> None:
    with pytest.raises(RequestError, match="4000 to 192000 Hz"):
        Resampler(24_000, rate)
