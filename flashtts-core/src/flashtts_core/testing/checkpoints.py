"""Small language models with random weights in the official layout, and transformers' answers for them.

Needs torch and transformers. The heads have size 32, the smallest that every runtime computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

Family = Literal["qwen2", "llama"]

VOCAB_SIZE = 1024
MAX_LENGTH = 2048


def make_checkpoint(folder: Path, family: Family, *, vocab_size: int = VOCAB_SIZE, **config: Any) -> Path:
    """Write ``config.json`` and ``model.safetensors`` (float32) into ``folder``, which may be new, and return it.

    ``qwen2`` has a tied head (as Spark-TTS), ``llama`` one of its own and llama3 scaling of its rotary positions that
    begins after 64 tokens (as Orpheus-TTS, where it begins after 8192). ``config`` are fields of the configuration
    that differ. The weights are the same every time, and large enough that greedy answers do not run in circles.
    """
    state = torch.get_rng_state()
    torch.manual_seed(0)
    try:
        model = _FAMILIES[family](vocab_size, config)
    finally:
        torch.set_rng_state(state)
    model.save_pretrained(folder)
    return folder


class TransformersReference:
    """What transformers computes for the model in ``folder``, in float32 on the CPU."""

    def __init__(self, folder: Path) -> None:
        # transformers' generate is mistyped; from_pretrained switches dropout off.
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    @torch.inference_mode()
    def greedy(self, prompt: Sequence[int], tokens: int, *, penalty: float = 1.0) -> list[int]:
        """Continue ``prompt`` with the ``tokens`` likeliest ids; ``penalty`` is the repetition penalty."""
        ids = torch.tensor([list(prompt)])
        written = self._model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=tokens,
            repetition_penalty=penalty,
            eos_token_id=-1,
            pad_token_id=0,
        )
        answer: list[int] = written[0, len(prompt) :].tolist()
        return answer

    @torch.inference_mode()
    def scores(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the scores [N, V] of the ids that follow each of ``ids`` [N]."""
        scores: NDArray[np.float32] = self._model(torch.tensor([list(ids)]), use_cache=False).logits[0].numpy()
        return scores


def _qwen2(vocab_size: int, changes: dict[str, Any]) -> PreTrainedModel:
    fields = {**_SHAPE, "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True}
    config: PretrainedConfig = Qwen2Config(vocab_size=vocab_size, **{**fields, **changes})
    return Qwen2ForCausalLM(config)  # type: ignore[no-untyped-call]  # transformers is half typed


def _llama(vocab_size: int, changes: dict[str, Any]) -> PreTrainedModel:
    scaling = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    rope = {**scaling, "rope_theta": 500_000.0, "original_max_position_embeddings": 64}
    fields = {**_SHAPE, "num_attention_heads": 4, "num_key_value_heads": 1, "rope_parameters": rope}
    config: PretrainedConfig = LlamaConfig(vocab_size=vocab_size, **{**fields, **changes})
    return LlamaForCausalLM(config)  # type: ignore[no-untyped-call]  # transformers is half typed


_SHAPE: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "max_position_embeddings": MAX_LENGTH,
    "initializer_range": 0.2,
}
_FAMILIES = {"qwen2": _qwen2, "llama": _llama}
