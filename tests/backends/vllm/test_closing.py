"""However vLLM is closed, its processes end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from flashtts_backend_vllm.backend import VllmBackend


class SlowEngine:
    """An engine that does not answer when it is told to abort."""

    errored = False
    model_config = SimpleNamespace(get_vocab_size=lambda: 100, max_model_len=100)

    def __init__(self) -> None:
        self.ended = 0

    async def abort(self, ids: list[str]) -> None:
        await asyncio.Event().wait()

    def shutdown(self) -> None:
        self.ended += 1


def test_an_interrupted_close_ends_the_processes_all_the_same() -> None:
    async def check() -> None:
        engine = SlowEngine()
        backend = VllmBackend(cast("Any", engine))
        closing = asyncio.create_task(backend.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await backend.aclose()
        assert closing.cancelled()
        assert engine.ended == 1

    asyncio.run(asyncio.wait_for(check(), 20))
