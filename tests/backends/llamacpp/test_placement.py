"""On which GPUs llama.cpp is asked to run, and what is said of GPUs and files with which it cannot."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import llama_cpp
import pytest

from flashtts_backend_llamacpp import LlamaCppSettings
from flashtts_backend_llamacpp.convert import convert_model
from flashtts_backend_llamacpp.formats import NumberFormat
from flashtts_backend_llamacpp.model import load_model
from flashtts_backend_llamacpp.placement import Gpus, gpus_of
from flashtts_backend_llamacpp.runtime import Model, _report
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint

NO_SUCH_GPU = "%s: invalid value for main_gpu: %d (available devices: %zu)"
"""What llama.cpp says of a number that is too high (llama_prepare_model_devices)."""


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A llama-cpp-python that was built for GPUs; what it loads stays on the CPU."""
    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: True)


def test_a_build_for_the_cpu_knows_no_gpus() -> None:
    assert gpus_of("cpu") is gpus_of("auto") is None
    with pytest.raises(ConfigError, match="built for the CPU alone"):
        gpus_of("cuda")


@pytest.mark.usefixtures("with_gpu")
def test_a_gpu_is_one_if_it_is_named_by_its_number_and_else_all() -> None:
    assert gpus_of("cpu") is None
    assert gpus_of("auto") == gpus_of("cuda") == gpus_of("mps") == Gpus(None)
    assert (gpus_of("cuda:0"), gpus_of("cuda:1")) == (Gpus(0), Gpus(1))
    assert (str(Gpus(1)), str(Gpus())) == ("GPU 1", "all GPUs")


class Loader:
    """Stands for the function that loads: keeps what it is asked for, says what it is told to say, and fails."""

    def __init__(self, *reasons: str) -> None:
        self.asked: Any = None
        self._reasons = reasons

    def __call__(self, path: bytes, asked: Any) -> None:
        self.asked = asked
        for reason in self._reasons:
            _report(4, f"{reason}\n".encode(), None)


@pytest.mark.parametrize(
    ("gpus", "layers", "mode", "card"),
    [
        (None, 0, llama_cpp.LLAMA_SPLIT_MODE_NONE, -1),
        (Gpus(), -1, llama_cpp.LLAMA_SPLIT_MODE_LAYER, 0),
        (Gpus(0), -1, llama_cpp.LLAMA_SPLIT_MODE_NONE, 0),
        (Gpus(1), -1, llama_cpp.LLAMA_SPLIT_MODE_NONE, 1),
    ],
)
def test_a_model_stays_on_the_gpu_that_is_named(
    gpus: Gpus | None, layers: int, mode: int, card: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader("cannot open")
    monkeypatch.setattr(llama_cpp, "llama_model_load_from_file", loader)
    with pytest.raises(BadCheckpoint, match="cannot open"):
        Model(Path("x.gguf"), gpus)
    assert (loader.asked.n_gpu_layers, loader.asked.split_mode, loader.asked.main_gpu) == (layers, mode, card)


def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    said = NO_SUCH_GPU.replace("%zu", "%d") % ("llama_prepare_model_devices", 7, 2)
    monkeypatch.setattr(llama_cpp, "llama_model_load_from_file", Loader(said, "failed to load model"))
    with pytest.raises(ConfigError, match=r"sees no GPU 7\. GPUs here, as --llm_device names them: cuda:0, cuda:1"):
        Model(Path("x.gguf"), Gpus(7))


def test_llama_cpp_words_that_refusal_as_we_read_it() -> None:
    libraries = (Path(llama_cpp.__file__).parent / "lib").glob("*llama.*")
    assert any(NO_SUCH_GPU.encode() in path.read_bytes() for path in libraries)


@pytest.mark.usefixtures("with_gpu")
@pytest.mark.parametrize(
    ("family", "number_format", "device", "told"),
    [
        ("qwen2", "f16", "cuda", True),
        ("qwen2", "f16", "cpu", False),
        ("qwen2", "bf16", "cuda", False),
        ("qwen2", "q8_0", "cuda", False),
        ("llama", "f16", "cuda", False),
    ],
)
def test_a_file_in_which_the_family_overflows_on_gpus_is_reported(
    *,
    family: str,
    number_format: NumberFormat,
    device: str,
    told: bool,
    checkpoints: dict[str, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    convert_model(checkpoints[family], tmp_path / "model.gguf", number_format)
    caplog.clear()
    settings = Settings(llm_device=device, llm_batch_size=2, max_length=64)
    with caplog.at_level(logging.WARNING):
        load_model(tmp_path, settings, LlamaCppSettings(threads=1)).close()
    assert ("qwen2 models with weights in f16 may overflow" in caplog.text) == told


@pytest.mark.parametrize(
    ("family", "number_format", "told"),
    [("qwen2", "f16", True), ("qwen2", "bf16", False), ("llama", "f16", False)],
)
def test_who_converts_to_it_is_told(
    *,
    family: str,
    number_format: NumberFormat,
    told: bool,
    checkpoints: dict[str, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        convert_model(checkpoints[family], tmp_path / "model.gguf", number_format)
    assert ("--type bf16, which is as large, or q8_0" in caplog.text) == told


def test_where_rows_cannot_be_packed_no_format_that_overflows_is_advised(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "qwen2", intermediate_size=100)
    with pytest.raises(ConfigError, match=r"ffn_down.weight has rows of 100\. Use --type bf16"):
        convert_model(folder, tmp_path / "x.gguf", "q8_0")
