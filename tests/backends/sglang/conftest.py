"""A card for tests that ask for none in particular: torch, which would be asked, comes with SGLang and is not here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flashtts_backend_sglang import arguments
from flashtts_core.backends.cards import Capability

AMPERE = (8, 0)


@pytest.fixture(autouse=True)
def put_card(monkeypatch: pytest.MonkeyPatch) -> Callable[[Capability | None], list[str]]:
    """Put a card into the machine; the answer lists for which devices it was asked."""

    def put(capability: Capability | None) -> list[str]:
        asked: list[str] = []

        def answer(device: str) -> Capability | None:
            asked.append(device)
            return capability

        monkeypatch.setattr(arguments, "capability_of", answer)
        return asked

    put(AMPERE)
    return put
