"""The checks of the documentation find what they are for: each wrong name here is one that a page could hold."""

from __future__ import annotations

import pytest

from docs import names
from docs.pages import DOCS, Block
from docs.shell import commands_of


def block(text: str, language: str = "sh", *words: str) -> Block:
    return Block(DOCS / "README.md", 1, language, frozenset(words), text)


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("flashtts serve --no_such_flag 1", "no_such_flag"),
        ("flashtts serve --port many", "--port"),
        ("flashtts serve --port 9000 \\\n  --lang klingon  # words", "--lang"),
        ("flashtts sing", "sing"),
        ("echo hello | flashtts infer -i -", "output"),
        ("FLASHTTS_PORT=1 flashtts voices add", "name"),
        ("curl http://localhost:8000/nowhere -d '{}'", "/nowhere"),
        ("pip install ./flashtts-nothing", "./flashtts-nothing"),
        ("launch-rocket now", "launch-rocket"),
    ],
)
def test_a_wrong_command_is_found(script: str, fault: str) -> None:
    (found,) = names.faults_of_script(block(script))
    assert fault in found.lower()


def test_a_page_may_run_ahead_of_a_planned_plugin_only() -> None:
    planned = block("flashtts serve --backend tensorrt-llm --no_such_flag", "sh", "tensorrt-llm")
    is_there = any(entry.spec.name == "tensorrt-llm" for entry in names.plugins().backends)
    assert bool(names.faults_of_script(planned)) == is_there
    assert names.faults_of_script(block("flashtts serve --no_such_flag", "sh", "torch"))


def test_commands_are_read_as_a_shell_reads_them() -> None:
    script = "A=1 B='2 3' one 'two words' > out.txt && three | four\nfive -d '{\n\"a\": 1}' # six\n"
    assert commands_of(script) == [["one", "two words"], ["three"], ["four"], ["five", "-d", '{\n"a": 1}']]


def test_names_that_do_not_exist_are_found() -> None:
    assert names.faults_of_extras('pip install "flashtts[no-such]"') == ["flashtts has no extra no-such"]
    assert names.faults_of_extras('pip install "flashtts-core[torch]"') == []
    assert names.exists("flashtts_core.testing.conformance.EngineContract")
    assert not names.exists("flashtts_core.testing.conformance.NoContract")
    assert names.is_route("/v1/audio/voices/anna?x=1")
    assert not names.is_route("/v1/audio/voices/anna/b")
    assert "FLASHTTS_SPARK_LOOK_AHEAD" in names.variables()


def test_a_message_counts_as_said_only_if_one_text_says_all_of_it() -> None:
    assert names.is_said("There is no model folder …. Give --model_path a folder or a hub id")
    assert not names.is_said("There is no model folder …. The queue is full")
    assert not names.is_said("Give --model_path a folder …. There is no model folder")
    assert not names.is_said("…")
