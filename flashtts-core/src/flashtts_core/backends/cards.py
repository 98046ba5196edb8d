"""What NVIDIA's cards are able to, as PyTorch knows them; asked by backends whose runtime brings it."""

from __future__ import annotations

from flashtts_core.errors import ConfigError

Capability = tuple[int, int]
"""Compute capability, as NVIDIA numbers it: (7, 5) is Turing, (8, 0) Ampere."""
COMPUTES_BFLOAT16: Capability = (8, 0)
"""The first that computes bfloat16 itself."""


def capabilities(runtime: str, *, remedy: str) -> list[Capability]:
    """Return the compute capability of every card that PyTorch can use, in the order of their numbers.

    Raises ``ConfigError`` that names ``runtime`` and ends in ``remedy`` if PyTorch cannot be imported.
    """
    try:
        import torch  # noqa: PLC0415  # heavy: only when a model is opened
    except ImportError as error:
        raise ConfigError(f"The PyTorch that {runtime} needs cannot be imported: {error}. {remedy}") from error
    return [torch.cuda.get_device_capability(card) for card in range(torch.cuda.device_count())]
