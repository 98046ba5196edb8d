"""The language models of the golden checkpoints give the reference's scores and greedy ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from flashtts_core.backends.torch.cache import KeyValueCache
from flashtts_core.backends.torch.config import read_config
from flashtts_core.backends.torch.head import Head
from flashtts_core.backends.torch.loading import load_language_model
from flashtts_core.backends.torch.model import TorchModel
from flashtts_core.backends.torch.network import PromptSlice
from flashtts_core.backends.torch.placement import Placement
from flashtts_core.types import TokenRequest

GOLDEN = Path(__file__).parents[2] / "golden"
SPARK, ORPHEUS = GOLDEN / "spark-tiny" / "LLM", GOLDEN / "orpheus-tiny"
ORPHEUS_STOPS = frozenset({274, 278})
ORPHEUS_TOLERANCE = 1e-4


def prompt_states(folder: Path, prompt: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the hidden states [T, hidden] of a prompt read at once, and the scores of its last position."""
    config = read_config(folder)
    placement = Placement(torch.device("cpu"), torch.float32, "eager", static_cache=False)
    model = load_language_model(folder, config, placement)
    cache = KeyValueCache(config, placement, rows=1, length=512)
    with torch.inference_mode():
        cache.fit(1, len(prompt))
        hidden = model.decoder(prompt, [], [PromptSlice(0, 0, len(prompt))], cache)
        head = Head(model.head)
        return hidden, head.scores(hidden[-1:], head.plan([((0, config.vocab_size),)]))[0]


def spark_cases() -> list[int]:
    return [case["prompt_index"] for case in json.loads((GOLDEN / "spark-tiny-vectors.json").read_text())["llm"]]


@pytest.mark.parametrize("case", spark_cases())
def test_spark_scores_are_within_the_manifests_tolerance(case: int) -> None:
    manifest = json.loads((GOLDEN / "spark-tiny-vectors.json").read_text())["tensors"]
    vectors = load_file(GOLDEN / "spark-tiny-vectors.safetensors")
    name = f"llm.{case}.prompt_logits_last"
    _, scores = prompt_states(SPARK, vectors[f"llm.{case}.input_ids"])
    torch.testing.assert_close(scores, vectors[name], rtol=0, atol=manifest[name]["suggested_atol"])


@pytest.mark.parametrize("case", range(5))
def test_orpheus_states_and_scores_are_within_the_manifests_tolerance(case: int) -> None:
    vectors = load_file(ORPHEUS / "vectors" / "llm.safetensors")
    hidden, scores = prompt_states(ORPHEUS, vectors[f"p{case}.input_ids"][0])
    torch.testing.assert_close(hidden, vectors[f"p{case}.hidden_last"][0], rtol=0, atol=ORPHEUS_TOLERANCE)
    torch.testing.assert_close(scores, vectors[f"p{case}.logits_last"][0], rtol=0, atol=ORPHEUS_TOLERANCE)


def test_spark_greedy_ids_are_the_references_in_one_batch(
    open_model: Callable[..., TorchModel], drive: Callable[..., dict[str, list[int]]], ask: Callable[..., TokenRequest]
) -> None:
    vectors = load_file(GOLDEN / "spark-tiny-vectors.safetensors")
    expected = {str(case): vectors[f"llm.{case}.greedy_ids"].tolist() for case in spark_cases()}
    requests = [
        ask(key, vectors[f"llm.{key}.input_ids"].tolist(), max_tokens=len(ids)) for key, ids in expected.items()
    ]
    assert drive(open_model(SPARK), requests, joins=1) == expected


def test_orpheus_greedy_ids_are_the_references_and_end_at_the_stop_id(
    open_model: Callable[..., TorchModel], drive: Callable[..., dict[str, list[int]]], ask: Callable[..., TokenRequest]
) -> None:
    vectors = load_file(ORPHEUS / "vectors" / "llm.safetensors")
    requests = [
        ask(str(case), vectors[f"p{case}.input_ids"][0].tolist(), max_tokens=100, stop=ORPHEUS_STOPS)
        for case in range(5)
    ]
    written = drive(open_model(ORPHEUS), requests, joins=2)
    for case in range(5):
        *expected, stop = vectors[f"p{case}.greedy_ids"][0].tolist()
        assert stop in ORPHEUS_STOPS
        assert written[str(case)] == expected
