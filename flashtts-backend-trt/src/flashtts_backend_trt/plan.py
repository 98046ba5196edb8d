"""Decides what is opened, an engine folder or the model itself, and with which arguments; loads nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from flashtts_core import Settings
from flashtts_core.backends.cards import COMPUTES_BFLOAT16, Capability, capabilities
from flashtts_core.backends.formats import chosen_format, stands_half
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.settings import Dtype

logger = logging.getLogger(__name__)

ENGINE_FOLDER = "tensorrt-engine"


class _BuildConfig(Struct, frozen=True):
    max_batch_size: int
    max_seq_len: int


class _Pretrained(Struct, frozen=True):
    """The model that was built; ``qwen_type`` is what ``model_type`` is elsewhere, of that family alone."""

    vocab_size: int
    dtype: str | None = None
    qwen_type: str | None = None


class _EngineFile(Struct, frozen=True):
    """What an engine's ``config.json`` says of it."""

    build_config: _BuildConfig
    pretrained_config: _Pretrained


class _ModelFile(Struct, frozen=True):
    """What a model's ``config.json`` says of it; ``dtype`` was called ``torch_dtype`` by transformers 4."""

    model_type: str
    vocab_size: int
    max_position_embeddings: int
    dtype: str | None = None
    torch_dtype: str | None = None


class Plan(Struct, frozen=True):
    """What is opened: ``arguments`` of the runtime's LLM class, and the limits that follow from them."""

    engine: bool
    arguments: dict[str, Any]
    vocab_size: int
    max_length: int


def plan(folder: Path, settings: Settings) -> Plan:
    """Plan for the language model in ``folder``; raises ``ConfigError`` and ``BadCheckpoint``."""
    _check_device(settings.llm_device)
    engine = engine_folder(folder, settings)
    if engine is None:
        logger.info("No TensorRT engine was found; TensorRT-LLM runs the model %s on its PyTorch flow.", folder)
        return _plan_model(folder, settings)
    return _plan_engine(engine, settings)


def engine_folder(folder: Path, settings: Settings) -> Path | None:
    """Return the engine folder: the one given, else one beside the TTS model or inside the LLM's folder, if any."""
    if settings.llm_tensorrt_path is not None:
        given = Path(settings.llm_tensorrt_path).expanduser()
        if not given.is_dir():
            raise ConfigError(
                f"--llm_tensorrt_path {given}: there is no such folder. Give the folder of a built engine, or leave "
                f"the flag out to run the model itself."
            )
        return given
    parents = [Path(settings.model_path).expanduser(), folder] if settings.model_path else [folder]
    return next((path for parent in parents if (path := parent / ENGINE_FOLDER).is_dir()), None)


def _plan_engine(folder: Path, settings: Settings) -> Plan:
    file = _read(folder / "config.json", _EngineFile, "a TensorRT-LLM engine")
    built = file.build_config
    if built.max_batch_size < settings.llm_batch_size:
        raise ConfigError(
            f"--llm_batch_size {settings.llm_batch_size}: the engine in {folder} was built for {built.max_batch_size} "
            f"sequences at once. Use --llm_batch_size {built.max_batch_size}, or build it with --max_batch_size "
            f"{settings.llm_batch_size}."
        )
    model = file.pretrained_config
    if model.dtype == "float16" and not stands_half(model.qwen_type or ""):
        logger.warning(
            "The engine in %s was built in float16, which overflows in %s models and gives no speech. Build it with "
            "--dtype bfloat16, or float32 for cards before Ampere.",
            folder,
            model.qwen_type,
        )
    arguments = {
        "model": str(folder),
        "skip_tokenizer_init": True,
        "max_batch_size": settings.llm_batch_size,
    }
    return Plan(True, arguments, model.vocab_size, built.max_seq_len)


def _plan_model(folder: Path, settings: Settings) -> Plan:
    path = folder / "config.json"
    file = _read(path, _ModelFile, "a language model")
    chosen = number_format(settings.torch_dtype, file.model_type, capability_of_first_card())
    _compare_formats(path, file, chosen)
    max_length = min(settings.max_length, file.max_position_embeddings)
    arguments = {
        "model": str(folder),
        "skip_tokenizer_init": True,
        "dtype": chosen,
        "max_batch_size": settings.llm_batch_size,
        "max_seq_len": max_length,
        "enable_chunked_prefill": True,  # else a prompt may not exceed max_num_tokens, which is 8192
    }
    return Plan(False, arguments, file.vocab_size, max_length)


def capability_of_first_card() -> Capability:
    """Return the compute capability of the card that TensorRT-LLM takes; raises ``ConfigError`` if there is none."""
    cards = capabilities("TensorRT-LLM", remedy="Install it again as the README of flashtts-backend-trt says.")
    if not cards:
        raise ConfigError("TensorRT-LLM runs on NVIDIA GPUs, and PyTorch sees none here. Use another --backend.")
    return cards[0]


def number_format(wanted: Dtype, model_type: str, capability: Capability) -> Dtype:
    """Return the format to compute in on a card of this compute capability."""
    native: Dtype = "bfloat16" if capability >= COMPUTES_BFLOAT16 else "float32"
    return chosen_format(wanted, model_type, native=native, halves=True)


def _compare_formats(path: Path, file: _ModelFile, chosen: Dtype) -> None:
    # The PyTorch flow's loader reads the model's file and not the argument dtype (tests/backends/trt/record.json).
    stored = file.dtype or file.torch_dtype
    if stored not in {None, chosen}:
        logger.warning(
            "TensorRT-LLM computes in the number format that %s names, %s, even if it is told another. Change it to %s "
            "there.",
            path,
            stored,
            chosen,
        )


def _check_device(device: str) -> None:
    kind, _, index = device.partition(":")
    if kind in {"cpu", "mps"}:
        raise ConfigError(f"--llm_device {device}: TensorRT-LLM runs on NVIDIA GPUs. Use auto, or another --backend.")
    if index not in {"", "0"}:
        raise ConfigError(
            f"--llm_device {device}: TensorRT-LLM takes the first card it sees. "
            f"Start with CUDA_VISIBLE_DEVICES={index} and --llm_device cuda."
        )


File = TypeVar("File", bound=Struct)


def _read(path: Path, kind: type[File], what: str) -> File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BadCheckpoint(f"{path} cannot be read: {error.strerror or error}. Give the folder of {what}.") from error
    except msgspec.DecodeError as error:
        raise BadCheckpoint(f"{path} does not describe {what}: {error}.") from error
