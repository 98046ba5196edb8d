"""Hears a recording: which sounds are in it, and from when to when."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from flashtts_core.engines.mega.alignment import GROUP, Aligned, read_alignment
from flashtts_core.engines.mega.model.loading import Networks
from flashtts_core.engines.mega.reference import Recording
from flashtts_core.errors import RequestError


@torch.inference_mode()
def align(networks: Networks, recordings: Sequence[Recording]) -> list[Aligned]:
    """Align recordings one by one; raises ``RequestError`` for one that is too long or holds no clear speech."""
    return [_align(networks, recording) for recording in recordings]


def _align(networks: Networks, recording: Recording) -> Aligned:
    mel = networks.mel(torch.from_numpy(recording.listened).to(networks.plan.listening))
    total = mel.shape[1] // GROUP * GROUP
    if total > networks.aligner.longest:
        raise RequestError(
            f"The reference audio has {total / 100:.0f} seconds; this model hears at most "
            f"{networks.aligner.longest / 100:.0f}. Send 5 to 20 seconds, with their latent.",
            param="reference_audio",
        )
    return read_alignment(networks.aligner.align(mel[:, :total]), total)
