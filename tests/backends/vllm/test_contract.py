"""The vllm backend passes the contract of backends."""

from __future__ import annotations

from typing import Any

from flashtts_backend_vllm import flashtts_backends
from flashtts_core.backends import Backend
from flashtts_core.testing.conformance import CheckpointContract

(SPEC,) = flashtts_backends()


class Contract(CheckpointContract):
    spec = SPEC

    async def kill(self, backend: Backend) -> None:
        engine: Any = backend._engine  # type: ignore[attr-defined]  # the process behind it is what dies
        for process in engine.engine_core.resources.engine_manager.processes:
            process.kill()


class TestQwen2(Contract):
    family = "qwen2"


class TestLlama(Contract):
    family = "llama"

    # These two start an engine of their own, which takes long; nothing in them depends on the family.
    test_a_dead_engine_is_reported_and_nothing_hangs = None  # type: ignore[assignment]  # checked with Qwen2
    test_closing_ends_what_runs_and_a_closed_backend_says_so = None  # type: ignore[assignment]  # checked with Qwen2
