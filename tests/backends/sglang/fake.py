"""A stand-in for ``sglang.Engine`` with its signatures and its habits, around a language model without weights.

Its habits: answers come in pieces only if asked for, ids of the model's own end count unless ``ignore_eos``, which
switches stop ids off too; aborting goes by the beginning of a name; an id outside the vocabulary kills it; death is a
SIGQUIT. ``tests/backends/sglang/test_record.py`` holds the signatures to the recorded ones.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator, Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from flashtts_core.testing import CountingModel
from flashtts_core.types import Sampling, TokenRequest

MAX_LENGTH = 1024
OWN_END = 7
"""The id that the model's configuration names as its end."""


class _Model(CountingModel):
    """Counts for the penalty what was answered, and nothing of the prompt."""

    def distribution(
        self, request: TokenRequest, scores: NDArray[np.float64], answer: list[int]
    ) -> NDArray[np.float64]:
        return super().distribution(msgspec.structs.replace(request, prompt=()), scores, answer)


class _State:
    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self.answer: list[int] = []
        self.sent = 0
        self.finish: dict[str, Any] | None = None
        self.event = asyncio.Event()


class FakeManager:
    """Stands for ``TokenizerManager``."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.model_config = SimpleNamespace(vocab_size=1000, hf_eos_token_id={OWN_END})
        self.max_req_input_len = arguments["context_length"] - 1 - 5
        self.rid_to_state: dict[str, _State] = {}
        self.silent = False
        self._incremental = arguments.get("incremental_streaming_output", False)
        self._longest = arguments["context_length"] - 2
        self._model = _Model()
        self._draws = random.Random(arguments.get("random_seed"))
        self._work = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    async def generate_request(self, obj: Any, request: Any = None) -> AsyncGenerator[dict[str, Any], None]:
        if self._loop_task is None:
            self._loop_task = asyncio.get_running_loop().create_task(self._handle_loop())
        if obj.rid in self.rid_to_state:
            raise ValueError(f"Duplicate request ID detected: {obj.rid}")
        if len(obj.input_ids) >= self.max_req_input_len:
            raise ValueError(f"The input ({len(obj.input_ids)} tokens) is longer than allowed.")
        if not all(0 <= token < self.model_config.vocab_size for token in obj.input_ids):
            self.die()
        state = self.rid_to_state[obj.rid] = _State(obj.sampling_params)
        self._model.admit(self._translated(obj))
        self._work.set()
        try:
            while state.finish is None or state.sent < len(state.answer):
                await state.event.wait()
                state.event.clear()
                fresh = state.answer[state.sent :] if self._incremental else list(state.answer)
                state.sent = len(state.answer)
                yield {"output_ids": fresh, "meta_info": {"id": obj.rid, "finish_reason": state.finish}}
        finally:
            if state.finish is None:
                self.abort_request(obj.rid)

    def abort_request(self, rid: str = "", abort_all: bool = False) -> None:
        for key in [key for key in self.rid_to_state if abort_all or key.startswith(rid)]:
            self._end(key, {"type": "abort", "message": "Aborted", "status_code": None, "err_type": None})

    def die(self) -> None:
        """Do what SGLang does when a process of its own is gone: fall silent, and SIGQUIT."""
        self.silent = True
        os.kill(os.getpid(), signal.SIGQUIT)

    async def _handle_loop(self) -> None:
        while True:
            await self._work.wait()
            await asyncio.sleep(0)
            if not self.silent:
                for key, ids in self._model.step().items():
                    self._write(key, ids)
            if self.silent or not self.rid_to_state:
                self._work.clear()

    def _write(self, key: str, ids: list[int]) -> None:
        state = self.rid_to_state[key]
        state.answer += ids
        parameters = state.parameters
        stops = {OWN_END, *(parameters.get("stop_token_ids") or ())}
        if not parameters.get("ignore_eos", False) and ids[-1] in stops:
            self._end(key, {"type": "stop", "matched": ids[-1]})
        elif len(state.answer) == parameters["max_new_tokens"]:
            self._end(key, {"type": "length", "length": len(state.answer)})
        state.event.set()

    def _end(self, key: str, finish: dict[str, Any]) -> None:
        state = self.rid_to_state.pop(key)
        state.finish = finish
        state.event.set()
        self._model.release(key)

    def _translated(self, obj: Any) -> TokenRequest:
        given = obj.sampling_params
        room = self._longest - len(obj.input_ids)
        given["max_new_tokens"] = min(given["max_new_tokens"], room)
        top_k = given.get("top_k", -1)
        if top_k < 1 and top_k != -1:
            raise ValueError(f"top_k must be -1 (disable) or at least 1, got {top_k}.")
        sampling = Sampling(
            given.get("temperature", 1.0),
            max(top_k, 0),
            given.get("top_p", 1.0),
            given.get("repetition_penalty", 1.0),
            None,
            self._draws.getrandbits(32),
        )
        return TokenRequest(obj.rid, tuple(obj.input_ids), frozenset(), sampling)


class FakeEngine:
    """Stands for ``sglang.Engine``."""

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = kwargs
        self.shut_down = False
        self.tokenizer_manager = FakeManager(kwargs)

    async def async_generate(  # noqa: PLR0917  # SGLang's signature
        self,
        prompt: Any = None,
        sampling_params: Any = None,
        input_ids: Any = None,
        image_data: Any = None,
        audio_data: Any = None,
        video_data: Any = None,
        mm_hashes: Any = None,
        mm_content_hashes: Any = None,
        return_logprob: Any = False,
        logprob_start_len: Any = None,
        top_logprobs_num: Any = None,
        token_ids_logprob: Any = None,
        lora_path: Any = None,
        custom_logit_processor: Any = None,
        require_reasoning: bool = False,
        return_hidden_states: Any = False,
        return_routed_experts: bool = False,
        routed_experts_start_len: int = 0,
        stream: bool = False,
        bootstrap_host: Any = None,
        bootstrap_port: Any = None,
        bootstrap_room: Any = None,
        routed_dp_rank: int | None = None,
        disagg_prefill_dp_rank: int | None = None,
        kv_hints: Any = None,
        data_parallel_rank: int | None = None,
        external_trace_header: Any = None,
        rid: Any = None,
        session_params: Any = None,
        priority: int | None = None,
        session_id: str | None = None,
        *,
        cache_salt: Any = None,
    ) -> Any:
        asked = SimpleNamespace(rid=rid, input_ids=input_ids, sampling_params=dict(sampling_params))
        generator = self.tokenizer_manager.generate_request(asked, None)
        return generator if stream else await anext(generator)

    def shutdown(self) -> None:
        self.shut_down = True
