"""The vllm backend passes the contract of backends, with Qwen2; the product tests compare a Llama with torch.

vLLM's processes take half a minute to start, so what one family shows is not shown again with the other.
"""

from __future__ import annotations

from typing import Any

from flashtts_backend_vllm import flashtts_backends
from flashtts_core.backends import Backend
from flashtts_core.testing.conformance import CheckpointContract

(SPEC,) = flashtts_backends()


class TestQwen2(CheckpointContract):
    spec = SPEC
    family = "qwen2"

    async def kill(self, backend: Backend) -> None:
        engine: Any = backend._engine  # type: ignore[attr-defined]  # the process behind it is what dies
        for process in engine.engine_core.resources.engine_manager.processes:
            process.kill()
