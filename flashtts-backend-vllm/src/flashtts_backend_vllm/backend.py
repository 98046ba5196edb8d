"""vLLM's engine as a ``Backend``: token ids to vLLM's processes, and new ids back as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vllm import SamplingParams
from vllm.exceptions import VLLMClientError
from vllm.inputs.engine import tokens_input
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from flashtts_backend_vllm.restriction import ARGUMENT
from flashtts_core.backends.choices import choices_of
from flashtts_core.backends.draws import COLDEST, generator_of
from flashtts_core.errors import BackendDied, EngineError, RequestError
from flashtts_core.types import TokenRequest

_DIED = "The language model's process ended. Restart flashtts."
_CLOSED = "The backend is closed; open the model again."


class VllmBackend:
    """A running engine of vLLM; see ``Backend``. It dies of ids outside its vocabulary: the host lets none through."""

    def __init__(self, engine: AsyncLLM) -> None:
        self.vocab_size: int = engine.model_config.get_vocab_size()
        self.max_length: int = engine.model_config.max_model_len
        self._engine = engine
        self._ids: list[str] = []
        self._closed = False

    @classmethod
    async def attach(cls, engine: AsyncLLM) -> VllmBackend:
        """Connect an engine, made in whatever thread, with the running event loop."""
        await engine.get_supported_tasks()  # begins to listen to the process, so that its death is heard at once
        return cls(engine)

    @property
    def running(self) -> int:
        """Requests that hold a place in the model now."""
        return len(self._ids)

    @property
    def alive(self) -> bool:
        """False once the process is gone or the backend was closed."""
        return not self._closed and not self._engine.errored

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        """Generate ids; see ``Backend``. vLLM is told to abort when the generator is closed."""
        if not self.alive:
            raise BackendDied(_CLOSED if self._closed else _DIED)
        params = sampling_params(request, self.vocab_size)
        prompt = tokens_input(list(request.prompt))
        self._ids.append(request.id)
        try:
            async with aclosing(self._engine.generate(prompt, params, request.id)) as outputs:
                async for output in outputs:
                    (answer,) = output.outputs
                    if answer.token_ids:
                        yield list(answer.token_ids)
                    if answer.finish_reason == "abort":
                        raise BackendDied("The backend was closed while the request ran.")
        except EngineDeadError as error:
            raise BackendDied(_DIED) from error
        except EngineGenerateError as error:
            raise EngineError(f"vLLM could not go on with the request: {error.__cause__ or error}.") from error
        except VLLMClientError as error:
            raise RequestError(f"vLLM refuses the request: {error}.") from error
        finally:
            self._ids.remove(request.id)

    async def aclose(self) -> None:
        """Stop all requests and end vLLM's processes; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self._engine.errored:
                await self._engine.abort(list(self._ids))
        finally:  # interrupted or failed, it would leave vLLM's processes
            await asyncio.to_thread(self._engine.shutdown)
        # vLLM's destructor shuts down once more, as late as the end of the program, when that fails with a traceback.
        self._engine.shutdown = _nothing


def _nothing() -> None:
    """Stand in for what has been done."""


def sampling_params(request: TokenRequest, vocab_size: int) -> SamplingParams:
    """Return vLLM's way to say how a request samples; raises ``RequestError`` if nothing may be written."""
    sampling = request.sampling
    choices = choices_of(request, vocab_size)
    temperature = sampling.temperature or 0.0
    return SamplingParams(
        temperature=0.0 if temperature < COLDEST else temperature,
        top_k=sampling.top_k or 0,
        top_p=1.0 if sampling.top_p is None else sampling.top_p,
        repetition_penalty=1.0 if sampling.repetition_penalty is None else sampling.repetition_penalty,
        seed=generator_of(request).getrandbits(63),
        max_tokens=sampling.max_tokens,
        stop_token_ids=sorted(request.stop),
        ignore_eos=True,  # what ends an answer is in the request
        detokenize=False,
        output_kind=RequestOutputKind.DELTA,
        extra_args={ARGUMENT: choices} if request.allowed else None,
    )
