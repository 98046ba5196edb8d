"""Decides when a request may speak: a bounded number at a time, a bounded queue before it, and a refusal beyond.

A place is held from admission to the end of the answer and given back once, whoever asks for it how often.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

from flashtts_core.errors import Overloaded

LONGEST_RETRY = 60
"""Seconds; nobody is told to stay away for longer."""
_SMOOTHING = 0.2


class Place:
    """The right to speak, held by one request."""

    def __init__(self, admission: Admission) -> None:
        self._admission: Admission | None = admission
        self._since = time.monotonic()

    def release(self) -> None:
        """Give the place to the next in the queue; doing so again is harmless."""
        if self._admission is not None:
            admission, self._admission = self._admission, None
            admission.give_back(time.monotonic() - self._since)


class Admission:
    """Hands out ``places`` at a time, first come first served; at most ``queue`` requests wait."""

    def __init__(self, places: int, queue: int) -> None:
        self.places = places
        self.running = 0
        self._queue = queue
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._usual_seconds = 1.0

    @property
    def queued(self) -> int:
        """Requests that wait for a place."""
        return len(self._waiting)

    async def enter(self) -> Place:
        """Wait for a place; raises ``Overloaded`` if the queue is full."""
        if self.running < self.places:
            self.running += 1
            return Place(self)
        if len(self._waiting) >= self._queue:
            raise Overloaded(
                f"{self.running} requests are being spoken and {self.queued} wait, which is all this server takes. "
                f"Try again later, or raise --max_queue.",
                retry_after=self._patience(),
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # the place came at the moment the request was given up
            else:
                self._waiting.remove(turn)
            raise
        return Place(self)

    def give_back(self, seconds: float) -> None:
        """Take back a place that was held for ``seconds``; called by ``Place`` only."""
        self._usual_seconds += _SMOOTHING * (seconds - self._usual_seconds)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1

    def _patience(self) -> int:
        """Return the seconds until the queue has likely moved up by one place."""
        return min(max(math.ceil(self._usual_seconds / self.places), 1), LONGEST_RETRY)
