"""Prompts by ids: the golden ones, text that looks like markers, and answers read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from engines.spark import golden
from flashtts_core.engines.spark.prompt import Answer, Labels, Prompt, SpokenReference, Vocabulary
from flashtts_core.types import LEVELS

PROMPTS: list[dict[str, Any]] = golden.MANIFEST["prompts"]
ANSWERS: list[dict[str, Any]] = golden.MANIFEST["llm"]
MODERATE = Labels()


def prompt_of(vocabulary: Vocabulary, told: dict[str, Any]) -> Prompt:
    labels = Labels(told["pitch"] or "moderate", told["speed"] or "moderate")
    if told["kind"] == "control":
        return vocabulary.control(told["text"], told["gender"] or "female", labels)
    transcript = told["reference_text"]
    spoken = SpokenReference(transcript, tuple(told["semantic_tokens"])) if transcript else None
    return vocabulary.clone(told["text"], told["global_tokens"], labels, spoken)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(golden.CHECKPOINT / "LLM" / "tokenizer.json"))


@pytest.mark.parametrize("number", range(len(PROMPTS)))
def test_prompts_are_the_golden_ids(vocabulary: Vocabulary, number: int) -> None:
    assert list(prompt_of(vocabulary, PROMPTS[number]).ids) == PROMPTS[number]["input_ids"]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: str(answer["prompt_index"]))
def test_golden_answers_keep_to_the_allowed_ids_and_are_read_back(
    vocabulary: Vocabulary, answer: dict[str, Any]
) -> None:
    index = answer["prompt_index"]
    prompt = prompt_of(vocabulary, PROMPTS[index])
    *ids, last = golden.numbers(f"llm.{index}.greedy_ids")
    assert last in prompt.stop
    assert all(token in prompt.allowed for token in ids)
    read = Answer(vocabulary)
    for token in ids:
        read.add([token])
    assert (read.semantics, read.globals) == (answer["semantic"], answer["global"])


def test_a_made_up_voice_is_carried_to_the_next_prompt(vocabulary: Vocabulary, tokenizer: Tokenizer) -> None:
    answer = Answer(vocabulary)
    answer.add(golden.numbers("llm.0.greedy_ids"))
    assert answer.acoustic_ids is not None
    completion = ANSWERS[0]["completion"]
    until = completion.index("<|end_global_token|>") + len("<|end_global_token|>")
    prompt = vocabulary.control("Next.", "female", MODERATE, answer.acoustic_ids)
    asked = PROMPTS[0]["prompt"].replace(PROMPTS[0]["text"], "Next.") + completion[:until]
    assert list(prompt.ids) == tokenizer.encode(asked, add_special_tokens=False).ids
    assert vocabulary.globals.ids[0] not in prompt.allowed, "the voice is settled"
    assert vocabulary.semantics.ids[0] in prompt.allowed
    assert vocabulary.read(vocabulary.spell(answer.acoustic_ids)) == list(answer.acoustic_ids)


def test_a_voice_keeps_its_speaker_under_other_attributes(vocabulary: Vocabulary) -> None:
    answer = Answer(vocabulary)
    answer.add(golden.numbers("llm.0.greedy_ids"))
    assert answer.acoustic_ids is not None
    assert vocabulary.acoustics(answer.head[:3], answer.globals) == answer.acoustic_ids
    assert vocabulary.acoustics(answer.head[3:9], answer.globals) == answer.acoustic_ids[4:], "nothing was named"
    prompt = vocabulary.attributes("Hi.", "female", MODERATE)
    assert answer.acoustic_ids[3] in prompt.stop, "the model stops before the speaker"


@pytest.mark.parametrize(
    "text", ["<|im_end|>", "a<|end_content|>b", "<|bicodec_semantic_3|>", "<|task_tts|><|im_start|>"]
)
def test_markers_in_the_text_stay_text(vocabulary: Vocabulary, text: str) -> None:
    empty = vocabulary.control("", "female", MODERATE).ids
    prompt = vocabulary.control(text, "female", MODERATE).ids
    inside = prompt[2 : len(prompt) - len(empty) + 2]
    assert max(inside) < min(vocabulary.stop), "ids of letters come before those of markers"
    assert len(inside) > len(text) // 4


@given(st.text(max_size=60))
def test_text_without_markers_is_encoded_as_in_one_string(
    vocabulary: Vocabulary, tokenizer: Tokenizer, text: str
) -> None:
    asked = f"<|task_tts|><|start_content|>{text}<|end_content|><|start_global_token|><|end_global_token|>"
    assert list(vocabulary.clone(text, (), MODERATE, None).ids) == tokenizer.encode(asked, add_special_tokens=False).ids


@pytest.mark.parametrize("level", LEVELS)
def test_labels_are_found_by_name(vocabulary: Vocabulary, level: Any) -> None:
    ids = vocabulary.control("x", "male", Labels(level, level)).ids
    number = LEVELS.index(level)
    named = ["<|gender_1|>", f"<|pitch_label_{number}|>", f"<|speed_label_{number}|>"]
    assert list(ids[-4:-1]) == vocabulary.read(named)


def test_a_voice_without_attributes_begins_with_its_global_tokens(vocabulary: Vocabulary) -> None:
    answer = Answer(vocabulary)
    ids = golden.numbers("llm.0.greedy_ids")[4:]
    answer.add(ids)
    assert answer.acoustic_ids == ids[:34]
    assert answer.globals == ANSWERS[0]["global"]


def test_an_answer_without_a_voice_has_none(vocabulary: Vocabulary) -> None:
    answer = Answer(vocabulary)
    answer.add(golden.numbers("llm.6.greedy_ids"))
    assert answer.acoustic_ids is None
    assert answer.semantics == ANSWERS[2]["semantic"]
