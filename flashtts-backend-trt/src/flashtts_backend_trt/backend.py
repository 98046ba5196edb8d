"""The backend: the runtime has its own processes, its results are awaited on the host's loop, closing aborts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from flashtts_backend_trt.plan import Plan
from flashtts_backend_trt.runtime import Runtime, sampling_arguments
from flashtts_core import TokenRequest
from flashtts_core.backends.limits import cut
from flashtts_core.errors import BackendDied, EngineError, RequestError

_LOOK_EVERY = 1.0
"""Seconds between two looks at the executor while no answer comes: one that died says nothing more."""


class TrtBackend:
    """TensorRT-LLM as a ``Backend``."""

    def __init__(self, runtime: Runtime, plan: Plan) -> None:
        self.vocab_size = plan.vocab_size
        self.max_length = plan.max_length
        self._runtime = runtime
        self._running: set[object] = set()
        self._closing = asyncio.Event()
        self._closed: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        """Requests that hold a place in the model now."""
        return len(self._running)

    @property
    def alive(self) -> bool:
        """False once the executor is shut down."""
        executor = self._runtime.llm._executor
        return not self._closing.is_set() and executor is not None and not executor.is_shutdown()

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        """Generate ids; see ``Backend``."""
        self._check_alive()
        result = self._submit(request)
        self._running.add(result)
        limit = request.sampling.max_tokens
        seen = 0
        try:
            while await self._advance(result):
                output = result.outputs[0]
                left = len(output.token_ids) if limit is None else limit - seen
                kept, ended = cut(output.token_ids[seen:], stop=request.stop, left=left)
                seen += len(kept)
                if kept:
                    yield kept
                if ended:
                    return
                if output.finish_reason in {"timeout", "cancelled"}:
                    raise EngineError(f"TensorRT-LLM gave the request up ({output.finish_reason}). Try again.")
        finally:
            self._running.discard(result)
            if not result.finished and self.alive:
                result.abort()

    async def aclose(self) -> None:
        """Stop all requests and shut the runtime down; closing twice is harmless."""
        self._closing.set()
        if self._closed is None:
            self._closed = asyncio.create_task(asyncio.to_thread(self._runtime.llm.shutdown))
        await asyncio.shield(self._closed)

    def _submit(self, request: TokenRequest) -> Any:
        try:
            return self._runtime.llm.generate_async(
                list(request.prompt),
                sampling_params=self._runtime.sampling_params(**sampling_arguments(request)),
                streaming=True,
            )
        except ValueError as refusal:
            raise RequestError(f"TensorRT-LLM refuses the request: {refusal}") from refusal
        except RuntimeError as failure:
            raise self._worded(failure) from failure

    async def _advance(self, result: Any) -> bool:
        """Wait for the next piece of an answer; False is its end."""
        step = asyncio.ensure_future(anext(result, None))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while not step.done():
                await asyncio.wait({step, closing}, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
                if not step.done():
                    self._check_alive()
            return step.result() is not None
        except RuntimeError as failure:
            if isinstance(failure, EngineError):
                raise
            raise self._worded(failure) from failure
        finally:
            step.cancel()
            closing.cancel()

    def _check_alive(self) -> None:
        if self._closing.is_set():
            raise BackendDied("The backend is closed; open the model again.")
        if not self.alive:
            raise BackendDied("TensorRT-LLM shut itself down; its last words stand in the log. Restart flashtts.")

    def _worded(self, failure: RuntimeError) -> EngineError:
        if not self.alive:
            return BackendDied(f"TensorRT-LLM died: {failure}. Restart flashtts.")
        return EngineError(f"TensorRT-LLM failed on the request: {failure}. Try again.")
