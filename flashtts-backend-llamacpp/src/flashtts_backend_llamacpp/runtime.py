"""The border to llama.cpp: loading, one batch a call, scores, and the places of sequences in its cache.

Everything that is ctypes is here. One thread at a time may use a ``Runtime``; calls release the interpreter lock.
"""

from __future__ import annotations

import ctypes
import logging
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_backend_llamacpp.placement import Gpus
from flashtts_core.errors import BadCheckpoint, ConfigError

logger = logging.getLogger(__name__)

CACHE_TYPES = {"f32": llama_cpp.GGML_TYPE_F32, "f16": llama_cpp.GGML_TYPE_F16, "q8_0": llama_cpp.GGML_TYPE_Q8_0}
MOST_SEQUENCES = int(llama_cpp.llama_max_parallel_sequences())

_NO_ROOM = {1, -2}
"""What ``llama_decode`` returns when the cache is full, and when memory is (``GGML_STATUS_ALLOC_FAILED``)."""
_FLASH_OFF, _FLASH_AUTO = 0, -1
_NO_SUCH_GPU = re.compile(r"invalid value for main_gpu.*available devices: (\d+)")
_LONGEST_NAME = 128
_ERROR_LEVEL = 4  # of ggml_log_level: 1 debug, 2 info, 3 warning, 4 error, 5 more of the last


class NoRoom(Exception):
    """There is no memory for this step, or no place in the cache; part of its tokens may have got there."""


class Part(Struct, frozen=True):
    """Tokens of one sequence for one step: ``ids`` at the positions from ``start`` on; ``scored``: of the last one."""

    sequence: int
    start: int
    ids: Sequence[int]
    scored: bool


class RuntimePlan(Struct, frozen=True):
    """How a model is opened.

    ``cells`` tokens are held for all sequences together; a step has at most ``batch`` tokens, ``sequences`` of them
    scored.
    """

    cells: int
    sequences: int
    batch: int
    threads: int
    cache: str


class Model:
    """The weights of a GGUF file."""

    def __init__(self, path: Path, gpus: Gpus | None) -> None:
        """Raises ``ConfigError`` (no such GPU) and ``BadCheckpoint``: what llama.cpp says is part of it."""
        _start()
        wanted = llama_cpp.llama_model_default_params()
        wanted.n_gpu_layers = 0 if gpus is None else -1
        if gpus is None or gpus.number is not None:
            # In the other modes the layers lie on all GPUs, whichever is the main one; and without layers a GPU still
            # takes memory and large products, unless none is left (-1).
            wanted.split_mode = llama_cpp.LLAMA_SPLIT_MODE_NONE
            wanted.main_gpu = -1 if gpus is None else gpus.number
        with_reasons = _Reasons()
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), wanted)
        if not self._model:
            _check_gpu(gpus, str(with_reasons))
            raise BadCheckpoint(f"llama.cpp cannot load {path}: {with_reasons}. Make the file again.")
        self.vocab_size = int(llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model)))
        self.max_length = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self.model_type = self._text(b"general.architecture")
        kind = llama_cpp.llama_model_ftype(self._model) & ~llama_cpp.LLAMA_FTYPE_GUESSED
        self.in_half = kind == llama_cpp.LLAMA_FTYPE_MOSTLY_F16

    def open(self, plan: RuntimePlan) -> Runtime:
        """Return a context for running; the model belongs to it then. Raises ``ConfigError`` if memory is short."""
        wanted = llama_cpp.llama_context_default_params()
        wanted.n_ctx = plan.cells
        wanted.n_batch = wanted.n_ubatch = plan.batch  # one step is one pass over the weights
        wanted.n_seq_max = wanted.n_outputs_max = plan.sequences
        wanted.n_threads = wanted.n_threads_batch = plan.threads
        wanted.type_k = wanted.type_v = CACHE_TYPES[plan.cache]
        wanted.kv_unified = True
        # With a float16 cache, llama.cpp's flash attention adds up in float16 on a CPU: an answer would depend on its
        # company (measured). A packed cache cannot do without it.
        wanted.flash_attn_type = _FLASH_AUTO if plan.cache == "q8_0" else _FLASH_OFF
        wanted.no_perf = True
        with_reasons = _Reasons()
        context = llama_cpp.llama_init_from_model(self._model, wanted)
        if not context:
            self.close()
            raise ConfigError(
                f"llama.cpp cannot make a cache of {plan.cells} tokens for {plan.sequences} requests: {with_reasons}. "
                f"Lower --max_length, --llama_cpp_kv_tokens or --llm_batch_size."
            )
        return Runtime(self, context, plan)

    def close(self) -> None:
        """Free the weights."""
        llama_cpp.llama_model_free(self._model)

    def _text(self, key: bytes) -> str:
        """Return what the file says under ``key``, nothing if it does not."""
        value = ctypes.create_string_buffer(_LONGEST_NAME)
        llama_cpp.llama_model_meta_val_str(self._model, key, value, _LONGEST_NAME)
        return value.value.decode(errors="replace")


