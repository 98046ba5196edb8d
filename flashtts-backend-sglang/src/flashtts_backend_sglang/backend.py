"""The backend: requests go to SGLang's loop, ids come back through a mailbox, closing aborts, death is reported.

SGLang reports the death of one of its processes by sending this one SIGQUIT, which would end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Self

from flashtts_backend_sglang.arguments import sampling_parameters
from flashtts_backend_sglang.engine import EngineThread
from flashtts_core import TokenRequest
from flashtts_core.backends.limits import cut
from flashtts_core.backends.mailbox import Mailbox
from flashtts_core.errors import BackendDied, EngineError, FlashTTSError, RequestError

logger = logging.getLogger(__name__)

_ANSWER_MARGIN = 4
"""SGLang takes prompts shorter than ``max_req_input_len``, and prompt and answer together may have so many ids more."""


class _Job:
    """A request on its way through the engine.

    ``rid`` is what SGLang calls it. It aborts every request whose name begins so, hence names of one length.
    """

    def __init__(self, request: TokenRequest) -> None:
        self.request = request
        self.rid = uuid.uuid4().hex
        self.mailbox = Mailbox()
        limit = request.sampling.max_tokens
        self.left = sys.maxsize if limit is None else limit
        self.closed = False
        self.task: asyncio.Task[None] | None = None  # on the engine's loop

    def accept(self, ids: list[int]) -> bool:
        """Pass on new ids up to a stop id or the limit; True means that the answer ends here."""
        kept, ended = cut(ids, stop=self.request.stop, left=self.left)
        self.left -= len(kept)
        if kept:
            self.mailbox.put(kept)
        return ended

    def cancel(self) -> None:
        """Stop the task; called on the engine's loop."""
        self.closed = True
        if self.task is not None:
            self.task.cancel()


class SglangBackend:
    """SGLang as a ``Backend``; make it with ``start``."""

    vocab_size: int
    max_length: int
    _longest_prompt: int
    _ends: frozenset[int]

    def __init__(self, thread: EngineThread) -> None:
        self._thread = thread
        self._jobs: set[_Job] = set()
        self._end: BackendDied | None = None
        self._hears_death = False

    @classmethod
    async def start(cls, engine_class: Callable[..., Any], arguments: Mapping[str, Any]) -> Self:
        """Start the engine; raises ``ConfigError``."""
        backend = cls(EngineThread(engine_class, arguments))
        backend._listen_for_death()
        try:
            await backend._thread.start()
        except BaseException:
            backend._listen_no_more()
            raise
        manager = backend._thread.engine.tokenizer_manager
        backend.vocab_size = manager.model_config.vocab_size
        backend.max_length = manager.max_req_input_len + _ANSWER_MARGIN
        backend._longest_prompt = manager.max_req_input_len - 1
        backend._ends = frozenset(manager.model_config.hf_eos_token_id or ())
        return backend

    @property
    def running(self) -> int:
        """Requests that hold a place in the model now."""
        return len(self._jobs)

    @property
    def alive(self) -> bool:
        """False once the engine is closed or one of its processes is gone."""
        return self._end is None

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        """Generate ids; see ``Backend``."""
        if self._end is not None:
            raise BackendDied(str(self._end)) from self._end
        if len(request.prompt) > self._longest_prompt:
            raise RequestError(
                f"The text and the reference take {len(request.prompt)} tokens; SGLang reads {self._longest_prompt} "
                f"here. Use a shorter text or reference, a smaller window_size, or a larger --max_length.",
                param="text",
            )
        job = _Job(request)
        self._jobs.add(job)
        self._thread.call(self._begin, job)
        try:
            while ids := await job.mailbox.take():
                yield ids
        finally:
            self._jobs.discard(job)
            self._thread.call(job.cancel)

    async def aclose(self) -> None:
        """Abort all requests and stop SGLang; closing twice is harmless."""
        self._finish(BackendDied("The backend is closed; open the model again."))
        await self._thread.stop()
        self._listen_no_more()

    def _begin(self, job: _Job) -> None:
        if not job.closed:
            job.task = asyncio.get_running_loop().create_task(self._carry(job))

    async def _carry(self, job: _Job) -> None:
        """Carry the ids of one request from SGLang to its mailbox; runs on the engine's loop."""
        engine = self._thread.engine
        error: FlashTTSError | None = EngineError("SGLang broke the request off; the reason stands in the log.")
        try:
            stream = await engine.async_generate(
                input_ids=list(job.request.prompt),
                sampling_params=sampling_parameters(job.request, self._ends),
                stream=True,
                rid=job.rid,
            )
            async with aclosing(stream) as outputs:
                async for output in outputs:
                    ended = job.accept(output["output_ids"])
                    error = None if ended else _failure(output["meta_info"]["finish_reason"])
                    if ended:
                        break
        except ValueError as refusal:  # SGLang's word for a request it does not take
            error = RequestError(f"SGLang refuses the request: {refusal}")
        except RuntimeError as failure:
            error = EngineError(f"SGLang failed on the request: {failure}. Try again.")
            error.__cause__ = failure
        finally:
            engine.tokenizer_manager.abort_request(rid=job.rid)
            job.mailbox.end(error)

    def _finish(self, reason: BackendDied) -> None:
        """End everything: what runs hears the reason, and so does whatever comes later."""
        if self._end is None:
            self._end = reason
        for job in list(self._jobs):
            job.mailbox.end(reason)
            self._thread.call(job.cancel)
        self._jobs.clear()

    def _listen_for_death(self) -> None:
        reason = BackendDied("A process of SGLang died; its last words stand in the log above. Restart flashtts.")
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, self._finish, reason)
            self._hears_death = True
        if not self._hears_death:
            logger.warning("flashtts runs outside the main thread: should SGLang die, the whole process dies with it.")

    def _listen_no_more(self) -> None:
        if self._hears_death:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGQUIT)
            self._hears_death = False


def _failure(finish: Mapping[str, Any] | None) -> FlashTTSError | None:
    """Return what went wrong if SGLang ended a request of its own accord."""
    if finish is None or finish["type"] != "abort":
        return None
    if finish.get("status_code") == HTTPStatus.BAD_REQUEST:
        return RequestError(f"SGLang refuses the request: {finish['message']}")
    return EngineError(f"SGLang gave the request up: {finish.get('message', 'no reason given')}. Try again.")
