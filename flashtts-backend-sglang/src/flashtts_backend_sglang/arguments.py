"""What SGLang is asked for: the arguments of its engine, and the sampling parameters of a request."""

from __future__ import annotations

import logging
from collections.abc import Set
from pathlib import Path
from typing import Any

from msgspec import Struct

from flashtts_backend_sglang.card import capability_of
from flashtts_core import Settings, TokenRequest
from flashtts_core.backends.cards import COMPUTES_BFLOAT16, Capability
from flashtts_core.backends.formats import chosen_format, stands_half
from flashtts_core.backends.torch.config import read_fields
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Dtype

logger = logging.getLogger(__name__)

RESERVED = 2
"""Tokens of its context that SGLang keeps for itself."""
_SEEDS = 2**32  # SGLang seeds numpy, which takes no larger ones


class _ModelConfig(Struct, frozen=True):
    model_type: str
    max_position_embeddings: int


def engine_arguments(folder: Path, settings: Settings) -> dict[str, Any]:
    """Return the arguments of ``sglang.Engine`` for the model in ``folder``; raises ``ConfigError``, ``BadCheckpoint``.

    Ids go in and out, so no tokenizer is loaded; answers come as disjoint pieces instead of growing lists.
    """
    config, device = read_fields(folder, _ModelConfig), device_arguments(settings.llm_device)
    return {
        "model_path": str(folder),
        "skip_tokenizer_init": True,
        "incremental_streaming_output": True,
        "stream_interval": 1,
        "dtype": number_format(settings.torch_dtype, config.model_type, capability_of(settings.llm_device)),
        "context_length": min(settings.max_length + RESERVED, config.max_position_embeddings),
        "max_running_requests": settings.llm_batch_size,
        "mem_fraction_static": settings.llm_gpu_memory_utilization,
        "random_seed": settings.seed % _SEEDS,
        **device,
    }


def number_format(wanted: Dtype, model_type: str, capability: Capability | None) -> Dtype:
    """Return the format to compute in on a card of this compute capability, ``None`` for a CPU.

    Left alone, SGLang runs a float32 checkpoint in float16. Raises ``ConfigError`` where it can do nothing else and the
    family overflows.
    """
    if capability is None or capability >= COMPUTES_BFLOAT16:  # its kernels for CPUs compute no float32
        return chosen_format(wanted, model_type, native="bfloat16", halves=True)
    # SGLang 0.5.23 puts float16 in place of whatever it is told (maybe_downgrade_dtype_for_legacy_gpu).
    card = ".".join(map(str, capability))
    if not stands_half(model_type):
        raise ConfigError(
            f"SGLang computes in float16 alone on this card (compute capability {card}), and {model_type} models "
            f"overflow in it and give no speech. Use --backend torch or --backend vllm with --torch_dtype float32."
        )
    if wanted not in {"auto", "float16"}:
        logger.warning(
            "--torch_dtype %s: SGLang computes in float16 alone on this card (compute capability %s).", wanted, card
        )
    return "float16"


def device_arguments(device: str) -> dict[str, Any]:
    """Return the arguments that choose a device.

    ``cuda:1`` is the second of the cards that ``CUDA_VISIBLE_DEVICES`` shows. That variable is left alone: it would
    hide the other cards from the codec, which lives in this process.
    """
    kind, _, index = device.partition(":")
    if kind == "mps":
        raise ConfigError("--llm_device mps: this backend runs on NVIDIA GPUs. Use auto or cuda, or --backend mlx-lm.")
    if kind == "auto":
        return {}
    return {"device": kind, **({"base_gpu_id": int(index)} if index else {})}


def sampling_parameters(request: TokenRequest, ends: Set[int]) -> dict[str, Any]:
    """Return SGLang's sampling parameters for a request; ``ends`` are the ids at which it stops of itself.

    ``ignore_eos`` switches off the model's own ends and, with them, ``stop_token_ids``. So SGLang is told the stop ids
    only if each of its ends is one; otherwise it goes on, and the backend ends the answer and aborts.
    """
    sampling = request.sampling
    parameters: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_k": sampling.top_k or -1,
        "top_p": sampling.top_p,
        "repetition_penalty": sampling.repetition_penalty,
        "max_new_tokens": sampling.max_tokens,
    }
    if ends <= request.stop:
        return {**parameters, "stop_token_ids": sorted(request.stop), "ignore_eos": False}
    return {**parameters, "ignore_eos": True}
