"""A model of mlx-lm as a ``BatchModel``: mlx-lm's continuous batch, told when requests come and go.

mlx-lm computes one step ahead: when a token is handed out, the next step has begun. Requests are inserted without a
limit and without stop ids, which are the host's part, and removed when they are released.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx_lm.generate import BatchGenerator

from flashtts_backend_mlx.loading import LoadedModel, load_network
from flashtts_backend_mlx.sampling import Chooser
from flashtts_backend_mlx.threads import forgetting_mlx
from flashtts_core.backends.faults import scores_not_numbers
from flashtts_core.backends.limits import check_room
from flashtts_core.errors import EngineError
from flashtts_core.settings import Settings
from flashtts_core.types import TokenRequest

logger = logging.getLogger(__name__)

_SLICE_ON_CPU = 64
_SLICE = 512
"""Tokens of a prompt that are read between two steps of those that write."""
_READ_TOGETHER = 4
"""Prompts that are read together at most."""
_NO_MEMORY = ("unable to allocate", "attempting to allocate", "out of memory", "insufficient memory", "bad_alloc")
"""What MLX says in a plain ``RuntimeError`` when memory is short."""


class MlxModel:
    """A language model that advances a batch of requests; see ``BatchModel``."""

    def __init__(self, model: LoadedModel, *, slots: int, max_length: int) -> None:
        self.vocab_size = model.config.vocab_size
        self.max_length = max_length
        self.slots = slots
        self._model = model
        # Streams of MLX belong to threads; this one is made anew in the thread that uses it.
        self._stream = mx.new_thread_local_stream(model.device)
        self._batch = self._new_batch()
        self._numbers: dict[str, int] = {}  # mlx-lm's numbers of requests, by our ids

    def admit(self, request: TokenRequest) -> None:
        """Take a request into the batch; raises ``RequestError``."""
        check_room(request, self.max_length)
        with mx.stream(self._stream):
            chooser = Chooser(request, self.vocab_size)
        (self._numbers[request.id],) = self._batch.insert(
            [list(request.prompt)],
            max_tokens=[sys.maxsize],
            samplers=[chooser.choose],
            logits_processors=[[chooser.prepare]],
        )

    def step(self) -> Mapping[str, list[int] | EngineError]:
        """Advance the batch; where memory is short, all requests get the error and the next ones start anew."""
        try:
            _, written = self._batch.next()
        except (MemoryError, RuntimeError) as error:
            return self._started_anew(error)
        requests = {number: key for key, number in self._numbers.items()}
        return {
            requests[each.uid]: [each.token] if _is_sound(each) else scores_not_numbers(self._model.dtype)
            for each in written
        }

    def release(self, request_id: str) -> None:
        """Take a request out of the batch."""
        self._batch.remove([self._numbers.pop(request_id)])

    def close(self) -> None:
        """Free the model and what MLX keeps for the thread that ran it; nothing can be called after it."""
        with forgetting_mlx():
            self._batch.close()
            self._numbers.clear()
            del self._batch, self._model

    def _new_batch(self) -> Any:
        on_cpu = self._model.device == mx.Device(mx.cpu)
        return BatchGenerator(
            self._model.network,
            completion_batch_size=self.slots,
            prefill_batch_size=min(self.slots, _READ_TOGETHER),
            prefill_step_size=_SLICE_ON_CPU if on_cpu else _SLICE,
            stream=self._stream,
        )

    def _started_anew(self, error: Exception) -> dict[str, list[int] | EngineError]:
        """Begin with an empty batch: mlx-lm's is half a step on when it fails. Raises what is not about memory."""
        if not isinstance(error, MemoryError) and not any(part in str(error).lower() for part in _NO_MEMORY):
            raise error
        explained = EngineError(
            f"There was no memory left to go on with {len(self._numbers)} requests. Try again when less is running, "
            f"or lower --llm_batch_size or --max_length."
        )
        explained.__cause__ = error
        self._batch.close()
        self._batch = self._new_batch()
        return dict.fromkeys(self._numbers, explained)


def load_mlx_model(folder: Path, settings: Settings) -> MlxModel:
    """Load the language model in ``folder``; raises ``BadCheckpoint`` and ``ConfigError``."""
    model = load_network(folder, settings)
    slots, max_length = settings.llm_batch_size, min(settings.max_length, model.config.max_length)
    logger.info(
        "Language model %s: %s on %s, context of %d tokens, %d requests at once.",
        folder,
        model.dtype,
        model.device,
        max_length,
        slots,
    )
    return MlxModel(model, slots=slots, max_length=max_length)


def _is_sound(written: Any) -> bool:
    """Say whether the score of the id that was written is a number; one that is not spoils them all.

    The array has been computed, so reading it in place waits for nothing; an operation on it would wait for the step
    that runs by now.
    """
    return math.isfinite(memoryview(written.logprobs)[written.token])
