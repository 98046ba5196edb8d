"""Turns a recording into what the aligner hears, and checks that a latent belongs to it.

The first channel counts, and soxr's "VHQ" resamples in double precision, as in the reference. Silence is put behind:
the official latents have it, too.
"""

from __future__ import annotations

import math

import numpy as np
import soxr
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.decode import DecodeBudget, decode
from flashtts_core.audio.loudness import loudness
from flashtts_core.engines.mega.alignment import GROUP, Aligned, cut
from flashtts_core.engines.mega.codec.wavvae import SAMPLE_RATE
from flashtts_core.engines.mega.latent import FIELD
from flashtts_core.engines.mega.model.diffusion import FRAMES_PER_LATENT
from flashtts_core.engines.mega.model.mel import SAMPLE_RATE as ALIGNER_RATE
from flashtts_core.errors import RequestError

MIN_SECONDS = 1.0
_SILENT_PEAK = 1e-3  # -60 dBFS
_TAIL = 12_000  # samples of silence
_LATENTS_PER_SECOND = 25
_TOLERATED = 25
"""Latents it may be off by: encoders differ in what they add behind a recording."""


class Recording(Struct, frozen=True, eq=False):
    """A recording, ready: ``padded`` [N] at 24 kHz, ``listened`` [M] at 16 kHz, its loudness in LUFS."""

    padded: NDArray[np.float32]
    listened: NDArray[np.float32]
    loudness: float


def read_recording(audio: bytes, *, win_size: int, max_seconds: float) -> Recording:
    """Decode a recording; blocks, so run it off the event loop.

    Raises ``BadAudio`` (not audio), ``TooLarge`` (bytes) and ``RequestError`` (silent, too short, too long).
    """
    decoded = decode(audio, budget=DecodeBudget(max_seconds=max_seconds), channel="first")
    if decoded.seconds < MIN_SECONDS:
        raise RequestError(
            f"The reference audio is {decoded.seconds:.2f} seconds long; a voice needs at least {MIN_SECONDS:g} second "
            f"of speech, better 5 to 15. Send a longer recording with its latent.",
            param="reference_audio",
        )
    if np.ptp(decoded.samples) / 2 < _SILENT_PEAK:
        raise RequestError(
            "The reference audio is silent in its first channel. Send a recording of a voice.", param="reference_audio"
        )
    samples = decoded.samples.astype(np.float64)
    if decoded.source_rate != SAMPLE_RATE:
        samples = soxr.resample(samples, decoded.source_rate, SAMPLE_RATE, quality="VHQ")
    padded = np.pad(samples, (0, (win_size - 1 - len(samples)) % win_size + _TAIL)).astype(np.float32)
    listened = soxr.resample(padded, SAMPLE_RATE, ALIGNER_RATE, quality="HQ")
    length = math.ceil(len(padded) * ALIGNER_RATE / SAMPLE_RATE)
    listened = np.pad(listened, (0, max(0, length - len(listened))))[:length]
    return Recording(padded, listened, loudness(padded, SAMPLE_RATE))


def fit_latent(aligned: Aligned, latent: NDArray[np.float32]) -> tuple[Aligned, NDArray[np.float32]]:
    """Bring the alignment of a recording and its latent [L, C] to one length.

    The longer is cut at its end (the reference cuts the latent only, and where that is shorter, every line speaks the
    rest of the reference first). Raises ``RequestError`` if they cannot belong together.
    """
    most = sum(aligned.frames) // FRAMES_PER_LATENT
    if abs(len(latent) - most) > _TOLERATED:
        raise RequestError(
            f"The latent lasts {len(latent) / _LATENTS_PER_SECOND:.1f} seconds and the recording, with the half second "
            f"of silence that is put behind it, {most / _LATENTS_PER_SECOND:.1f}. Send the latent of this recording.",
            param=FIELD,
        )
    frames = min(len(latent), most) * FRAMES_PER_LATENT // GROUP * GROUP
    return Aligned(aligned.spoken, tuple(cut(aligned.frames, frames))), latent[: frames // FRAMES_PER_LATENT]
