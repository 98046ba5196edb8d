"""Settings are kept or refused with what is possible; nothing is ignored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch

from flashtts_core.backends.torch import cache as cache_module
from flashtts_core.backends.torch.config import DecoderConfig, read_config
from flashtts_core.backends.torch.memory import available_bytes, is_out_of_memory
from flashtts_core.backends.torch.model import TorchModel
from flashtts_core.backends.torch.placement import place
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Settings


@pytest.fixture
def config(checkpoints: dict[str, Path]) -> DecoderConfig:
    return read_config(checkpoints["llama"])


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, capability: int = 8, mps: bool = False) -> None:
    """Make torch see other devices than this machine has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (capability, 0))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("family", "devices", "expected"),
    [
        ("qwen2", {}, ("cpu", torch.float32)),
        ("llama", {}, ("cpu", torch.float32)),
        ("qwen2", {"cuda": 1}, ("cuda", torch.bfloat16)),
        ("llama", {"cuda": 1}, ("cuda", torch.bfloat16)),
        ("qwen2", {"cuda": 1, "capability": 7}, ("cuda", torch.float32)),
        ("llama", {"cuda": 1, "capability": 7}, ("cuda", torch.float16)),
        ("qwen2", {"mps": True}, ("mps", torch.bfloat16)),
    ],
)
def test_auto_takes_the_best_device_and_the_format_it_has_natively(
    family: str,
    devices: dict[str, int],
    expected: tuple[str, torch.dtype],
    config: DecoderConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, **devices)  # type: ignore[arg-type]  # mps is a bool, which is an int
    placement = place(Settings(), msgspec.structs.replace(config, model_type=family))
    assert (placement.device.type, placement.dtype) == expected


def test_what_the_user_asks_for_is_kept(config: DecoderConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=2)
    placement = place(Settings(llm_device="cuda:1", torch_dtype="float16", llm_attn_implementation="sdpa"), config)
    assert (placement.device, placement.dtype, placement.attention) == (torch.device("cuda:1"), torch.float16, "sdpa")
    assert place(Settings(llm_device="cpu", torch_dtype="bfloat16"), config).dtype == torch.bfloat16


def test_float16_is_replaced_with_one_warning_where_it_is_known_to_overflow(
    config: DecoderConfig, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(llm_device="cpu", torch_dtype="float16")
    with caplog.at_level(logging.WARNING):
        placement = place(settings, msgspec.structs.replace(config, model_type="qwen2"))
    assert placement.dtype == torch.float32
    (record,) = caplog.records
    assert "float32 is used instead" in record.getMessage()


def test_apple_gpus_compute_eager_attention(
    config: DecoderConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pretend(monkeypatch, mps=True)
    with caplog.at_level(logging.WARNING):
        assert place(Settings(llm_attn_implementation="sdpa"), config).attention == "eager"
    assert "eager is used instead" in caplog.text


def test_a_null_in_the_configuration_is_a_field_left_out(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    fields = msgspec.json.decode((checkpoints["llama"] / "config.json").read_bytes())
    optional = ("attention_bias", "mlp_bias", "tie_word_embeddings", "use_sliding_window", "rope_theta", "head_dim")
    (tmp_path / "config.json").write_bytes(msgspec.json.encode({**fields, **dict.fromkeys(optional)}))
    assert read_config(tmp_path) == read_config(checkpoints["llama"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(llm_device="cuda"), "sees 0 CUDA devices"),
        (Settings(llm_device="cuda:1"), "sees 0 CUDA devices"),
        (Settings(llm_device="mps"), "no Apple GPU"),
        (Settings(llm_device="cpu", llm_attn_implementation="flash_attention_2"), "use eager or sdpa"),
        (Settings(llm_device="cpu", cache_implementation="sliding_window"), "use dynamic or static"),
        (Settings(llm_device="cpu", cache_implementation="offloaded_static"), "use dynamic or static"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_is_possible(
    settings: Settings, message: str, config: DecoderConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch)
    with pytest.raises(ConfigError, match=message):
        place(settings, config)


def test_a_static_cache_beyond_the_memory_is_refused_at_start(
    checkpoints: dict[str, Path], open_model: Callable[..., TorchModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "available_bytes", lambda device: 1 << 20)
    with pytest.raises(ConfigError, match=r"256 requests of 2048 tokens .* are left\). Lower --llm_batch_size"):
        open_model(checkpoints["llama"], cache_implementation="static")


def test_memory_is_known_on_this_machine_or_left_to_the_allocator() -> None:
    left = available_bytes(torch.device("cpu"))
    assert left is None or left > 1 << 20
    assert available_bytes(torch.device("meta")) is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("shapes do not match"), False),
    ],
)
def test_errors_of_memory_are_told_from_others(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
