"""What the host enforces for every backend: valid prompts, the length of the context, stop ids, ``max_tokens``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from flashtts_core.backends import Backend
from flashtts_core.backends.limits import cut
from flashtts_core.errors import RequestError
from flashtts_core.types import TokenRequest


class GuardedBackend:
    """A backend with the host's rules around it; engines never see a bare one."""

    def __init__(self, backend: Backend, *, max_length: int) -> None:
        self._backend = backend
        self.vocab_size = backend.vocab_size
        self.max_length = min(max_length, backend.max_length)

    @property
    def running(self) -> int:
        """Requests that hold a place in the model now."""
        return self._backend.running

    @property
    def alive(self) -> bool:
        """False once the runtime is gone for good."""
        return self._backend.alive

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        """Generate ids up to the first stop id, at most ``max_tokens`` and no more than the context holds."""
        left = self._room(request)
        sampling = msgspec.structs.replace(request.sampling, max_tokens=left)
        async with aclosing(self._backend.generate(msgspec.structs.replace(request, sampling=sampling))) as deltas:
            async for delta in deltas:
                kept, ended = cut(delta, stop=request.stop, left=left)
                left -= len(kept)
                if kept:
                    yield kept
                if ended:
                    return

    async def aclose(self) -> None:
        """Close the backend."""
        await self._backend.aclose()

    def _room(self, request: TokenRequest) -> int:
        """Return how many tokens may be generated; raises ``RequestError`` for a prompt that cannot be run."""
        if not request.prompt:
            raise RequestError("The prompt is empty; give text to speak.", param="text")
        if bad := next((token for token in request.prompt if not 0 <= token < self.vocab_size), None):
            raise RequestError(f"The prompt holds the id {bad}, outside the model's vocabulary of {self.vocab_size}.")
        room = self.max_length - len(request.prompt)
        if room <= 0:
            raise RequestError(
                f"The text and the reference take {len(request.prompt)} tokens; the model has {self.max_length}. "
                f"Use a shorter text or reference, a smaller window_size, or a larger --max_length.",
                param="text",
            )
        wanted = request.sampling.max_tokens
        return room if wanted is None else min(room, wanted)
