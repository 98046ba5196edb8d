"""Prompts of the phone writer and what it writes, on the torch backend, against the golden ids and phones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engines.mega import golden
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.engines.mega.engine import MegaEngine
from flashtts_core.engines.mega.prompt import Vocabulary
from flashtts_core.errors import BadCheckpoint
from flashtts_core.host import open_synthesizer
from flashtts_core.settings import Settings
from flashtts_core.testing.conformance import run
from flashtts_core.types import TokenRequest

TOKENIZER = golden.CHECKPOINT / "g2p" / "tokenizer.json"


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.load(TOKENIZER)


@pytest.mark.parametrize("case", golden.G2P["cases"])
def test_a_prompt_and_its_answer_read_as_in_the_reference(vocabulary: Vocabulary, case: dict[str, Any]) -> None:
    assert vocabulary.prompt(case["text"]) == tuple(case["prompt_ids"])
    assert vocabulary.stop == {golden.G2P["stop_id"]}
    spoken = vocabulary.read(case["greedy_ids"][:-1])
    assert (list(spoken.phones), list(spoken.tones)) == (case["bytedance_ph"], case["bytedance_tone"])
    assert list(spoken.phones[1:]) == case["flashtts_ph"], "the silence is there, and only it is added"


def test_the_language_model_writes_the_golden_ids(tmp_path: Path) -> None:
    async def check() -> None:
        settings = Settings(model_path=str(golden.CHECKPOINT), voice_dir=str(tmp_path), max_length=1024)
        async with await open_synthesizer(settings) as synthesizer:
            engine = synthesizer.engine
            assert isinstance(engine, MegaEngine)
            backend, vocabulary = engine._instruments.backend, engine._instruments.vocabulary
            assert isinstance(backend, GuardedBackend)
            for number, case in enumerate(golden.G2P["cases"]):
                request = TokenRequest(
                    str(number),
                    vocabulary.prompt(case["text"]),
                    vocabulary.stop,
                    msgspec.structs.replace(engine.defaults, max_tokens=64),
                    (vocabulary.allowed,),
                )
                ids = [token async for delta in backend.generate(request) for token in delta]
                assert [*ids, golden.G2P["stop_id"]] == case["greedy_ids"]

    run(check())


def test_markers_in_a_text_are_text(vocabulary: Vocabulary) -> None:
    ids = vocabulary.encode("a<BOS><Reserved_TTS_801>b")
    assert max(ids) < 256
    assert len(ids) > 2


def test_ids_that_are_no_phones_are_left_out(vocabulary: Vocabulary) -> None:
    first = vocabulary.first
    assert vocabulary.read([first + 101, 5, first + 190, first + 200, first + 800]).phones == (145, 101)


def test_a_tokenizer_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(BadCheckpoint, match="is damaged or not a tokenizer"):
        Vocabulary.load(path)
    content = msgspec.json.decode(TOKENIZER.read_bytes())
    content["added_tokens"] = content["added_tokens"][:6]
    path.write_bytes(msgspec.json.encode(content))
    with pytest.raises(BadCheckpoint, match="lacks <Reserved_TTS_801>"):
        Vocabulary.load(path)
