"""Holds requests to the ids that may follow, inside vLLM's sampler: one set, or several that repeat in turn.

vLLM's own ``allowed_token_ids`` knows one set. This class is named in vLLM's configuration and made in the process that
computes the model; a request brings its sets in ``SamplingParams.extra_args``.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from vllm.v1.sample.logits_processor import LogitsProcessor, process_dict_updates

from flashtts_core.backends.choices import Ranges

ARGUMENT = "flashtts_allowed"
"""Key of ``extra_args``: a list of sets, each a list of half-open ranges ``[first, end]``, stop ids included."""
_KEPT = 64
"""Masks that are kept: more than the sets that a few engines use in turn, at one byte an id each."""


class _Job:
    """The sets of one request, and its answer so far, which vLLM keeps up to date."""

    def __init__(self, choices: Sequence[Ranges], written: Sequence[int]) -> None:
        self._choices = choices
        self._written = written

    @property
    def choice(self) -> Ranges:
        """The ids that may come next."""
        return self._choices[len(self._written) % len(self._choices)]


class AllowedIds(LogitsProcessor):  # type: ignore[misc]  # vllm is not installed where types are checked
    """A batch-wide processor of vLLM's sampler; see ``LogitsProcessor`` there."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        self._device = device
        self._jobs: dict[int, _Job] = {}  # by row of the batch
        self._masks: OrderedDict[tuple[int, Ranges], Tensor] = OrderedDict()

    def is_argmax_invariant(self) -> bool:
        """Say that greedy requests need this too."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow requests as they come, go and change rows."""
        process_dict_updates(self._jobs, batch_update, _job)

    def apply(self, logits: Tensor) -> Tensor:
        """Give ids that may not follow the score minus infinity; ``logits`` [R, V] in place."""
        choices = {row: job.choice for row, job in self._jobs.items()}
        if len(choices) == len(logits) and len(set(choices.values())) == 1:
            return logits.masked_fill_(self._mask(choices[0], logits.shape[-1]), -math.inf)
        for row, choice in choices.items():
            logits[row].masked_fill_(self._mask(choice, logits.shape[-1]), -math.inf)
        return logits

    def _mask(self, choice: Ranges, vocab_size: int) -> Tensor:
        """Return which ids are not in the set [V]."""
        key = (vocab_size, choice)
        if key not in self._masks:
            mask = torch.ones(vocab_size, dtype=torch.bool)
            for first, end in choice:
                mask[first:end] = False
            self._masks[key] = mask.to(self._device)
            if len(self._masks) > _KEPT:
                self._masks.popitem(last=False)
        self._masks.move_to_end(key)
        return self._masks[key]


def _job(params: Any, prompt: list[int] | None, written: list[int]) -> _Job | None:
    sets = (params.extra_args or {}).get(ARGUMENT)
    if not sets:
        return None
    return _Job([tuple((first, end) for first, end in ranges) for ranges in sets], written)
