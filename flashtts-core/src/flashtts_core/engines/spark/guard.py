"""Notices answers that are no speech: nothing, silence without end, a pattern that repeats without end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LOOP_TOKENS = 150
"""A pattern that fills so many tokens (3 s) is a loop: no sound that people make repeats itself so exactly."""
LONGEST_PATTERN = 10
SILENCE_SECONDS = 5.0
"""A pause of this length is the model's failure, not the speaker's."""
SILENT = 1e-3
"""Samples below this (-60 dBFS) are silence."""


class NoSpeech(Exception):
    """An answer that is not speech; the message says what it is instead."""


class Listener:
    """Listens to one answer; raises ``NoSpeech`` when it is clear that no speech will come of it."""

    def __init__(self, sample_rate: int) -> None:
        self._longest = int(SILENCE_SECONDS * sample_rate)
        self._silent = 0
        self.heard = False
        """Whether there was any sound."""

    def read(self, tokens: Sequence[int]) -> None:
        """Look at the tokens so far."""
        if loops(tokens):
            raise NoSpeech("it repeated itself without end")

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Listen to the next samples [N]."""
        loud = np.flatnonzero(np.abs(samples) > SILENT)
        self._silent = len(samples) - 1 - int(loud[-1]) if len(loud) else self._silent + len(samples)
        self.heard = self.heard or len(loud) > 0
        if self._silent > self._longest:
            raise NoSpeech(f"it went silent for more than {SILENCE_SECONDS:g} seconds")

    def finish(self) -> None:
        """Take note that the answer has ended."""
        if not self.heard:
            raise NoSpeech("it held no sound")


def loops(tokens: Sequence[int]) -> bool:
    """Say whether the last ``LOOP_TOKENS`` tokens are one short pattern over and over."""
    if len(tokens) < LOOP_TOKENS:
        return False
    recent = tokens[-LOOP_TOKENS:]
    return any(recent[period:] == recent[:-period] for period in range(1, LONGEST_PATTERN + 1))
