"""Integrated loudness after ITU-R BS.1770-4, and bringing one signal to the loudness of another. Pure.

The two filters of its K weighting are made for any sample rate from their analog prototypes (a shelf at 1500 Hz, a
high-pass at 38 Hz, as in pyloudnorm, whose numbers this gives). They are applied to the spectrum: their answers die
away within a second, so with a second of silence behind the signal that is the filter itself, in one pass of numpy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLOCK_SECONDS = 0.4
"""Loudness is measured in blocks of this length; shorter signals have none."""
_STEP = 0.25  # of a block
_OFFSET = -0.691
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_PEAK_LIMIT = 0.95

Biquad = tuple[NDArray[np.float64], NDArray[np.float64]]


def loudness(samples: NDArray[np.floating], sample_rate: int) -> float:
    """Return the integrated loudness of mono samples [N] in LUFS; minus infinity for silence.

    Raises ``ValueError`` for less than one block.
    """
    if len(samples) < BLOCK_SECONDS * sample_rate:
        raise ValueError(f"loudness needs {BLOCK_SECONDS} s of sound, this is {len(samples) / sample_rate:.3f} s")
    power = _block_powers(_weighted(np.asarray(samples, np.float64), sample_rate), sample_rate)
    with np.errstate(divide="ignore"):
        levels = _OFFSET + 10 * np.log10(power)
    audible = levels >= _ABSOLUTE_GATE
    if not audible.any():
        return -math.inf
    gate = _OFFSET + 10 * math.log10(power[audible].mean()) + _RELATIVE_GATE
    return float(_OFFSET + 10 * math.log10(power[audible & (levels > gate)].mean()))


def matched(samples: NDArray[np.float32], sample_rate: int, target: float) -> NDArray[np.float32]:
    """Bring samples [N] to a loudness of ``target`` LUFS, lower where they would reach full scale.

    Silence, and sounds shorter than a block, stay as they are.
    """
    if len(samples) < BLOCK_SECONDS * sample_rate or math.isinf(target):
        return samples
    present = loudness(samples, sample_rate)
    if math.isinf(present):
        return samples
    louder = samples * np.float32(10 ** ((target - present) / 20))
    peak = float(np.abs(louder).max())
    return louder if peak < 1 else louder / np.float32(peak) * np.float32(_PEAK_LIMIT)


def _weighted(samples: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    size = len(samples) + sample_rate
    size = 2 ** math.ceil(math.log2(size))
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    spectrum = np.fft.rfft(samples, size)
    for numerator, denominator in (_shelf(sample_rate), _high_pass(sample_rate)):
        spectrum *= np.polyval(numerator[::-1], delay) / np.polyval(denominator[::-1], delay)
    return np.fft.irfft(spectrum, size)[: len(samples)]


def _block_powers(samples: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the mean squares of blocks, each a quarter of its length after the one before."""
    seconds = len(samples) / sample_rate
    count = round((seconds - BLOCK_SECONDS) / (BLOCK_SECONDS * _STEP)) + 1
    sums = np.concatenate([[0.0], np.cumsum(samples**2)])
    starts = np.array([int(BLOCK_SECONDS * (number * _STEP) * sample_rate) for number in range(count)])
    ends = np.array([int(BLOCK_SECONDS * (number * _STEP + 1) * sample_rate) for number in range(count)])
    ends = np.minimum(ends, len(samples))
    powers: NDArray[np.float64] = (sums[ends] - sums[starts]) / (BLOCK_SECONDS * sample_rate)
    return powers


def _shelf(sample_rate: int) -> Biquad:
    """Raise what is above 1500 Hz by 4 dB (the head); coefficients after R. Bristow-Johnson's cookbook."""
    gain = 10 ** (4.0 / 40)
    turn = 2 * math.pi * 1500.0 / sample_rate
    cosine, width = math.cos(turn), math.sin(turn) / (2 * math.sqrt(0.5))
    root = 2 * math.sqrt(gain) * width
    numerator = [
        gain * ((gain + 1) + (gain - 1) * cosine + root),
        -2 * gain * ((gain - 1) + (gain + 1) * cosine),
        gain * ((gain + 1) + (gain - 1) * cosine - root),
    ]
    denominator = [
        (gain + 1) - (gain - 1) * cosine + root,
        2 * ((gain - 1) - (gain + 1) * cosine),
        (gain + 1) - (gain - 1) * cosine - root,
    ]
    return np.array(numerator), np.array(denominator)


def _high_pass(sample_rate: int) -> Biquad:
    """Take away what is below 38 Hz; coefficients after the same cookbook."""
    turn = 2 * math.pi * 38.0 / sample_rate
    cosine, width = math.cos(turn), math.sin(turn) / (2 * 0.5)
    numerator = [(1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2]
    return np.array(numerator), np.array([1 + width, -2 * cosine, 1 - width])
