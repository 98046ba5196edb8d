"""Flow matching: how a latent goes from noise to speech, in steps that add a little noise again (AMO sampling).

A step looks ahead of where it goes by ``_LOOK_AHEAD`` times its length, and comes back with fresh noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from msgspec import Struct
from torch import Tensor

_LOOK_AHEAD = 3.0


class Guidance(Struct, frozen=True):
    """How the three rows are weighed: ``text`` for what is said (p_w), ``speaker`` for who says it (t_w)."""

    text: float
    speaker: float


def schedule(steps: int) -> list[float]:
    """Return the times from 0 to 1, dense at the start [steps + 1]."""
    return [1 - math.cos(math.pi * number / (2 * steps)) for number in range(steps + 1)]


def guided(velocities: Tensor, guidance: Guidance) -> Tensor:
    """Return the way to go [L, C] from the velocities [3, L, C] with text and speaker, with text, and with neither."""
    full, text, nothing = velocities
    return nothing + guidance.text * (text - nothing) + guidance.speaker * (full - text)


def advance(latents: Tensor, way: Tensor, times: Sequence[float], noise: Tensor | None) -> Tensor:
    """Return the latents [L, C] at the later of two times; ``noise`` is [L, C], or ``None`` at the end."""
    now, then = times
    ahead = min(then + _LOOK_AHEAD * (then - now), 1.0)
    share = then / ahead
    moved = share * (latents + (ahead - now) * way)
    if noise is None:
        return moved
    spread = math.sqrt(max((1 - then) ** 2 - (share * (1 - ahead)) ** 2, 0.0))
    return torch.add(moved, noise, alpha=spread)
