"""The fake backend behind the server stops when its listener leaves, so the contract of stopping can be passed."""

from __future__ import annotations

import time
from collections.abc import Mapping

from flashtts_core.testing import CountingModel
from flashtts_core.testing.conformance import CountedBackend, counted
from server.stopping import ServerStops


class UnhurriedModel(CountingModel):
    """Takes a little time for each step, as models do."""

    def step(self) -> Mapping[str, list[int]]:
        time.sleep(0.002)
        return super().step()


class TestCountingBackend(ServerStops):
    async def open_counted(self) -> CountedBackend:
        return counted(UnhurriedModel(max_length=1 << 30))
