"""Decides when a request may speak: a bounded number at a time, a bounded queue before it, and a refusal beyond.

A place is held from admission to the end of the answer and given back once, whoever asks for it how often. A request is
refused at once, before anything is done for it, if the queue is full or if its turn would come later than it can wait;
how long that is follows from how long the requests before it usually hold their places.

Long and short requests are both served: long ones leave some places to the short, and in the queue a request is due at
its arrival plus the time it is expected to take, so that a short one overtakes a long one, but not for ever.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from bisect import insort
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from flashtts_core.errors import Overloaded

Reason = Literal["queue_full", "long_wait", "waited", "sessions"]

LONGEST_RETRY = 60
"""Seconds; nobody is told to stay away for longer."""
LONG_TEXT = 1_000
"""Characters, about a minute of speech; longer requests may not hold all places."""
_SHARE_FOR_SHORT = 4
"""One place in so many is not given to long requests."""
_PATIENCE = 0.5
"""A listener waits for a turn at most this share of the time that the first sound usually takes."""
_SMOOTHING = 0.2
_SLOW_RISE = 0.02
"""The usual time to the first sound is that of a server at ease: it falls fast and rises slowly."""
_FIRST_GUESS_PACE = 0.02
_FIRST_GUESS_SOUND = 0.2
_LEAST_SECONDS = 0.02


class AdmissionLimits(Struct, frozen=True):
    """How much is taken: requests that speak, requests that wait, and how long these may wait, in seconds.

    ``stream_wait`` is for listeners, who hear the first sound while the rest is made; 0 follows from the time that the
    first sound usually takes.
    """

    places: int
    queue: int = 64
    wait: float = 30.0
    stream_wait: float = 0.0


class Demand(Struct, frozen=True):
    """What a request asks for: so many characters, and whether somebody listens while they are spoken."""

    characters: int = 0
    listening: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it counts as long where places are short."""
        return self.characters > LONG_TEXT


class Refused(Overloaded):
    """There is no place for the request; ``reason`` says which limit it met."""

    def __init__(self, message: str, *, retry_after: int, reason: Reason) -> None:
        super().__init__(message, retry_after=retry_after)
        self.reason: Reason = reason


class Place:
    """The right to speak, held by one request."""

    def __init__(self, admission: Admission, demand: Demand, waited: float) -> None:
        self._admission: Admission | None = admission
        self.demand = demand
        self.waited = waited
        """Seconds in the queue."""
        self.since = admission.clock()

    def release(self, *, complete: bool = False) -> None:
        """Give the place to the next in the queue; doing so again is harmless.

        ``complete`` says that the request came to its end by itself, so that its time tells something about others.
        """
        if self._admission is not None:
            admission, self._admission = self._admission, None
            admission.give_back(self, complete=complete)


class _Waiting:
    """A request in the queue; ordered by when it is due."""

    def __init__(self, demand: Demand, since: float, due: float) -> None:
        self.demand = demand
        self.since = since
        self.due = due
        self.turn: asyncio.Future[Place] = asyncio.get_running_loop().create_future()

    def __lt__(self, other: _Waiting) -> bool:
        return self.due < other.due


