"""Where llama.cpp runs: on which GPU, if any."""

from __future__ import annotations

import llama_cpp
from msgspec import Struct

from flashtts_core.errors import ConfigError

_REBUILD = 'CMAKE_ARGS="-DGGML_CUDA=on" pip install --force-reinstall --no-cache-dir llama-cpp-python'


class Gpus(Struct, frozen=True):
    """The GPU with this number, or all that there are: llama.cpp spreads a model's layers over them."""

    number: int | None = None

    def __str__(self) -> str:
        return "all GPUs" if self.number is None else f"GPU {self.number}"


def gpus_of(device: str) -> Gpus | None:
    """Return the GPUs for a device as ``--llm_device`` names it, ``None`` for the CPU alone.

    ``cuda:1`` names one; ``cuda`` and ``auto`` name none. Raises ``ConfigError`` if a GPU is asked for and
    llama-cpp-python was built without one.
    """
    with_gpu = bool(llama_cpp.llama_supports_gpu_offload())
    if device == "cpu" or (device == "auto" and not with_gpu):
        return None
    if not with_gpu:
        raise ConfigError(
            f"--llm_device {device}: this llama-cpp-python was built for the CPU alone. Use --llm_device cpu, or build "
            f"it for the GPU: {_REBUILD}"
        )
    number = device.partition(":")[2]
    return Gpus(int(number) if number else None)
