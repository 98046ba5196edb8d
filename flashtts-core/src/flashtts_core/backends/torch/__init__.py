"""The torch backend as a plugin: Qwen2 and Llama models in this process, many requests in one continuous batch.

Importing this is cheap; torch is imported when a model is opened.
"""

from __future__ import annotations

import asyncio

from flashtts_core.backends import Backend, BackendContext, BackendSpec
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.hookspecs import hookimpl


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the torch backend."""
    return [
        BackendSpec(
            name="torch",
            summary="Qwen2 and Llama models on PyTorch: CPU, CUDA or Apple GPU.",
            open=open_torch,
            restriction="cycle",
            knobs=frozenset(
                {
                    "cache_implementation",
                    "llm_attn_implementation",
                    "llm_batch_size",
                    "llm_device",
                    "max_length",
                    "torch_dtype",
                }
            ),
            requires=("torch", "safetensors"),
            install='pip install "flashtts[torch]"',
        )
    ]


async def open_torch(context: BackendContext) -> Backend:
    """Load the model of ``context.folder``; raises ``ConfigError`` and ``BadCheckpoint``."""
    from flashtts_core.backends.torch.model import load_model  # noqa: PLC0415  # heavy: only when opened

    return ThreadedBackend(await asyncio.to_thread(load_model, context.folder, context.settings))
