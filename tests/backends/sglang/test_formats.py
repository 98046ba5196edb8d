"""The number format that SGLang is asked for: one in which the model speaks, on the card that is named."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from flashtts_backend_sglang.arguments import engine_arguments, number_format
from flashtts_backend_sglang.card import capability_of
from flashtts_core.backends.cards import Capability
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Dtype, Settings

TURING, AMPERE, HOPPER = (7, 5), (8, 0), (9, 0)
PutCard = Callable[[Capability | None], list[str]]


@pytest.mark.parametrize("capability", [AMPERE, HOPPER, None])
@pytest.mark.parametrize(
    ("wanted", "family", "chosen"),
    [
        ("auto", "qwen2", "bfloat16"),
        ("auto", "llama", "bfloat16"),
        ("float16", "llama", "float16"),
        ("float32", "qwen2", "float32"),
        ("bfloat16", "qwen2", "bfloat16"),
    ],
)
def test_the_format_is_the_cards_own_unless_another_is_wanted(
    wanted: Dtype, family: str, chosen: Dtype, capability: Capability | None
) -> None:
    assert number_format(wanted, family, capability) == chosen


@pytest.mark.parametrize("capability", [AMPERE, None])
def test_float16_gives_way_where_it_overflows(capability: Capability | None, caplog: pytest.LogCaptureFixture) -> None:
    assert number_format("float16", "qwen2", capability) == "bfloat16"
    assert "overflows in qwen2 models and gives no speech; bfloat16 is used instead" in caplog.text


@pytest.mark.parametrize("wanted", ["auto", "float16", "bfloat16", "float32"])
def test_a_card_on_which_sglang_computes_in_float16_alone_refuses_a_family_that_overflows(wanted: Dtype) -> None:
    with pytest.raises(
        ConfigError, match=r"compute capability 7\.5.*qwen2.*--backend torch or --backend vllm.*float32"
    ):
        number_format(wanted, "qwen2", TURING)


@pytest.mark.parametrize(
    ("wanted", "told"), [("auto", False), ("float16", False), ("bfloat16", True), ("float32", True)]
)
def test_there_other_families_get_float16_and_who_wanted_another_is_told(
    wanted: Dtype, *, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert number_format(wanted, "llama", TURING) == "float16"
    assert (f"--torch_dtype {wanted}: SGLang computes in float16 alone" in caplog.text) == told


@pytest.mark.parametrize("device", ["auto", "cuda:1", "cpu"])
def test_the_engine_is_asked_for_it_by_family_and_card(device: str, tmp_path: Path, put_card: PutCard) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2", "max_position_embeddings": 600}))
    asked = put_card(AMPERE)
    arguments = engine_arguments(tmp_path, Settings(llm_device=device, torch_dtype="float16"))
    assert (arguments["dtype"], asked) == ("bfloat16", [device])
    put_card(TURING)
    with pytest.raises(ConfigError, match="overflow"):
        engine_arguments(tmp_path, Settings(llm_device=device))


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> list[Capability]:
    """The cards that a stand-in for torch sees."""
    found: list[Capability] = []
    torch = ModuleType("torch")
    vars(torch)["cuda"] = SimpleNamespace(device_count=found.__len__, get_device_capability=found.__getitem__)
    monkeypatch.setitem(sys.modules, "torch", torch)
    return found


def test_the_capability_is_that_of_the_card_that_is_named(cards: list[Capability]) -> None:
    assert capability_of("cpu") is capability_of("auto") is None
    cards += [TURING, HOPPER]
    assert capability_of("auto") == capability_of("cuda") == capability_of("cuda:0") == TURING
    assert capability_of("cuda:1") == HOPPER
    assert capability_of("cpu") is None


def test_a_card_that_is_not_there_is_refused_with_those_that_are(cards: list[Capability]) -> None:
    with pytest.raises(ConfigError, match=r"--llm_device cuda: there is no such card .* Cards here: none"):
        capability_of("cuda")
    cards += [TURING, HOPPER]
    with pytest.raises(ConfigError, match=r"--llm_device cuda:2: .* Cards here: cuda:0, cuda:1"):
        capability_of("cuda:2")


def test_a_torch_that_cannot_be_imported_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"The PyTorch that SGLang needs .* pip install"):
        capability_of("cuda")
