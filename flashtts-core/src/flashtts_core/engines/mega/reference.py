"""Turns a recording into what the aligner hears, and checks that a latent belongs to it.

Silence is put behind it: the official latents have it, too.
"""

from __future__ import annotations

import math

import numpy as np
import soxr
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.loudness import loudness
from flashtts_core.engines.mega.alignment import GROUP, Aligned, cut
from flashtts_core.engines.mega.codec.wavvae import SAMPLE_RATE
from flashtts_core.engines.mega.latent import FIELD
from flashtts_core.engines.mega.model.diffusion import FRAMES_PER_LATENT
from flashtts_core.engines.mega.model.mel import SAMPLE_RATE as ALIGNER_RATE
from flashtts_core.engines.recording import read_recording
from flashtts_core.errors import RequestError

_TAIL = 12_000  # samples of silence
_LATENTS_PER_SECOND = 25
_TOLERATED = 25
"""Latents it may be off by: encoders differ in what they add behind a recording."""


class Recording(Struct, frozen=True, eq=False):
    """A recording, ready: ``padded`` [N] at 24 kHz, ``listened`` [M] at 16 kHz, its loudness in LUFS."""

    padded: NDArray[np.float32]
    listened: NDArray[np.float32]
    loudness: float


def prepare(audio: bytes, *, win_size: int, max_seconds: float) -> Recording:
    """Decode a recording; blocks, so run it off the event loop.

    Raises ``BadAudio`` (not audio), ``TooLarge`` (bytes) and ``RequestError`` (silent, too short, too long).
    """
    samples = read_recording(audio, SAMPLE_RATE, max_seconds=max_seconds)
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
