"""The compute capability of the card that TensorRT-LLM takes, asked of torch, which comes with it."""

from __future__ import annotations

from flashtts_core.errors import ConfigError

Capability = tuple[int, int]


def capability_of_first_card() -> Capability:
    """Return the compute capability of the first card that is seen; raises ``ConfigError`` if none is."""
    try:
        import torch  # noqa: PLC0415  # heavy: only when a model is opened
    except ImportError as error:
        raise ConfigError(f"The PyTorch that TensorRT-LLM needs cannot be imported: {error}.") from error
    if not torch.cuda.is_available():
        raise ConfigError("TensorRT-LLM runs on NVIDIA GPUs, and PyTorch sees none here. Use another --backend.")
    return torch.cuda.get_device_capability(0)
