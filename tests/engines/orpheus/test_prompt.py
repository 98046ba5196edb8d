"""Prompts to the id, and answers read by slot and code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.orpheus import golden
from engines.orpheus.golden import FRAMES
from engines.orpheus.playing import ids_of
from flashtts_core.engines.orpheus.prompt import Answer, Vocabulary
from flashtts_core.errors import BadCheckpoint

OFFICIAL = golden.PROMPTS["official_ids"]
MISALIGNED = {"wrong_slot_high", "wrong_slot_low", "value_4096"}
CASES = {case["name"]: case for case in golden.TOKEN_STREAMS}


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """The golden tokenizer with the ids of the official one."""
    content = json.loads((golden.CHECKPOINT / "tokenizer.json").read_text(encoding="utf-8"))
    for token in content["added_tokens"]:
        token["id"] = _official_id(token["content"], token["id"])
    folder = tmp_path_factory.mktemp("official")
    content["post_processor"] = None  # it repeats an id
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return Vocabulary.load(folder)


def _official_id(name: str, id_: int) -> int:
    known = {"<|begin_of_text|>": OFFICIAL["begin_of_text"], "<|eot_id|>": OFFICIAL["eot_id"], "<|audio|>": 156_939}
    if name.startswith("<custom_token_"):
        return int(OFFICIAL["custom_token_0"]) + int(name[14:-1])
    return int(known.get(name, 120_000 + id_))


def frames_of(case: dict[str, Any], vocabulary: Vocabulary) -> list[list[int]]:
    answer = Answer(vocabulary)
    answer.add(case["official_token_ids"])
    return [list(frame) for frame in answer.frames]


def grouped(codes: list[int]) -> list[list[int]]:
    return [codes[start : start + 7] for start in range(0, len(codes) - 6, 7)]


@pytest.mark.parametrize("number", range(5))
def test_prompts_are_golden(vocabulary: Vocabulary, number: int) -> None:
    case = golden.PROMPTS["cases"][number]
    prompt = vocabulary.prompt(case["voice"], case["text"])
    assert list(prompt.ids) == case["prompt_ids"] == golden.tensor(f"p{number}.input_ids")[0].tolist()


def test_ids_are_looked_up_by_name(vocabulary: Vocabulary, official: Vocabulary) -> None:
    prompt = official.prompt("tara", "Hi")
    assert prompt.ids[:2] == (128_259, 128_000)
    assert prompt.ids[-4:] == (128_009, 128_260, 128_261, 128_257)
    assert prompt.stop == {*OFFICIAL["stop_ids"], OFFICIAL["eot_id"]}
    assert official.highest == OFFICIAL["vocab_size"] - 1
    assert [each.ranges for each in prompt.allowed] == [
        ((128_266 + slot * 4096, 128_266 + (slot + 1) * 4096),) for slot in range(7)
    ]
    tiny = golden.PROMPTS["tiny_ids"]
    assert vocabulary.prompt("tara", "Hi").stop == {*tiny["stop_ids"], tiny["eot_id"]}


@pytest.mark.parametrize(
    "marker", ["<|eot_id|>", "<custom_token_2>", "<|begin_of_text|>", "<custom_token_4105>", "<|audio|>"]
)
def test_a_marker_in_the_text_stays_text(vocabulary: Vocabulary, marker: str) -> None:
    ids = vocabulary.prompt("tara", f"Hi {marker} there").ids
    assert max(ids[2:-4]) < 264, "all added tokens are above"


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_prompt_is_its_parts_joined(vocabulary: Vocabulary, text: str) -> None:
    ids = vocabulary.prompt("tara", text).ids
    assert list(ids[2:-4]) == vocabulary.encode(f"tara: {text}")


@pytest.mark.parametrize("name", sorted(set(CASES) - MISALIGNED))
def test_streams_in_order_give_the_codes_of_the_fixed_rule(official: Vocabulary, name: str) -> None:
    assert frames_of(CASES[name], official) == grouped(CASES[name]["fixed_rule_buffer"])


@pytest.mark.parametrize("name", sorted(MISALIGNED))
def test_a_code_out_of_turn_costs_its_frame_and_spoils_no_other(official: Vocabulary, name: str) -> None:
    """The golden buffer loses a frame, too, but splices the damaged one with the next; the spec's rule drops it."""
    written = grouped([(number - 10) % 4096 for number in CASES[name]["custom_numbers"]])
    assert frames_of(CASES[name], official) == written[:2] + written[3:]
    spliced = grouped(CASES[name]["fixed_rule_buffer"])
    assert frames_of(CASES[name], official)[:2] == spliced[:2]
    assert frames_of(CASES[name], official)[3:] == spliced[3:]


@given(chunk=st.integers(1, 20), data=st.data())
def test_frames_do_not_depend_on_how_ids_arrive_and_strays_are_skipped(
    vocabulary: Vocabulary, chunk: int, data: st.DataObject
) -> None:
    ids = ids_of(FRAMES)
    for _ in range(data.draw(st.integers(0, 5))):
        ids.insert(data.draw(st.integers(0, len(ids))), data.draw(st.integers(0, 281)))  # text, markers, control
    answer = Answer(vocabulary)
    for start in range(0, len(ids), chunk):
        answer.add(ids[start : start + chunk])
    assert answer.frames == FRAMES


def test_ids_since_the_last_frame_are_counted(vocabulary: Vocabulary) -> None:
    answer = Answer(vocabulary)
    answer.add([*ids_of(FRAMES[:2]), 5, 5, *ids_of(FRAMES[:1])[:4]])
    assert answer.idle == 6


def test_a_tokenizer_without_the_codes_is_named(checkpoint: Path) -> None:
    path = checkpoint / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["added_tokens"] = [token for token in content["added_tokens"] if "_282" not in token["content"]]
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BadCheckpoint, match=r"tokenizer\.json .* lacks <custom_token_282>.* more\."):
        Vocabulary.load(checkpoint)


@pytest.mark.parametrize("content", ["{}", "", "[1", '{"added_tokens": []}'])
def test_a_damaged_tokenizer_is_named(checkpoint: Path, content: str) -> None:
    (checkpoint / "tokenizer.json").write_text(content)
    with pytest.raises(BadCheckpoint, match=r"tokenizer\.json is damaged"):
        Vocabulary.load(checkpoint)


@pytest.mark.parametrize(
    ("content", "end"),
    [
        ('{"eos_token": "<|end_of_text|>"}', 265),
        ('{"eos_token": {"content": "<|eom_id|>"}}', 270),
        ("{}", 271),
        (None, 271),
    ],
)
def test_the_tokenizer_s_own_end_stops_an_answer(checkpoint: Path, content: str | None, end: int) -> None:
    path = checkpoint / "tokenizer_config.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert Vocabulary.load(checkpoint).prompt("tara", "Hi").stop == {274, 278, end}


def test_a_damaged_tokenizer_config_is_named(checkpoint: Path) -> None:
    (checkpoint / "tokenizer_config.json").write_text("{")
    with pytest.raises(BadCheckpoint, match=r"tokenizer_config\.json is damaged"):
        Vocabulary.load(checkpoint)
