"""Makes the sound of a word: harmonics shaped by three formants, and bands of noise (pure, numpy only)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_engine_esperanto.reading import VOWELS, Word

SAMPLE_RATE = 16_000
FRAME = 80
"""Samples between two settings of the formants: 5 ms."""

_BANDWIDTHS = np.array([90.0, 110.0, 170.0])  # Hz, of the three formants
_HIGHEST_HARMONIC = 5_000.0  # Hz
_EDGE = 0.004  # seconds in which noise and words fade in and out
_LOUDNESS = 0.09


class Segment(Struct, frozen=True):
    """A stretch of a sound: formants in Hz, loudness of voice and noise, centre of the noise in Hz, seconds."""

    formants: tuple[float, float, float]
    voice: float
    noise: float = 0.0
    center: float = 0.0
    seconds: float = 0.07


_LIPS, _TEETH, _PALATE, _VELUM = (300, 900, 2300), (320, 1700, 2600), (300, 2100, 2700), (300, 1300, 2100)

SOUNDS: dict[str, tuple[Segment, ...]] = {
    "a": (Segment((750, 1250, 2550), 1.0, seconds=0.1),),
    "e": (Segment((500, 1800, 2550), 1.0, seconds=0.1),),
    "i": (Segment((290, 2250, 2950), 1.0, seconds=0.09),),
    "o": (Segment((480, 900, 2500), 1.0, seconds=0.1),),
    "u": (Segment((320, 750, 2350), 1.0, seconds=0.09),),
    "j": (Segment((280, 2200, 2900), 0.7),),
    "ŭ": (Segment((320, 700, 2300), 0.7),),
    "l": (Segment((360, 1250, 2600), 0.6),),
    "r": (Segment((420, 1350, 1800), 0.3, seconds=0.03), Segment((450, 1350, 1900), 0.7, seconds=0.03)),
    "m": (Segment((270, 1000, 2200), 0.4),),
    "n": (Segment((270, 1600, 2500), 0.4),),
    "b": (Segment(_LIPS, 0.1, seconds=0.05), Segment(_LIPS, 0.4, 0.1, 1000, 0.015)),
    "d": (Segment(_TEETH, 0.1, seconds=0.05), Segment(_TEETH, 0.4, 0.1, 4000, 0.015)),
    "g": (Segment(_VELUM, 0.1, seconds=0.05), Segment(_VELUM, 0.4, 0.1, 1800, 0.02)),
    "p": (Segment(_LIPS, 0.0, seconds=0.06), Segment(_LIPS, 0.0, 0.3, 1000, 0.02)),
    "t": (Segment(_TEETH, 0.0, seconds=0.06), Segment(_TEETH, 0.0, 0.4, 4500, 0.025)),
    "k": (Segment(_VELUM, 0.0, seconds=0.06), Segment(_VELUM, 0.0, 0.4, 1900, 0.03)),
    "c": (Segment(_TEETH, 0.0, seconds=0.05), Segment(_TEETH, 0.0, 0.5, 6000, 0.09)),
    "ĉ": (Segment(_PALATE, 0.0, seconds=0.05), Segment(_PALATE, 0.0, 0.5, 3000, 0.09)),
    "ĝ": (Segment(_PALATE, 0.1, seconds=0.05), Segment(_PALATE, 0.3, 0.3, 2800, 0.07)),
    "f": (Segment(_LIPS, 0.0, 0.25, 5000, 0.1),),
    "s": (Segment(_TEETH, 0.0, 0.5, 6000, 0.1),),
    "ŝ": (Segment(_PALATE, 0.0, 0.5, 3000, 0.1),),
    "h": (Segment((500, 1500, 2500), 0.0, 0.2, 1500, 0.07),),
    "ĥ": (Segment(_VELUM, 0.0, 0.35, 1500, 0.09),),
    "v": (Segment(_LIPS, 0.35, 0.1, 4500, 0.06),),
    "z": (Segment(_TEETH, 0.3, 0.3, 6000, 0.08),),
    "ĵ": (Segment(_PALATE, 0.3, 0.3, 2800, 0.08),),
}


class Timbre(Struct, frozen=True, forbid_unknown_fields=True):
    """A voice: its middle pitch in Hz, and the length of its formants' tube relative to the table's (a man's)."""

    pitch: float
    tube: float = 1.0


class Score(Struct, frozen=True):
    """A word with one pitch a syllable, in semitones from the voice's middle; ``seed`` is that of the noise."""

    word: Word
    semitones: tuple[int, ...]
    timbre: Timbre
    speed: float
    seed: tuple[int, ...]


def perform(score: Score) -> NDArray[np.float32]:
    """Return the samples [N] of a word and the pause after it, within [-1, 1]."""
    segments, pitches = _laid_out(score)
    ends = np.cumsum([round(segment.seconds / score.speed * SAMPLE_RATE) for segment in segments])
    sound = _voiced(segments, pitches, ends, score.timbre) + _noise(segments, ends, np.random.default_rng(score.seed))
    pause = round((0.3 if score.word.pause else 0.02) / score.speed * SAMPLE_RATE)
    return np.concatenate([np.tanh(sound), np.zeros(pause)]).astype(np.float32)


def _laid_out(score: Score) -> tuple[list[Segment], list[float]]:
    """Return the segments of a word and the pitch of each in Hz; the stressed vowel is longer and higher."""
    segments: list[Segment] = []
    pitches: list[float] = []
    stressed = max(0, len(score.word.syllables) - 2)
    for number, (syllable, semitone) in enumerate(zip(score.word.syllables, score.semitones, strict=True)):
        for sound in syllable:
            stress = number == stressed and sound in VOWELS
            for part in SOUNDS[sound]:
                seconds = part.seconds * (1.4 if stress else 1.0)
                segments.append(Segment(part.formants, part.voice, part.noise, part.center, seconds))
                pitches.append(score.timbre.pitch * 2 ** ((semitone + stress) / 12))
    return segments, pitches


def _voiced(
    segments: list[Segment], pitches: list[float], ends: NDArray[np.int64], timbre: Timbre
) -> NDArray[np.float64]:
    """Return the sum of the harmonics; pitch and formants glide from the middle of a segment to that of the next."""
    count = int(ends[-1])
    middles = (np.concatenate([[0], ends[:-1]]) + ends) / 2
    frames = np.arange(0, count + FRAME, FRAME)
    samples = np.arange(count)
    formants = [
        np.interp(frames, middles, [segment.formants[number] / timbre.tube for segment in segments])
        for number in range(3)
    ]
    loudness = np.interp(frames, middles, [segment.voice for segment in segments])
    loudness *= np.clip(np.minimum(frames, count - frames) / (_EDGE * SAMPLE_RATE), 0, 1)
    pitch = np.interp(frames, middles, pitches)
    phase = 2 * np.pi / SAMPLE_RATE * np.cumsum(np.interp(samples, frames, pitch))
    sound = np.zeros(count)
    for harmonic in range(1, int(_HIGHEST_HARMONIC / pitch.max()) + 1):
        gain = loudness * _response(harmonic * pitch, formants) / harmonic  # the glottis falls by 6 dB an octave
        sound += np.interp(samples, frames, gain) * np.sin(harmonic * phase)
    return _LOUDNESS * sound


def _response(frequency: NDArray[np.float64], formants: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the gain [frames] of the three resonances in a row at ``frequency`` [frames]."""
    gain = np.ones_like(frequency)
    for formant, width in zip(formants, _BANDWIDTHS, strict=True):
        gain *= formant**2 / np.hypot(formant**2 - frequency**2, width * frequency)
    return gain


def _noise(segments: list[Segment], ends: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the noise of all segments: white noise through a band around each one's centre."""
    sound = np.zeros(int(ends[-1]))
    for segment, (start, end) in zip(segments, pairwise([0, *ends.tolist()]), strict=True):
        if segment.noise:
            count = end - start
            offset = (np.fft.rfftfreq(count, 1 / SAMPLE_RATE) - segment.center) / (0.25 * segment.center)
            band = np.fft.irfft(np.fft.rfft(random.standard_normal(count)) * np.exp(-(offset**2)), count)
            from_edge = np.minimum(np.arange(count), np.arange(count)[::-1])
            fade = np.clip(from_edge / (_EDGE * SAMPLE_RATE), 0, 1)
            sound[start:end] = segment.noise * _LOUDNESS * fade * band / max(band.std(), 1e-9)
    return sound
