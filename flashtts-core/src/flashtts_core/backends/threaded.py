"""A backend around a model that lives in this process: one thread, one loop, one continuous batch.

The runtime implements ``BatchModel`` and blocks as it likes; requests join and leave between its steps.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from flashtts_core.backends.faults import short_of_memory
from flashtts_core.backends.limits import cut
from flashtts_core.backends.mailbox import Mailbox
from flashtts_core.errors import BackendDied, EngineError, FlashTTSError
from flashtts_core.types import TokenRequest


class NoRoomYet(Exception):  # no failure: the request waits
    """Raised by ``BatchModel.admit``: there is no memory until one of those that run leaves.

    A request that is alone is told so, as nobody will leave.
    """


class BatchModel(Protocol):
    """A language model that advances a batch of requests step by step; every call comes from one thread."""

    vocab_size: int
    max_length: int
    slots: int
    """Requests it can run at once; more wait their turn."""

    def admit(self, request: TokenRequest) -> None:
        """Take a request into the batch; raises ``FlashTTSError`` if it cannot run, ``NoRoomYet`` if it must wait."""
        ...

    def step(self) -> Mapping[str, list[int] | EngineError]:
        """Advance the batch and return the new ids by request id (none for a prompt still being read).

        An error in place of ids ends that request alone; an exception is the end of the model.
        """
        ...

    def release(self, request_id: str) -> None:
        """Take a request out of the batch: it is finished or nobody wants it any more."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class _Ticket:
    """A request and where its ids go."""

    def __init__(self, request: TokenRequest) -> None:
        self.request = request
        self.mailbox = Mailbox()
        limit = request.sampling.max_tokens
        self.left = sys.maxsize if limit is None else limit
        self.closed = False  # set on the event loop, read by the model's thread between steps

    def accept(self, ids: list[int]) -> bool:
        """Pass on new ids up to the first stop id or the limit; True means that the request is finished."""
        kept, finished = cut(ids, stop=self.request.stop, left=self.left)
        self.left -= len(kept)
        if kept:
            self.mailbox.put(kept)
        if finished:
            self.mailbox.end()
        return finished


class ThreadedBackend:
    """Runs a ``BatchModel`` on a thread of its own (``flashtts-llm``) as a ``Backend``."""

    def __init__(self, model: BatchModel, *, name: str = "flashtts-llm") -> None:
        self.vocab_size = model.vocab_size
        self.max_length = model.max_length
        self._model = model
        self._waiting: deque[_Ticket] = deque()
        self._active: dict[str, _Ticket] = {}
        self._wake = threading.Condition()
        self._closing = False
        self._full = False  # until somebody leaves
        self._death: BackendDied | None = None
        self._thread = threading.Thread(target=self._work, name=name)
        self._thread.start()

    @property
    def running(self) -> int:
        """Requests that hold a place in the model now."""
        return len(self._active)

    @property
    def alive(self) -> bool:
        """False once the model's thread has ended."""
        return self._death is None and not self._closing

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        """Generate ids; see ``Backend``."""
        ticket = _Ticket(request)
        with self._wake:
            if self._death is not None:
                raise BackendDied(str(self._death)) from self._death
            if self._closing:
                raise BackendDied("The backend is closed; open the model again.")
            self._waiting.append(ticket)
            self._wake.notify()
        try:
            while ids := await ticket.mailbox.take():
                yield ids
        finally:
            with self._wake:
                ticket.closed = True
                self._wake.notify()

    async def aclose(self) -> None:
        """Stop all requests, join the thread and free the model; closing twice is harmless."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            while self._wait_for_work():
                self._reshape()
                if self._active:
                    self._advance()
            self._end_all(BackendDied("The backend was closed while the request ran."))
        except Exception as error:  # noqa: BLE001  # the runtime failed: every request must hear of it, none may hang
            self._death = BackendDied(f"The language model stopped: {error}. Restart flashtts.")
            self._death.__cause__ = error
            self._end_all(self._death)
        finally:
            self._model.close()

    def _wait_for_work(self) -> bool:
        """Sleep while there is nothing to do; False means closing."""
        with self._wake:
            while not (self._closing or self._waiting or self._active):
                self._wake.wait()
            return not self._closing

    def _reshape(self) -> None:
        """Let requests leave and join; the model works outside the lock, so the event loop never waits for it."""
        for ticket in [ticket for ticket in self._active.values() if ticket.closed]:
            self._leave(ticket)
        while len(self._active) < self._model.slots and not self._full:
            with self._wake:
                if not self._waiting:
                    return
                ticket = self._waiting.popleft()
            self._join(ticket)

    def _join(self, ticket: _Ticket) -> None:
        if ticket.closed:
            return
        self._active[ticket.request.id] = ticket  # first: if the model dies of this request, it is among those told
        try:
            self._model.admit(ticket.request)
        except FlashTTSError as error:
            del self._active[ticket.request.id]
            ticket.mailbox.end(error)
        except NoRoomYet:
            del self._active[ticket.request.id]
            if not self._active:  # nobody is there who could leave
                ticket.mailbox.end(short_of_memory(ticket.request))
                return
            self._full = True
            with self._wake:
                self._waiting.appendleft(ticket)

    def _leave(self, ticket: _Ticket) -> None:
        self._full = False
        del self._active[ticket.request.id]
        self._model.release(ticket.request.id)

    def _advance(self) -> None:
        for request_id, result in self._model.step().items():
            ticket = self._active[request_id]
            if ticket.closed:
                continue
            if isinstance(result, EngineError):
                ticket.mailbox.end(result)
                self._leave(ticket)
            elif ticket.accept(result):
                self._leave(ticket)

    def _end_all(self, error: BackendDied) -> None:
        with self._wake:
            tickets = [*self._active.values(), *self._waiting]
            self._active.clear()
            self._waiting.clear()
        for ticket in tickets:
            if not ticket.closed:
                ticket.mailbox.end(error)
