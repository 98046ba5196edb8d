"""Greedy answers are those of transformers in float32: alone, in company, with every cache and attention."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flashtts_core.backends.torch.model import TorchModel
from flashtts_core.testing.checkpoints import TransformersReference
from flashtts_core.types import TokenRequest

TOKENS = 32

Drive = Callable[..., dict[str, list[int]]]
Ask = Callable[..., TokenRequest]
References = dict[Path, TransformersReference]
OpenModel = Callable[..., TorchModel]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"llm_attn_implementation": "sdpa"},
        {"cache_implementation": "static", "llm_batch_size": 8, "max_length": 512},
    ],
    ids=["eager", "sdpa", "static"],
)
def test_answers_are_those_of_transformers_alone_and_in_staggered_company(
    *,
    folder: Path,
    settings: dict[str, object],
    open_model: OpenModel,
    drive: Drive,
    ask: Ask,
    references: References,
    prompts: list[list[int]],
) -> None:
    model = open_model(folder, **settings)
    expected = {str(number): references[folder].greedy(prompt, TOKENS) for number, prompt in enumerate(prompts)}
    requests = [ask(str(number), prompt) for number, prompt in enumerate(prompts)]
    assert len({token for ids in expected.values() for token in ids}) > 50, (
        "the reference should not write one id over and over"
    )
    alone = {request.id: drive(model, [request])[request.id] for request in requests}
    assert alone == expected
    assert drive(model, requests, joins=1) == expected
    assert drive(model, requests[::-1], joins=3) == expected


def test_the_repetition_penalty_counts_prompt_and_answer_as_transformers_does(
    *, folder: Path, open_model: OpenModel, drive: Drive, ask: Ask, references: References, prompts: list[list[int]]
) -> None:
    model = open_model(folder)
    requests = [ask(str(number), prompts[number], repetition_penalty=1 + number / 4) for number in range(4)]
    written = drive(model, requests, joins=1)
    for number in range(4):
        assert written[str(number)] == references[folder].greedy(prompts[number], TOKENS, penalty=1 + number / 4)


def test_both_spellings_of_rotary_settings_give_the_same_answer(
    *,
    checkpoints: dict[str, Path],
    tmp_path: Path,
    open_model: OpenModel,
    drive: Drive,
    ask: Ask,
    prompts: list[list[int]],
) -> None:
    new = checkpoints["llama"]
    old = tmp_path / "old"
    shutil.copytree(new, old)
    config = json.loads((new / "config.json").read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope
    (old / "config.json").write_text(json.dumps(config))
    request = ask("a", prompts[1])
    assert drive(open_model(old), [request]) == drive(open_model(new), [request])


def test_bfloat16_runs_and_float32_differs_from_it_only_in_precision(
    folder: Path, open_model: OpenModel, drive: Drive, ask: Ask, prompts: list[list[int]]
) -> None:
    request = ask("a", prompts[1], max_tokens=1)
    exact = drive(open_model(folder), [request])
    assert drive(open_model(folder, torch_dtype="bfloat16"), [request]) == exact
