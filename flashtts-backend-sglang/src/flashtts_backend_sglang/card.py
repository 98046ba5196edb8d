"""The compute capability of the card that ``--llm_device`` names, asked of torch, which SGLang brings."""

from __future__ import annotations

from flashtts_core.backends.cards import Capability, capabilities
from flashtts_core.errors import ConfigError


def capability_of(device: str) -> Capability | None:
    """Return the compute capability of a card, ``None`` for a CPU; raises ``ConfigError`` if there is no such card."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return None
    cards = capabilities("SGLang", remedy='Run in a fresh environment: pip install "flashtts[sglang]"')
    wanted = int(index or 0)
    if wanted < len(cards):
        return cards[wanted]
    if kind == "auto":
        return None
    there = ", ".join(f"cuda:{card}" for card in range(len(cards))) or "none"
    raise ConfigError(f"--llm_device {device}: there is no such card that PyTorch can use. Cards here: {there}.")
