"""The SGLang backend passes the contract on SGLang itself: its engine, scheduler and sampler, with torch's kernels."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from flashtts_backend_sglang import flashtts_backends
from flashtts_backend_sglang.arguments import engine_arguments
from flashtts_backend_sglang.backend import SglangBackend
from flashtts_backend_sglang.release import engine_class
from flashtts_core.backends import Backend
from flashtts_core.testing.conformance import CheckpointContract

(SPEC,) = flashtts_backends()
ON_A_CPU = {
    "attention_backend": "torch_native",
    "sampling_backend": "pytorch",
    "grammar_backend": "none",
    "disable_cuda_graph": True,
    "disable_overlap_schedule": True,
    "skip_server_warmup": True,
    "max_total_tokens": 8192,
    "mem_fraction_static": 0.3,
}
"""What SGLang needs to run without its kernels, beside what the backend asks of it."""


class SglangContract(CheckpointContract):
    spec = SPEC
    top_p_of_all = True

    async def open_backend(self) -> Backend:
        assert self._files is not None
        arguments = engine_arguments(Path(self._files.name), self.settings)
        return await SglangBackend.start(engine_class(), {**arguments, **ON_A_CPU})

    async def kill(self, backend: Backend) -> None:
        for process in multiprocessing.active_children():
            process.kill()


class TestQwen2(SglangContract):
    family = "qwen2"


class TestLlama(SglangContract):
    family = "llama"
