"""The mlx-lm backend as a plugin: language models on Apple silicon (or any CPU), in one continuous batch.

Importing this is cheap; mlx is imported when a model is opened.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from flashtts_core import Backend, BackendContext, BackendSpec, hookimpl
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.errors import ConfigError

if TYPE_CHECKING:
    from flashtts_backend_mlx.model import MlxModel

INSTALL = 'pip install "flashtts[mlx]"'


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the mlx-lm backend."""
    return [
        BackendSpec(
            name="mlx-lm",
            summary="Models of mlx-lm, quantised ones too: Apple GPU, CUDA builds of MLX, CPU.",
            open=open_mlx,
            aliases=("mlx",),
            restriction="cycle",
            knobs=frozenset({"llm_batch_size", "llm_device", "max_length", "torch_dtype"}),
            requires=("mlx", "mlx_lm"),
            install=INSTALL,
        )
    ]


async def open_mlx(context: BackendContext) -> Backend:
    """Load the model of ``context.folder``; raises ``ConfigError`` and ``BadCheckpoint``."""
    loading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="flashtts-load")
    try:
        return ThreadedBackend(await asyncio.get_running_loop().run_in_executor(loading, _load, context))
    finally:
        loading.shutdown(wait=False)  # a thread of its own, since nothing can be computed on one that forgot MLX


def _load(context: BackendContext) -> MlxModel:
    try:
        import mlx.core  # noqa: F401, PLC0415  # heavy: only when opened
    except ImportError as error:
        # On Linux the package mlx is a shell; what computes comes with its extras.
        raise ConfigError(f"MLX is installed without a runtime for this machine ({error}). Run: {INSTALL}") from error
    from flashtts_backend_mlx.model import load_mlx_model  # noqa: PLC0415  # heavy: only when opened
    from flashtts_backend_mlx.threads import forgetting_mlx  # noqa: PLC0415  # heavy: only when opened

    with forgetting_mlx():
        return load_mlx_model(context.folder, context.settings)
