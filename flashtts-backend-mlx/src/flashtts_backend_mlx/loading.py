"""Loads a model of mlx-lm onto a device in a number format, whole and strictly."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx_lm.utils import load_model
from msgspec import Struct

from flashtts_backend_mlx.config import ModelConfig, read_config
from flashtts_core.backends.formats import without_overflow
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.settings import Dtype, Settings

logger = logging.getLogger(__name__)

_KINDS = {"float16": mx.float16, "bfloat16": mx.bfloat16, "float32": mx.float32}


class LoadedModel(Struct, frozen=True, eq=False):
    """A network of mlx-lm with its configuration, its device and the format it computes in."""

    network: Any
    config: ModelConfig
    device: Any
    dtype: Dtype


def load_network(folder: Path, settings: Settings) -> LoadedModel:
    """Load the model in ``folder``; raises ``BadCheckpoint`` and ``ConfigError``."""
    device = _device(settings.llm_device)
    config = read_config(folder)
    native: Dtype = "float32" if device == mx.Device(mx.cpu) else "bfloat16"
    wanted = native if settings.torch_dtype == "auto" else settings.torch_dtype
    dtype = without_overflow(wanted, config.model_type, instead=native)
    with mx.stream(device):
        network = _read(folder, config)
        network.set_dtype(_KINDS[dtype])
        _compute(network)
    return LoadedModel(network, config, device, dtype)


def _device(name: str) -> Any:
    metal, cuda = mx.metal.is_available(), mx.cuda.is_available()
    kind, _, index = name.partition(":")
    there = {"auto": True, "cpu": True, "mps": metal, "cuda": cuda}[kind]
    if not there or (kind == "cuda" and int(index or 0) >= mx.device_count(mx.gpu)):
        possible = ["auto", "cpu", *(["mps"] if metal else []), *(["cuda"] if cuda else [])]
        raise ConfigError(
            f"--llm_device {name} is not there for this build of MLX; use {' or '.join(possible)}. "
            f'On Linux with an NVIDIA card, pip install "mlx[cuda12]" brings the build that has it.'
        )
    if kind == "auto":
        return mx.default_device()
    return mx.Device(mx.cpu if kind == "cpu" else mx.gpu, int(index or 0))


def _read(folder: Path, config: ModelConfig) -> Any:
    try:
        network, _ = load_model(folder, lazy=True, model_config=config.changes)
    except (ValueError, TypeError, KeyError, RuntimeError, OSError) as error:
        # mlx-lm has no errors of its own: a missing tensor, a misshapen one and an unknown family are ValueErrors.
        reason = str(error).strip().replace("\n", " ")
        raise BadCheckpoint(f"mlx-lm cannot load the {config.model_type} model in {folder}: {reason[:500]}.") from error
    return network


def _compute(network: Any) -> None:
    """Compute every array of the network now: what is left for later belongs to the thread that loads.

    ``parameters()`` leaves out tables of rotary frequencies, which are private, hence the walk.
    """
    for module in network.modules():
        mx.eval([value for value in module.values() if isinstance(value, mx.array)])
