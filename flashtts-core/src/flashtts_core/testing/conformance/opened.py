"""What the checks of the contract of backends stand on: how the plugin is opened, asked, and closed again.

All checks of one test class share one backend on one event loop, for some runtimes take half a minute to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from flashtts_core.backends import Backend, BackendSpec
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.types import SAMPLING_FIELDS, Sampling, TokenRequest

T = TypeVar("T")

PROMPT_LENGTHS = (3, 70, 250, 64, 65, 128, 17, 300)
"""Lengths of the prompts that are asked together: short, long, and at the borders of usual slices and pages."""
_SECONDS = 600.0
"""How long one check may take before the plugin counts as hung."""


class Reference(Protocol):
    """What the model has to say, computed by something that is trusted: transformers in float32, as a rule."""

    def greedy(self, prompt: Sequence[int], tokens: int, *, penalty: float = 1.0) -> list[int]:
        """Return the ``tokens`` likeliest ids after ``prompt``; ``penalty`` is the repetition penalty."""
        ...

    def scores(self, ids: Sequence[int]) -> NDArray[np.floating]:
        """Return the scores (logits) [N, V] of the ids that follow each of ``ids`` [N]."""
        ...


class OpenedBackend:
    """The parts that a subclass of ``BackendContract`` gives, and the ways in which its checks use them."""

    spec: ClassVar[BackendSpec]
    """The registration of the backend; what it says it does not honour is checked to be harmless."""

    top_p_of_all: ClassVar[bool] = False
    """True if the runtime measures top-p of all ids also where top-k leaves few; the plugin's README has to say so."""

    prompt = tuple(range(1, 9))
    """A prompt that is valid for the model."""

    _runner: ClassVar[asyncio.Runner]
    _shared: ClassVar[GuardedBackend | None] = None

    async def open_backend(self) -> Backend:
        """Open the backend on a small model in float32, with room for 512 tokens a request and 8 requests at once."""
        raise NotImplementedError

    def reference(self) -> Reference:
        """Return what that model has to say."""
        raise NotImplementedError

    async def kill(self, backend: Backend) -> None:
        """Make the runtime of a backend from ``open_backend`` fail as it could in production, and not by closing it.

        A ``ThreadedBackend`` is killed here: its model's next step raises.
        """
        if not isinstance(backend, ThreadedBackend):
            raise NotImplementedError
        await asyncio.to_thread(_break, backend)

    @classmethod
    def setup_class(cls) -> None:
        """Make the event loop of the class (pytest calls this)."""
        cls._runner = asyncio.Runner()
        cls._shared = None

    @classmethod
    def teardown_class(cls) -> None:
        """Close the shared backend and the loop (pytest calls this)."""
        try:
            if cls._shared is not None:
                cls._runner.run(cls._shared.aclose())
        finally:
            cls._runner.close()

    def check(self, work: Callable[[GuardedBackend], Awaitable[None]]) -> None:
        """Run ``work`` on the shared backend, inside the host's guard as engines see it."""
        if type(self)._shared is None:
            type(self)._shared = self.run(self.open_guarded())
        backend = type(self)._shared
        assert backend is not None
        self.run(work(backend))

    def run(self, work: Awaitable[T]) -> T:
        """Run ``work`` on the loop of the class, bounded."""

        async def bounded() -> T:
            async with asyncio.timeout(_SECONDS):
                return await work

        return self._runner.run(bounded())

    async def open_guarded(self) -> GuardedBackend:
        """Open a backend that the check may break."""
        return GuardedBackend(await self.open_backend(), max_length=1 << 20)

    def request(self, key: str = "contract", **changes: Any) -> TokenRequest:
        """Return a sampled request; ``changes`` are fields of ``Sampling`` or of ``TokenRequest``."""
        sampling = Sampling(0.9, 0, 1.0, 1.0, 24, 5)
        mine = {name: changes.pop(name) for name in SAMPLING_FIELDS if name in changes}
        request = TokenRequest(key, self.prompt, frozenset(), msgspec.structs.replace(sampling, **mine))
        return msgspec.structs.replace(request, **changes)

    def prompts(self, vocab_size: int, lengths: Sequence[int] = PROMPT_LENGTHS) -> list[tuple[int, ...]]:
        """Return random prompts, the same every time."""
        draw = np.random.default_rng(3)
        return [tuple(draw.integers(0, vocab_size, length).tolist()) for length in lengths]


async def ids_of(backend: Backend, request: TokenRequest) -> list[int]:
    """Return the whole answer."""
    async with aclosing(backend.generate(request)) as deltas:
        return [token async for delta in deltas for token in delta]


async def endless(backend: Backend, request: TokenRequest) -> AsyncGenerator[list[int], None]:
    """Yield the deltas of ``request``, asked again whenever it ends: a fast model may finish any answer unseen."""
    while True:
        async with aclosing(backend.generate(request)) as deltas:
            async for delta in deltas:
                yield delta


async def gathered(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines together; the first error ends them all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]


async def staggered(backend: Backend, requests: Sequence[TokenRequest]) -> list[list[int]]:
    """Return the answers of requests that join one by one: each once the one before has written something."""
    written = [asyncio.Event() for _ in requests]

    async def visit(number: int) -> list[int]:
        if number:
            await written[number - 1].wait()
        ids: list[int] = []
        try:
            async with aclosing(backend.generate(requests[number])) as deltas:
                async for delta in deltas:
                    ids += delta
                    written[number].set()
        finally:
            written[number].set()
        return ids

    return await gathered([visit(number) for number in range(len(requests))])


async def skip(deltas: AsyncGenerator[list[int], None], count: int) -> None:
    """Wait for ``count`` deltas, or the end."""
    for _ in range(count):
        if await anext(deltas, None) is None:
            return


def _break(backend: ThreadedBackend) -> None:
    def fail() -> dict[str, list[int]]:
        raise RuntimeError("the contract broke the model")

    backend._model.step = fail  # type: ignore[method-assign]  # what a runtime that dies looks like from outside
