"""TensorRT-LLM as a backend of flashtts. Importing this is cheap; tensorrt_llm is imported when a model is opened."""

from __future__ import annotations

import asyncio

from flashtts_core import Backend, BackendContext, BackendSpec, hookimpl
from flashtts_core.types import SAMPLING_FIELDS

NOT_HONOURED = frozenset({"repetition_penalty", "seed"})
"""Both are passed on; what the runtime's samplers make of them depends on release and flow, and was not tried."""


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the backend."""
    return [
        BackendSpec(
            name="tensorrt-llm",
            aliases=("trt",),
            summary="TensorRT-LLM on NVIDIA GPUs: model folders or built engines.",
            open=open_trt,
            sampling=frozenset(SAMPLING_FIELDS) - NOT_HONOURED,
            knobs=frozenset({"llm_batch_size", "llm_device", "llm_tensorrt_path", "max_length", "torch_dtype"}),
            requires=("tensorrt_llm",),
            install='pip install tensorrt_llm "flashtts[trt]" (see the README of flashtts-backend-trt)',
        )
    ]


async def open_trt(context: BackendContext) -> Backend:
    """Open the engine that the settings name or the folder holds, else the model itself.

    Raises ``ConfigError`` and ``BadCheckpoint``.
    """
    from flashtts_backend_trt.backend import TrtBackend  # noqa: PLC0415  # only when opened
    from flashtts_backend_trt.plan import plan  # noqa: PLC0415
    from flashtts_backend_trt.runtime import load  # noqa: PLC0415

    chosen = plan(context.folder, context.settings)
    return TrtBackend(await asyncio.to_thread(load, chosen), chosen)
