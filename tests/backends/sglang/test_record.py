"""The stand-in and our calls agree with a record of SGLang's interface, and the record with SGLang's source."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from backends.sglang.fake import FakeEngine, FakeManager
from backends.sglang.reading import read, source_folder
from flashtts_backend_sglang.arguments import device_arguments, engine_arguments, sampling_parameters
from flashtts_backend_sglang.release import BEFORE, OLDEST, check_release
from flashtts_core.settings import Settings
from flashtts_core.types import Sampling, TokenRequest

RECORD: dict[str, Any] = json.loads((Path(__file__).parent / "record.json").read_text(encoding="utf-8"))


def test_the_record_is_what_the_installed_source_says() -> None:
    folder = source_folder()
    assert folder is not None, "run this in its session, which installs SGLang's files: nox -s backend-sglang"
    assert read(folder) == RECORD


def test_the_recorded_release_is_one_we_claim_to_support() -> None:
    check_release(RECORD["release"])
    assert OLDEST <= tuple(map(int, RECORD["release"].split("."))) < BEFORE


@pytest.mark.parametrize("name", ["async_generate", "shutdown"])
def test_the_fake_engine_has_the_recorded_signatures(name: str) -> None:
    assert list(inspect.signature(getattr(FakeEngine, name)).parameters) == RECORD["engine"][name]


@pytest.mark.parametrize("name", ["abort_request", "generate_request"])
def test_the_fake_manager_has_the_recorded_signatures(name: str) -> None:
    assert list(inspect.signature(getattr(FakeManager, name)).parameters) == RECORD["manager"][name]


def test_every_argument_we_give_is_one_the_engine_has(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 100}')
    for device in ("auto", "cuda:1", "cpu"):
        given = engine_arguments(tmp_path, Settings(llm_device=device)) | device_arguments(device)
        assert set(given) <= set(RECORD["arguments"])


def test_every_sampling_parameter_we_give_is_one_there_is() -> None:
    request = TokenRequest("a", (1,), frozenset({3}), Sampling(0.9, 5, 0.9, 1.1, 4, 1))
    for ends in (frozenset({3}), frozenset({4})):
        assert set(sampling_parameters(request, ends)) <= set(RECORD["sampling"])


def test_the_habits_that_we_count_on_are_recorded() -> None:
    assert RECORD["ignore_eos_comes_before_stop_ids"]
    assert RECORD["aborts_by_prefix"]
    assert RECORD["death_is_sigquit"]
    assert RECORD["ends"]
    assert RECORD["longest"] == [True, True, True]
    assert RECORD["float16_alone_before_ampere"] == [True, True]
    assert RECORD["outputs"] == ["finish_reason", "meta_info", "output_ids"]
