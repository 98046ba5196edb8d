"""What every plugin has to pass; needs pytest. Subclass a contract, say how to open the plugin, and run it.

::

    class TestMyEngine(EngineContract):
        async def open_engine(self) -> Engine:
            return await open_my_engine(...)
"""

from __future__ import annotations

from flashtts_core.testing.conformance.backend import BackendContract
from flashtts_core.testing.conformance.cancellation import CancellationContract, CountedBackend, CountedModel, counted
from flashtts_core.testing.conformance.engine import EngineContract
from flashtts_core.testing.conformance.running import run

__all__ = [
    "BackendContract",
    "CancellationContract",
    "CountedBackend",
    "CountedModel",
    "EngineContract",
    "counted",
    "run",
]
