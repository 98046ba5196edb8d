"""SGLang as a backend of flashtts. Importing this is cheap; sglang is imported when a model is opened."""

from __future__ import annotations

from flashtts_core import Backend, BackendContext, BackendSpec, hookimpl
from flashtts_core.types import SAMPLING_FIELDS

NOT_HONOURED = frozenset({"repetition_penalty", "seed"})
"""The penalty is passed on, but SGLang counts the answer alone and not the prompt; the seed means nothing to it unless
the whole engine runs in its deterministic mode, which leaves attention kernels and speed behind."""


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the backend."""
    return [
        BackendSpec(
            name="sglang",
            summary="SGLang on NVIDIA GPUs: prefix cache, overlapped scheduling.",
            open=open_sglang,
            sampling=frozenset(SAMPLING_FIELDS) - NOT_HONOURED,
            knobs=frozenset(
                {"llm_batch_size", "llm_device", "llm_gpu_memory_utilization", "max_length", "seed", "torch_dtype"}
            ),
            requires=("sglang",),
            install='pip install "flashtts[sglang]"',
        )
    ]


async def open_sglang(context: BackendContext) -> Backend:
    """Start SGLang on the model in ``context.folder``; raises ``ConfigError`` and ``BadCheckpoint``."""
    from flashtts_backend_sglang.arguments import engine_arguments  # noqa: PLC0415  # only when opened
    from flashtts_backend_sglang.backend import SglangBackend  # noqa: PLC0415
    from flashtts_backend_sglang.release import engine_class  # noqa: PLC0415

    arguments = engine_arguments(context.folder, context.settings)
    return await SglangBackend.start(engine_class(), arguments)
