"""What every plugin has to pass; needs pytest. Subclass a contract, say how to open the plugin, and run it.

::

    class TestMyEngine(EngineContract):
        async def open_engine(self) -> Engine:
            return await open_my_engine(...)


    class TestMyBackend(CheckpointContract):
        spec = SPEC
        family = "qwen2"
"""

from __future__ import annotations

from flashtts_core.testing.conformance.backend import BackendContract
from flashtts_core.testing.conformance.cancellation import CancellationContract, CountedBackend, CountedModel, counted
from flashtts_core.testing.conformance.checkpoint import CheckpointContract
from flashtts_core.testing.conformance.engine import EngineContract
from flashtts_core.testing.conformance.opened import Reference
from flashtts_core.testing.conformance.running import run

__all__ = [
    "BackendContract",
    "CancellationContract",
    "CheckpointContract",
    "CountedBackend",
    "CountedModel",
    "EngineContract",
    "Reference",
    "counted",
    "run",
]
