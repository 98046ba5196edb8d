"""From predicted lengths to frames of 10 ms: the rules of MegaTTS 3 around its duration network. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.engines.mega.alignment import GROUP
from flashtts_core.engines.mega.phones import LONG_PAUSES, SHORT_PAUSES

OVERLAP_FRAMES = 32
"""What a line that goes on gets at its end, for the next one to fade into."""
_LAST_PHONE = (64, 128)  # frames of the last phone of a turn
_LONGEST = 127
_LONG_PAUSE = 64
_SHORT_PAUSE = 32
_LEAD_IN = 8  # frames of the first phone of a turn, which is silence
_EVEN_CHANCE = 0.5


class Manner(Struct, frozen=True):
    """How a line is paced: ``slowness`` stretches all lengths, ``opens`` and ``closes`` say where in a turn it is."""

    slowness: float = 1.0
    opens: bool = True
    closes: bool = True


class Disturbance(Struct, frozen=True, eq=False):
    """Chance that makes lengths uneven by up to ``share``: two uniform draws for each phone [T]."""

    share: float
    choice: NDArray[np.float32]
    scale: NDArray[np.float32]


def frames_of(
    tokens: Sequence[int], phones: Sequence[int], manner: Manner, disturbance: Disturbance | None = None
) -> list[int]:
    """Return the frames of each phone, in all a multiple of eight; a token is a length in frames, plus one."""
    lengths = np.array(tokens, np.float32) - 1
    lengths = np.maximum(lengths, 0)
    lengths[-1] = np.clip(lengths[-1], *_LAST_PHONE) if manner.closes else lengths[-1] + OVERLAP_FRAMES
    if disturbance is not None:
        factor = 1 + disturbance.scale * np.float32(disturbance.share)
        lengths = np.where(disturbance.choice > _EVEN_CHANCE, lengths * factor, lengths / factor)
    lengths = np.clip(np.rint(lengths * np.float32(manner.slowness)), 0, _LONGEST)
    frames = [max(int(length), _shortest(phone)) for length, phone in zip(lengths, phones, strict=True)]
    if manner.opens:
        frames[0] = _LEAD_IN
    frames[-1] += -sum(frames) % GROUP
    return frames


def _shortest(phone: int) -> int:
    if phone in LONG_PAUSES:
        return _LONG_PAUSE
    return _SHORT_PAUSE if phone in SHORT_PAUSES else 0
