"""Integrated loudness: the calibration of BS.1770, gating, levelling, and what has no loudness."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_core.audio.loudness import loudness, matched


def sine(frequency: float, seconds: float, rate: int, level: float = 1.0) -> NDArray[np.float32]:
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_full_scale_sine_of_997_hz_has_the_loudness_of_the_standard(rate: int) -> None:
    assert loudness(sine(997, 2, rate), rate) == pytest.approx(-3.01, abs=0.1)


def test_twice_the_level_is_six_decibels() -> None:
    quiet = sine(500, 2, 24_000, 0.1)
    assert loudness(2 * quiet, 24_000) - loudness(quiet, 24_000) == pytest.approx(20 * math.log10(2), abs=1e-4)


def test_pauses_do_not_count() -> None:
    spoken = sine(500, 4, 24_000, 0.2)
    paused = np.concatenate([spoken, np.zeros(24_000 * 4, np.float32)])
    assert loudness(paused, 24_000) == pytest.approx(loudness(spoken, 24_000), abs=0.3)
    hiss = np.concatenate([spoken, sine(500, 4, 24_000, 0.002)])
    assert loudness(hiss, 24_000) == pytest.approx(loudness(spoken, 24_000), abs=0.3)


def test_the_ear_hears_less_of_deep_sounds_and_more_of_high_ones() -> None:
    deep, middle, high = (loudness(sine(frequency, 1, 24_000, 0.1), 24_000) for frequency in (30, 1000, 8000))
    assert deep < middle - 5
    assert middle + 2 < high < middle + 4.1


def test_silence_has_none_and_short_sounds_cannot_be_measured() -> None:
    assert loudness(np.zeros(24_000, np.float32), 24_000) == -math.inf
    with pytest.raises(ValueError, match="0\\.4 s"):
        loudness(np.zeros(9_000, np.float32), 24_000)


def test_a_signal_is_brought_to_a_loudness_without_reaching_full_scale() -> None:
    speech = sine(300, 1, 24_000, 0.05)
    assert loudness(matched(speech, 24_000, -20.0), 24_000) == pytest.approx(-20, abs=1e-3)
    loud = matched(speech, 24_000, 10.0)
    assert np.abs(loud).max() == pytest.approx(0.95, abs=1e-5)
    assert loud.dtype == np.float32


@pytest.mark.parametrize("samples", [np.zeros(24_000, np.float32), np.full(4_000, 0.1, np.float32)])
def test_what_has_no_loudness_stays_as_it_is(samples: NDArray[np.float32]) -> None:
    np.testing.assert_array_equal(matched(samples, 24_000, -20.0), samples)
    np.testing.assert_array_equal(matched(sine(300, 1, 24_000), 24_000, -math.inf), sine(300, 1, 24_000))
