"""A card for tests: torch, which would be asked for it, comes with TensorRT-LLM and is not here."""

from __future__ import annotations

import pytest

from flashtts_backend_trt import plan


@pytest.fixture(autouse=True)
def _ampere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "capability_of_first_card", lambda: (8, 0))
