"""The stand-in and our calls agree with the record of TensorRT-LLM's interface, which names where it was read."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from backends.trt import fake
from flashtts_backend_trt import runtime
from flashtts_backend_trt.backend import TrtBackend
from flashtts_backend_trt.plan import plan
from flashtts_core.settings import Settings
from flashtts_core.types import Sampling, TokenRequest

RECORD: dict[str, Any] = json.loads((Path(__file__).parent / "record.json").read_text(encoding="utf-8"))


def parameters(function: Any) -> list[str]:
    given = inspect.signature(function).parameters.values()
    return [f"**{each.name}" if each.kind is each.VAR_KEYWORD else each.name for each in given]


def test_the_record_names_release_files_and_commits() -> None:
    runtime.check_release(RECORD["release"])
    assert len(RECORD["commits"]) == 8
    assert all(re.fullmatch("[0-9a-f]{40}", commit) for commit in RECORD["commits"].values())


@pytest.mark.parametrize("name", ["__init__", "generate_async", "shutdown"])
def test_the_fake_has_the_recorded_signatures(name: str) -> None:
    assert parameters(getattr(fake.LLM, name)) == RECORD["LLM"][name]


@pytest.mark.parametrize("name", ["abort", "aborted", "__aiter__", "__anext__"])
def test_the_fakes_results_have_the_recorded_methods(name: str) -> None:
    assert parameters(getattr(fake.RequestOutput, name)) == RECORD["RequestOutput"]["methods"][name]


def test_the_fakes_fields_are_recorded_ones() -> None:
    assert {each.name for each in dataclasses.fields(fake.SamplingParams)} <= set(RECORD["SamplingParams"])
    assert {each.name for each in dataclasses.fields(fake.CompletionOutput)} <= set(RECORD["CompletionOutput"])


def test_the_fakes_modules_have_the_recorded_names() -> None:
    for name, module in fake.modules().items():
        assert all(hasattr(module, each) for each in RECORD["imports"][name])


def test_every_argument_we_give_is_recorded(tmp_path: Path) -> None:
    known = {*RECORD["LLM"]["__init__"], *RECORD["LLM"]["arguments"]}
    (tmp_path / "config.json").write_text('{"model_type": "llama", "vocab_size": 9, "max_position_embeddings": 99}')
    assert set(plan(tmp_path, Settings()).arguments) <= known
    built = {"build_config": {"max_batch_size": 256, "max_seq_len": 99}, "pretrained_config": {"vocab_size": 9}}
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "config.json").write_text(json.dumps(built))
    chosen = plan(tmp_path, Settings(llm_tensorrt_path=str(tmp_path / "engine")))
    assert chosen.engine
    assert set(chosen.arguments) <= known


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_every_sampling_parameter_we_give_is_recorded_and_taken_by_the_fake(temperature: float) -> None:
    request = TokenRequest("a", (1,), frozenset({3}), Sampling(temperature, 5, 0.9, 1.1, 4, 1))
    given = runtime.sampling_arguments(request)
    assert set(given) <= set(RECORD["SamplingParams"])
    fake.SamplingParams(**given)


def test_what_the_backend_touches_is_recorded() -> None:
    source = inspect.getsource(inspect.getmodule(TrtBackend))  # type: ignore[arg-type]  # the module is there
    touched = set(re.findall(r"\b(?:result|output|executor|llm)\.(\w+)", source))
    known = {
        *RECORD["RequestOutput"]["attributes"],
        *RECORD["RequestOutput"]["methods"],
        *RECORD["CompletionOutput"],
        *RECORD["LLM"],
        RECORD["LLM"]["executor"]["attribute"],
        *RECORD["LLM"]["executor"],
    }
    assert touched <= known
    assert {"abort", "outputs", "finished", "token_ids", "finish_reason", "generate_async", "_executor"} <= touched
    assert set(re.findall(r'finish_reason in \{"(\w+)", "(\w+)"\}', source)[0]) <= set(RECORD["finish_reasons"])