class Admission:
    """Hands out places; see the module for the order. ``clock`` tells the seconds."""

    def __init__(self, limits: AdmissionLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self._held: set[Place] = set()
        self._waiting: list[_Waiting] = []  # in the order in which they are due
        self._long_places = limits.places - max(limits.places // _SHARE_FOR_SHORT, 1 if limits.places > 1 else 0)
        self._pace = _FIRST_GUESS_PACE
        self._first_sound = _FIRST_GUESS_SOUND

    @property
    def running(self) -> int:
        """Requests that hold a place."""
        return len(self._held)

    @property
    def queued(self) -> int:
        """Requests that wait for a place."""
        return len(self._waiting)

    def longest_wait(self, *, listening: bool) -> float:
        """Return how long such a request may wait for its turn, in seconds."""
        if not listening:
            return self.limits.wait
        return self.limits.stream_wait or _PATIENCE * self._first_sound

    def expected_wait(self, demand: Demand) -> float:
        """Return how long such a request would wait if it came now, in seconds."""
        if self._may_enter(demand):
            return 0.0
        now = self.clock()
        barred = self._bars(demand)
        free = [self._left(place, now) for place in self._held if place.demand.is_long or not barred]
        heapq.heapify(free)
        due = now + self._expected(demand)
        for waiting in self._waiting:
            if waiting.due > due:
                break
            heapq.heapreplace(free, free[0] + self._expected(waiting.demand))
        return free[0]

    def check(self, demand: Demand | None = None) -> None:
        """Raise ``Refused`` if such a request would be refused now; of an unknown one only if any would be."""
        if demand is None:
            if len(self._held) >= self.limits.places and len(self._waiting) >= self.limits.queue:
                raise self._refusal("queue_full", self.expected_wait(Demand()))
            return
        if self._may_enter(demand):
            return
        expected = self.expected_wait(demand)
        if len(self._waiting) >= self.limits.queue:
            raise self._refusal("queue_full", expected)
        if expected > self.longest_wait(listening=demand.listening):
            raise self._refusal("long_wait", expected)

    async def enter(self, demand: Demand) -> Place:
        """Wait for a place; raises ``Refused`` if there is none in time, mostly before any waiting."""
        self.check(demand)
        if self._may_enter(demand):  # nobody waits who could take the place: they are served when it comes free
            return self._give(demand, 0.0)
        now = self.clock()
        waiting = _Waiting(demand, now, now + self._expected(demand))
        insort(self._waiting, waiting)
        longest = self.longest_wait(listening=demand.listening)
        alarm = asyncio.get_running_loop().call_later(longest, self._send_away, waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled() and waiting.turn.exception() is None:
                waiting.turn.result().release()  # the place came at the moment the request was given up
            elif waiting in self._waiting:
                self._waiting.remove(waiting)
            raise
        finally:
            alarm.cancel()

    def give_back(self, place: Place, *, complete: bool) -> None:
        """Take back a place; called by ``Place`` only."""
        self._held.discard(place)
        if complete and place.demand.characters:
            held = self.clock() - place.since
            self._pace += _SMOOTHING * (held / place.demand.characters - self._pace)
        self._pass_on()

    def heard(self, seconds: float) -> None:
        """Learn how long a listener with a place waited for the first sound."""
        rate = _SMOOTHING if seconds < self._first_sound else _SLOW_RISE
        self._first_sound += rate * (seconds - self._first_sound)

    def _pass_on(self) -> None:
        """Give what is free to those that are due."""
        for waiting in list(self._waiting):
            if len(self._held) >= self.limits.places:
                return
            if self._may_enter(waiting.demand):
                self._waiting.remove(waiting)
                if not waiting.turn.done():
                    waiting.turn.set_result(self._give(waiting.demand, self.clock() - waiting.since))

    def _send_away(self, waiting: _Waiting) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            if not waiting.turn.done():
                waiting.turn.set_exception(self._refusal("waited", self.expected_wait(waiting.demand)))

    def _give(self, demand: Demand, waited: float) -> Place:
        place = Place(self, demand, waited)
        self._held.add(place)
        return place

    def _may_enter(self, demand: Demand) -> bool:
        return len(self._held) < self.limits.places and not self._bars(demand)

    def _bars(self, demand: Demand) -> bool:
        """Whether long requests hold all the places they may, and this is one of them."""
        return demand.is_long and sum(place.demand.is_long for place in self._held) >= self._long_places

    def _expected(self, demand: Demand) -> float:
        """Return how long such a request will hold its place."""
        return max(self._pace * demand.characters, _LEAST_SECONDS)

    def _left(self, place: Place, now: float) -> float:
        """Return how long a place will still be held; what lasts longer than expected lasts a while longer."""
        elapsed = now - place.since
        return max(self._expected(place.demand) - elapsed, elapsed / 4)

    def _refusal(self, reason: Reason, expected: float) -> Refused:
        retry = min(max(math.ceil(expected), 1), LONGEST_RETRY)
        return Refused(
            f"{self.running} requests are being spoken and {self.queued} wait, which is all this server takes. "
            f"Try again in {retry} s; whoever runs it can raise --max_concurrency, --max_queue or the time to wait.",
            retry_after=retry,
            reason=reason,
        )
