"""The torch backend behind the server stops when its listener leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashtts_core.backends.torch.model import load_model
from flashtts_core.settings import Settings
from flashtts_core.testing.conformance import CountedBackend, counted
from server.stopping import ServerStops


class TestTorch(ServerStops):
    @pytest.fixture(autouse=True)
    def _use(self, checkpoints: dict[str, Path]) -> None:
        self.folder = checkpoints["qwen2"]

    async def open_counted(self) -> CountedBackend:
        return counted(load_model(self.folder, Settings(llm_device="cpu")))
