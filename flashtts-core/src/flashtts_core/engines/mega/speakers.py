"""The voices of MegaTTS 3: what is kept of a recording, and what the networks make of it on their device.

A voice keeps phones, tones and frames of its recording, the latent and the loudness: some 30 kB, in memory or on disk.
What is made of it (keys and values of the duration network) is kept for the speakers used last.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor

from flashtts_core.engines.mega.alignment import Aligned
from flashtts_core.engines.mega.model.diffusion import FRAMES_PER_LATENT
from flashtts_core.engines.mega.model.duration import DurationNetwork, Primed
from flashtts_core.engines.mega.phones import Phones
from flashtts_core.errors import RequestError
from flashtts_core.types import Voice

SPEAKERS_KEPT = 32
"""Speakers on the device; with the official sizes a reference of 10 s takes some 2 MB."""

Codes = dict[str, NDArray[np.generic]]


class Speaker(Struct, frozen=True, eq=False):
    """A voice on the device: ``latent`` [P, C], its phones with their frames, the duration network that read them."""

    aligned: Aligned
    latent: Tensor
    primed: Primed
    loudness: float


class Speakers:
    """Makes and keeps speakers; used by one thread. ``width`` is that of a latent."""

    def __init__(self, network: DurationNetwork, width: int, device: torch.device) -> None:
        self._network = network
        self._width = width
        self._device = device
        self._kept: OrderedDict[bytes, Speaker] = OrderedDict()

    def get(self, voice: Voice) -> Speaker:
        """Return the speaker of a voice; raises ``RequestError`` if another kind of model made the voice."""
        key = blake2b(b"".join(voice.codes[name].tobytes() for name in sorted(voice.codes))).digest()
        if key not in self._kept:
            self._kept[key] = self._make(voice)
        self._kept.move_to_end(key)
        while len(self._kept) > SPEAKERS_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _make(self, voice: Voice) -> Speaker:
        aligned, latent, loudness = of_codes(voice)
        sizes = self._network.sizes
        if (
            latent.shape[1] != self._width
            or len(latent) * FRAMES_PER_LATENT != sum(aligned.frames)
            or max(aligned.spoken.phones) >= sizes.text.ids
            or max(aligned.spoken.tones) >= sizes.tones
        ):
            raise RequestError(
                f"The voice {voice.name!r} was made with another model. Add it again from its recording and latent.",
                param="voice",
            )
        phones, tones, frames = (
            torch.tensor([numbers], device=self._device)
            for numbers in (aligned.spoken.phones, aligned.spoken.tones, aligned.frames)
        )
        placed = torch.from_numpy(latent).to(self._device)
        return Speaker(aligned, placed, self._network.prime(phones, tones, frames), loudness)


def codes_of(aligned: Aligned, latent: NDArray[np.float32], loudness: float) -> Codes:
    """Return what is kept of a voice."""
    return {
        "phones": np.array(aligned.spoken.phones, np.int32),
        "tones": np.array(aligned.spoken.tones, np.int32),
        "frames": np.array(aligned.frames, np.int32),
        "latent": latent,
        "loudness": np.array([loudness], np.float64),
    }


def of_codes(voice: Voice) -> tuple[Aligned, NDArray[np.float32], float]:
    """Return what ``codes_of`` kept: the alignment, the latent [P, C] and the loudness in LUFS."""
    phones, tones, frames = (
        tuple(int(number) for number in voice.codes[name]) for name in ("phones", "tones", "frames")
    )
    latent = np.array(voice.codes["latent"], np.float32)
    return Aligned(Phones(phones, tones), frames), latent, float(voice.codes["loudness"][0])
