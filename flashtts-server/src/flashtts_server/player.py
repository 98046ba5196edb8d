"""A model of the player at the other end: says when a listener would have heard a gap.

It begins to play with the first sound and plays on in real time. Only the time that the server took to make the sound
counts, not the time that a client took to accept it: a client that holds the server up has enough to play.
"""

from __future__ import annotations

GAP = 0.02
"""Seconds; shorter gaps are hidden by the buffer of any player."""


class Player:
    """Plays one answer as it comes."""

    def __init__(self) -> None:
        self.gaps = 0
        """How often it ran dry."""
        self.silent_seconds = 0.0
        """How long it had nothing to play, in all."""
        self.played_seconds = 0.0
        """The sound it was given."""
        self._ahead: float | None = None

    def hear(self, waited: float, sound: float) -> None:
        """Take ``sound`` seconds of speech that came after ``waited`` seconds of waiting for the server."""
        if self._ahead is not None:
            self._ahead -= waited
            if self._ahead < -GAP:
                self.gaps += 1
                self.silent_seconds -= self._ahead
            self._ahead = max(self._ahead, 0.0)
        self._ahead = (self._ahead or 0.0) + sound
        self.played_seconds += sound