def _check_gpu(gpus: Gpus | None, reasons: str) -> None:
    """Raise ``ConfigError`` if the reasons are that there is no such GPU; llama.cpp alone can count them."""
    if gpus is not None and (refusal := _NO_SUCH_GPU.search(reasons)):
        there = ", ".join(f"cuda:{number}" for number in range(int(refusal[1]))) or "none"
        raise ConfigError(f"llama.cpp sees no {gpus}. GPUs here, as --llm_device names them: {there}.")


class Runtime:
    """A model and its cache, ready to run."""

    def __init__(self, model: Model, context: Any, plan: RuntimePlan) -> None:
        self.vocab_size = model.vocab_size
        self.max_length = model.max_length
        self.plan = plan
        self._model = model
        self._context = context
        self._memory = llama_cpp.llama_get_memory(context)
        self._arrays = _BatchArrays(plan.batch)

    def run(self, parts: Sequence[Part]) -> list[NDArray[np.float32]]:
        """Run one step; return the scores [V] after each part that wants them, valid until the next step.

        Raises ``NoRoom``, or ``RuntimeError`` when llama.cpp is broken.
        """
        batch, scored = self._arrays.fill(parts)
        status = llama_cpp.llama_decode(self._context, batch)
        if status in _NO_ROOM:
            raise NoRoom
        if status != 0:
            raise RuntimeError(f"llama.cpp stopped with status {status}")
        return [
            np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, at), (self.vocab_size,))
            for at in scored
        ]

    def forget(self, sequence: int, start: int = 0) -> None:
        """Free the places of a sequence's tokens from position ``start`` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def close(self) -> None:
        """Free cache and weights."""
        llama_cpp.llama_free(self._context)
        self._model.close()


class _BatchArrays:
    """The memory that llama.cpp reads a batch from, filled by numpy: one call a part, not one a token."""

    def __init__(self, size: int) -> None:
        self._token, self._position, self._sequence = (np.zeros(size, np.int32) for _ in range(3))
        self._scored = np.zeros(size, np.int8)
        self._one_sequence_each = np.ones(size, np.int32)
        places = self._sequence.ctypes.data + np.arange(size, dtype=np.uint64) * self._sequence.itemsize
        self._sequence_of = places.astype(np.uintp)  # the address of each token's sequence
        self._batch = llama_cpp.llama_batch(
            0,
            _pointer(self._token, ctypes.c_int32),
            None,
            _pointer(self._position, ctypes.c_int32),
            _pointer(self._one_sequence_each, ctypes.c_int32),
            ctypes.cast(self._sequence_of.ctypes.data, ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
            _pointer(self._scored, ctypes.c_int8),
        )

    def fill(self, parts: Sequence[Part]) -> tuple[Any, list[int]]:
        """Return the batch, and where in it the tokens are whose scores are wanted."""
        self._scored[:] = 0
        end, scored = 0, []
        for part in parts:
            first, end = end, end + len(part.ids)
            self._token[first:end] = part.ids
            self._position[first:end] = np.arange(part.start, part.start + len(part.ids))
            self._sequence[first:end] = part.sequence
            if part.scored:
                self._scored[end - 1] = 1
                scored.append(end - 1)
        self._batch.n_tokens = end
        return self._batch, scored


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(kind))


class _Reasons:
    """What llama.cpp reports as wrong from now on."""

    def __init__(self) -> None:
        _LAST_ERRORS.clear()

    def __str__(self) -> str:
        return "; ".join(_LAST_ERRORS) or "it gives no reason"


_LAST_ERRORS: deque[str] = deque(maxlen=3)


def _report(level: int, text: bytes, _: object) -> None:
    """Pass llama.cpp's messages to logging: errors as that, the rest for those who debug."""
    if message := text.decode(errors="replace").strip(" .\n"):
        if level == _ERROR_LEVEL:
            _LAST_ERRORS.append(message)
        logger.log(logging.ERROR if level == _ERROR_LEVEL else logging.DEBUG, "%s", message)


_REPORT = llama_cpp.llama_log_callback(_report)  # llama.cpp calls it as long as the process lives


def _start() -> None:
    llama_cpp.llama_log_set(_REPORT, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
