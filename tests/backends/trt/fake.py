"""A stand-in for TensorRT-LLM's LLM API with its signatures and habits, around a language model without weights.

``test_record.py`` holds it to the record: answers grow, stop ids are taken off at the end, a request without ``end_id``
is refused where there is no tokenizer, an aborted one ends as ``cancelled``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from flashtts_core.testing import CountingModel
from flashtts_core.types import Sampling, TokenRequest


@dataclass(kw_only=True)
class SamplingParams:
    """The parameters that mean something to the fake; those it would ignore cannot be given."""

    end_id: int | None = None
    pad_id: int | None = None
    max_tokens: int = 32
    stop_token_ids: list[int] | None = None
    top_k: int | None = None
    top_p: float | None = None
    seed: int | None = None
    temperature: float | None = None
    repetition_penalty: float | None = None
    detokenize: bool = True


@dataclass
class CompletionOutput:
    index: int = 0
    token_ids: list[int] = field(default_factory=list)
    finish_reason: str | None = None
    stop_reason: int | None = None


class RequestOutput:
    """What ``generate_async`` returns: iterate for the pieces."""

    def __init__(self, llm: LLM, request_id: int, params: SamplingParams) -> None:
        self.request_id = request_id
        self.outputs = [CompletionOutput()]
        self.finished = False
        self.params = params
        self.pieces: asyncio.Queue[tuple[list[int], str | None]] = asyncio.Queue()
        self._llm = llm
        self._aborted = False

    def abort(self) -> None:
        self._llm._executor.abort_request(self.request_id)
        self._aborted = True

    def aborted(self) -> bool:
        return self._aborted

    def __aiter__(self) -> AsyncIterator[RequestOutput]:
        return self

    async def __anext__(self) -> RequestOutput:
        if self.finished:
            raise StopAsyncIteration
        ids, reason = await self.pieces.get()
        output = self.outputs[0]
        output.token_ids.extend(ids)
        if reason is not None:
            self.finished = True
            output.finish_reason = reason
            if reason == "stop":
                output.stop_reason = output.token_ids.pop()
        return self


class Executor:
    """Runs all requests in one batch, on a task of the loop it was first used on."""

    def __init__(self) -> None:
        self.results: dict[int, RequestOutput] = {}
        self.silent = False
        self._model = CountingModel()
        self._shut_down = False
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def is_shutdown(self) -> bool:
        return self._shut_down

    def shutdown(self) -> None:
        self._shut_down = True
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def die(self) -> None:
        """Stop answering, and find out: what is left of the runtime is shut down."""
        self.silent = True
        self._shut_down = True

    def submit(self, result: RequestOutput, prompt: list[int]) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        params = result.params
        greedy = params.top_k == 1 or (params.temperature, params.top_k, params.top_p) == (None, None, None)
        temperature = 0.0 if greedy else 1.0 if params.temperature is None else params.temperature
        sampling = Sampling(
            temperature,
            params.top_k or 0,
            params.top_p or 1.0,
            params.repetition_penalty or 1.0,
            None,
            params.seed or 0,
        )
        self._model.admit(TokenRequest(str(result.request_id), tuple(prompt), frozenset(), sampling))
        self.results[result.request_id] = result
        self._work.set()

    def abort_request(self, request_id: int) -> None:
        if request_id in self.results:
            self._end(request_id, [], "cancelled")

    def _end(self, request_id: int, ids: list[int], reason: str) -> None:
        self._model.release(str(request_id))
        self.results.pop(request_id).pieces.put_nowait((ids, reason))

    async def _run(self) -> None:
        written: dict[int, int] = {}
        while True:
            await self._work.wait()
            await asyncio.sleep(0)
            if self.silent or not self.results:
                self._work.clear()
                continue
            for key, ids in self._model.step().items():
                number = int(key)
                params = self.results[number].params
                written[number] = written.get(number, 0) + 1
                if ids[-1] in (params.stop_token_ids or ()) or ids[-1] == params.end_id:
                    self._end(number, ids, "stop")
                elif written[number] == params.max_tokens:
                    self._end(number, ids, "length")
                else:
                    self.results[number].pieces.put_nowait((ids, None))


class LLM:
    """Stands for ``tensorrt_llm.LLM``."""

    def __init__(  # noqa: PLR0917  # the runtime's signature
        self,
        model: Any,
        tokenizer: Any = None,
        tokenizer_mode: str = "auto",
        skip_tokenizer_init: bool = False,
        trust_remote_code: bool = False,
        tensor_parallel_size: int = 1,
        dtype: str = "auto",
        revision: str | None = None,
        tokenizer_revision: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.model = model
        self.dtype = dtype
        self.kwargs = kwargs
        self.tokenizer = None if skip_tokenizer_init else object()
        self._executor = Executor()
        self._requests = 0

    def generate_async(  # noqa: PLR0917  # the runtime's signature
        self,
        inputs: Any,
        sampling_params: SamplingParams | None = None,
        lora_request: Any = None,
        prompt_adapter_request: Any = None,
        streaming: bool = False,
        kv_cache_retention_config: Any = None,
        disaggregated_params: Any = None,
        _postproc_params: Any = None,
        scheduling_params: Any = None,
        cache_salt: str | None = None,
    ) -> RequestOutput:
        if self._executor.is_shutdown():
            raise RuntimeError("LLM is shutting down")
        params = sampling_params or SamplingParams()
        if params.end_id is None and self.tokenizer is None:
            raise ValueError("tokenizer is required to reset end_id if it is None")
        assert streaming, "the backend streams"
        self._requests += 1
        result = RequestOutput(self, self._requests, params)
        self._executor.submit(result, inputs)
        return result

    def shutdown(self) -> None:
        self._executor.shutdown()


def modules(version: str = "1.2.1") -> dict[str, ModuleType]:
    """Return modules that stand for the installed package."""
    package, engine = ModuleType("tensorrt_llm"), ModuleType("tensorrt_llm._tensorrt_engine")
    vars(package).update(LLM=LLM, SamplingParams=SamplingParams, __version__=version, __path__=[])
    vars(engine).update(LLM=type("EngineLLM", (LLM,), {}))
    return {"tensorrt_llm": package, "tensorrt_llm._tensorrt_engine": engine}
