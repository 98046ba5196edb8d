"""Decides where and in which number format a model runs, and refuses settings that cannot be kept.

Every refusal happens before a weight is read and says what is possible instead.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from flashtts_core.backends.cards import COMPUTES_BFLOAT16
from flashtts_core.backends.formats import chosen_format
from flashtts_core.backends.torch.config import DecoderConfig
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Dtype, Settings

logger = logging.getLogger(__name__)

CACHES = ("dynamic", "static")
"""Values of ``--cache_implementation``: grown as needed (the default), or allocated whole at start."""
ATTENTIONS = ("eager", "sdpa")


@dataclass(frozen=True)
class Placement:
    """Where a model runs and how."""

    device: torch.device
    dtype: torch.dtype
    attention: str
    static_cache: bool


def place(settings: Settings, config: DecoderConfig) -> Placement:
    """Choose device, dtype, attention and cache; raises ``ConfigError`` for what cannot be kept."""
    device = _device(settings.llm_device)
    attention = settings.llm_attn_implementation
    if attention not in ATTENTIONS:
        raise ConfigError(
            f"--llm_attn_implementation {attention} is not available in the torch backend, which keeps all requests "
            f"in one cache; use {' or '.join(ATTENTIONS)} (sdpa picks PyTorch's fastest kernel)."
        )
    if attention == "sdpa" and device.type == "mps":
        # Masks that are the same for all queries of a group: pytorch#184180, mended after 2.12 at the earliest.
        logger.warning("--llm_attn_implementation sdpa misreads masks on Apple GPUs; eager is used instead.")
        attention = "eager"
    cache = settings.cache_implementation or "dynamic"
    if cache not in CACHES:
        raise ConfigError(
            f"--cache_implementation {cache} is not available in the torch backend; use {' or '.join(CACHES)}."
        )
    return Placement(device, _dtype(settings.torch_dtype, device, config.model_type), attention, cache == "static")


def _device(name: str) -> torch.device:
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"--llm_device {name}: this PyTorch sees {torch.cuda.device_count()} CUDA devices. Use auto or cpu, or "
            f"install a PyTorch that fits the driver."
        )
    if device.type == "mps" and not mps:
        raise ConfigError("--llm_device mps: there is no Apple GPU that this PyTorch can use. Use auto or cpu.")
    return device


def _dtype(name: Dtype, device: torch.device, model_type: str) -> torch.dtype:
    native: Dtype = "bfloat16" if _has_bfloat16(device) else "float32"
    kinds = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
    return kinds[chosen_format(name, model_type, native=native, halves=device.type != "cpu")]


def _has_bfloat16(device: torch.device) -> bool:
    """True if the device computes bfloat16 itself; a CPU is counted out, where float32 is as fast or faster."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= COMPUTES_BFLOAT16
    return device.type == "mps"
