"""The contract of backends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from flashtts_core.backends import Backend, BackendSpec, Restriction
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.errors import BackendDied, FlashTTSError, RequestError
from flashtts_core.testing.conformance.running import first, run
from flashtts_core.types import SAMPLING_FIELDS, IdRanges, Sampling, TokenRequest


class BackendContract:
    """A backend generates: stop ids, limits, seeds, many requests at once, closing within a token, clear errors.

    ``spec`` is the backend's registration; ``prompt`` must be valid for the model that ``open_backend`` opens.
    """

    spec: BackendSpec
    prompt = tuple(range(1, 9))

    async def open_backend(self) -> Backend:
        """Open the backend under test on a small model."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def backend(self) -> AsyncIterator[GuardedBackend]:
        """Open the backend inside the host's guard, as engines see it, and close it again."""
        backend = GuardedBackend(await self.open_backend(), max_length=1 << 20)
        try:
            yield backend
        finally:
            await backend.aclose()

    def request(self, key: str = "contract", **changes: Any) -> TokenRequest:
        """Return a sampled request; ``changes`` are fields of ``Sampling`` or of ``TokenRequest``."""
        sampling = Sampling(0.9, 0, 1.0, 1.0, 24, 5)
        mine = {name: changes.pop(name) for name in SAMPLING_FIELDS if name in changes}
        request = TokenRequest(key, self.prompt, frozenset(), msgspec.structs.replace(sampling, **mine))
        return msgspec.structs.replace(request, **changes)

    def test_max_tokens_is_held_exactly(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                for limit in (1, 2, 17):
                    assert len(await _ids(backend, self.request(max_tokens=limit))) == limit

        run(check())

    def test_generation_ends_before_a_stop_id(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                free = await _ids(backend, self.request())
                stop = free[5]
                assert await _ids(backend, self.request(stop=frozenset({stop}))) == free[: free.index(stop)]

        run(check())

    def test_the_same_seed_gives_the_same_ids_alone_and_in_company(self) -> None:
        if "seed" not in self.spec.sampling:
            return  # the spec says that seeds are not honoured; the host tells the user

        async def check() -> None:
            async with self.backend() as backend:
                requests = [self.request(f"r{seed}", seed=seed) for seed in range(4)]
                alone = [await _ids(backend, request) for request in requests]
                together = await asyncio.gather(*(_ids(backend, request) for request in requests))
                assert alone == list(together)
                assert alone[0] != alone[1]

        run(check())

    def test_allowed_ids_are_never_violated(self) -> None:
        flat = (IdRanges(((10, 20), (40, 45))),)
        cycle = (IdRanges(((10, 20),)), IdRanges(((30, 40),)), IdRanges(((50, 60),)))
        known: dict[Restriction, list[tuple[IdRanges, ...]]] = {"none": [], "flat": [flat], "cycle": [flat, cycle]}

        async def check() -> None:
            async with self.backend() as backend:
                for allowed in known[self.spec.restriction]:
                    ids = await _ids(backend, self.request(allowed=allowed, max_tokens=60))
                    assert all(token in allowed[at % len(allowed)] for at, token in enumerate(ids))

        run(check())

    def test_closing_a_stream_frees_its_place(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                for count in (0, 1, 3):
                    async with aclosing(backend.generate(self.request(max_tokens=200))) as deltas:
                        async for _ in first(deltas, count):
                            pass
                async with asyncio.timeout(20):
                    while backend.running:
                        await asyncio.sleep(0.001)
                assert len(await _ids(backend, self.request(max_tokens=3))) == 3

        run(check())

    def test_many_joins_and_aborts_leave_nothing(self) -> None:
        async def visit(backend: GuardedBackend, number: int) -> None:
            async with aclosing(backend.generate(self.request(f"v{number}", max_tokens=40))) as deltas:
                async for _ in first(deltas, number % 5):
                    pass

        async def check() -> None:
            async with self.backend() as backend:
                await asyncio.gather(*(visit(backend, number) for number in range(30)))
                async with asyncio.timeout(20):
                    while backend.running:
                        await asyncio.sleep(0.001)

        run(check())

    def test_bad_prompts_are_refused_and_harm_nobody(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                for prompt in ((), (backend.vocab_size,), (-1,), (1,) * (backend.max_length + 1)):
                    with pytest.raises(RequestError):
                        await _ids(backend, self.request(prompt=prompt))
                assert await _ids(backend, self.request(max_tokens=2))

        run(check())

    def test_a_closed_backend_says_so(self) -> None:
        async def check() -> None:
            async with self.backend() as backend:
                await backend.aclose()
                await backend.aclose()
                assert not backend.alive
                with pytest.raises(BackendDied):
                    await _ids(backend, self.request())

        run(check())

    def test_closing_ends_the_requests_that_run(self) -> None:
        async def check() -> None:
            request = self.request(max_tokens=10_000)
            async with self.backend() as backend, aclosing(backend.generate(request)) as deltas:
                await anext(deltas)
                await backend.aclose()
                with contextlib.suppress(FlashTTSError):
                    async for _ in deltas:
                        pass

        run(check())


async def _ids(backend: Backend, request: TokenRequest) -> list[int]:
    async with aclosing(backend.generate(request)) as deltas:
        return [token async for delta in deltas for token in delta]
