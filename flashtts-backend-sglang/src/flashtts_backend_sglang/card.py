"""The compute capability of the card that ``--llm_device`` names, asked of torch, which SGLang brings."""

from __future__ import annotations

from flashtts_core.errors import ConfigError

Capability = tuple[int, int]


def capability_of(device: str) -> Capability | None:
    """Return the compute capability of a card, ``None`` for a CPU; raises ``ConfigError`` if there is no such card."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return None
    try:
        import torch  # noqa: PLC0415  # heavy: only when a model is opened
    except ImportError as error:
        raise ConfigError(
            f"The PyTorch that SGLang needs cannot be imported: {error}. Run in a fresh environment: "
            f'pip install "flashtts[sglang]"'
        ) from error
    cards, wanted = torch.cuda.device_count(), int(index or 0)
    if wanted < cards:
        return torch.cuda.get_device_capability(wanted)
    if kind == "auto":
        return None
    there = ", ".join(f"cuda:{card}" for card in range(cards)) or "none"
    raise ConfigError(f"--llm_device {device}: there is no such card that PyTorch can use. Cards here: {there}.")
