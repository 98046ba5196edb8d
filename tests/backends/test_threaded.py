"""A model on a thread of its own that has no room: requests wait while it is of use, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from flashtts_core.backends.threaded import NoRoomYet, ThreadedBackend
from flashtts_core.errors import EngineError
from flashtts_core.testing.conformance import run
from flashtts_core.types import Sampling, TokenRequest


class Cramped:
    """A model that has room for prompts of ``room`` ids in all, and says the id 1 for ever."""

    vocab_size, max_length, slots = 10, 1000, 4

    def __init__(self, room: int) -> None:
        self._room = room
        self._prompts: dict[str, int] = {}

    def admit(self, request: TokenRequest) -> None:
        if sum(self._prompts.values()) + len(request.prompt) > self._room:
            raise NoRoomYet
        self._prompts[request.id] = len(request.prompt)

    def step(self) -> Mapping[str, list[int] | EngineError]:
        return {key: [1] for key in self._prompts}

    def release(self, request_id: str) -> None:
        del self._prompts[request_id]

    def close(self) -> None:
        self._prompts.clear()


def ask(name: str, prompt: int) -> TokenRequest:
    return TokenRequest(name, (1,) * prompt, frozenset({0}), Sampling(temperature=0.0, max_tokens=3))


async def answer(backend: ThreadedBackend, request: TokenRequest) -> list[int]:
    return [token async for ids in backend.generate(request) for token in ids]


def test_requests_wait_for_room_while_others_run() -> None:
    async def check() -> None:
        backend = ThreadedBackend(Cramped(room=10))
        try:
            asked = [answer(backend, ask(str(number), 6)) for number in range(4)]
            assert await asyncio.wait_for(asyncio.gather(*asked), 10) == [[1, 1, 1]] * 4
        finally:
            await backend.aclose()

    run(check())


def test_a_request_that_has_no_room_alone_is_told_and_the_next_is_answered() -> None:
    async def check() -> None:
        backend = ThreadedBackend(Cramped(room=10))
        try:
            with pytest.raises(EngineError, match="no memory left to go on with a request of 11 prompt tokens"):
                await asyncio.wait_for(answer(backend, ask("large", 11)), 10)
            assert await asyncio.wait_for(answer(backend, ask("small", 3)), 10) == [1, 1, 1]
        finally:
            await backend.aclose()

    run(check())
