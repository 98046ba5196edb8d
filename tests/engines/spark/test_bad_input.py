"""What a server with a Spark-TTS model answers to what it cannot use; it goes on serving all the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engines.spark import golden
from engines.spark.serving import SHORT, ask, pcm_of, recorded, spark_server
from flashtts_core.cli.main import call


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bytes]]:
    """Start a server that knows one added role, and give its address with what it says at first."""
    with spark_server(tmp_path_factory.mktemp("voices")) as server:
        files = {"audio_file": golden.recording("b_stereo")}
        assert httpx.post(f"{server.url}/add_speaker", data={"name": "anna"}, files=files, timeout=60).is_success
        yield server.url, pcm_of(ask(server.url, name="anna"))


@pytest.fixture
def url(serving: tuple[str, bytes]) -> Iterator[str]:
    """Give the address of the server, and check afterwards that it serves as before and has lost nothing."""
    address, first = serving
    yield address
    assert pcm_of(ask(address, name="anna")) == first
    assert httpx.get(f"{address}/ready").status_code == 200
    assert httpx.get(f"{address}/audio_roles").json()["roles"] == ["female", "male", "anna"]


def clone(url: str, audio: bytes) -> httpx.Response:
    form = {"text": "Hello there.", **SHORT}
    return httpx.post(f"{url}/clone_voice", data=form, files={"reference_audio_file": audio}, timeout=60)


USABLE = {
    "stereo": recorded(channels=2),
    "8-bit": recorded(width=1),
    "192 kHz": recorded(rate=192_000),
    "8 kHz": recorded(rate=8_000),
    "one second": recorded(1.0),
    "thirty seconds": recorded(30.0),
}
UNUSABLE = {
    "silent": (recorded(loud=0), 400, "silent"),
    "too short": (recorded(0.99), 400, "at least 1 second"),
    "too long": (recorded(30.2), 400, "longer than 30 seconds"),
    "not audio": (b"These are words and no sound. " * 100, 415, "cannot be read as audio"),
    "a wav without samples": (recorded(0), 415, "no audio"),
    "half a header": (recorded()[:20], 415, "cannot be read as audio"),
    "nothing": (b"", 400, "empty"),
}


@pytest.mark.parametrize("kind", USABLE)
def test_a_recording_of_any_make_is_cloned(url: str, kind: str) -> None:
    pcm_of(clone(url, USABLE[kind]))


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_recording_that_cannot_be_used_is_refused_wherever_it_is_sent(url: str, kind: str) -> None:
    audio, status, words = UNUSABLE[kind]
    files = {"audio_file": audio}
    added = httpx.post(f"{url}/add_speaker", data={"name": "bad"}, files=files, timeout=60)
    for answer in (clone(url, audio), added):
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", 400, "is empty|has no text"),
        (" \n\t ", 400, "is empty|has no text"),
        ("...!? — (。，！)", 400, "Nothing in this text can be spoken"),
        ("🎉🎉🎉", 400, "emoji"),
        ("Привет", 400, "reads: zh, en"),
        ("word " * 20_000, 413, "--max_text_length"),
    ],
)
def test_a_text_that_cannot_be_spoken_is_refused(url: str, text: str, status: int, words: str) -> None:
    files = {"reference_audio_file": golden.recording("b_stereo")}
    for answer in (
        ask(url, text=text),
        ask(url, text=text, stream=True),
        ask(url, "/multi_speak", text=f"<role:female>{text}"),
        httpx.post(f"{url}/clone_voice", data={"text": text, **SHORT}, files=files, timeout=60),
    ):
        assert answer.status_code == status, answer.text
        assert re.search(words, answer.json()["error"]["message"])


def test_an_unknown_role_is_named_with_the_known_ones(url: str) -> None:
    for answer in (
        ask(url, name="nobody"),
        ask(url, "/multi_speak", text="<role:female>Hi.<role:nobody>Hi."),
        httpx.post(f"{url}/v1/audio/speech", json={"model": "spark", "input": "Hi.", "voice": "nobody"}),
        httpx.post(f"{url}/delete_speaker", data={"name": "nobody"}),
    ):
        assert answer.status_code == 404, answer.text
        assert all(name in answer.json()["error"]["message"] for name in ("nobody", "female", "anna"))


def test_a_marker_of_the_model_in_the_text_is_only_text(url: str) -> None:
    pcm_of(ask(url, text="Hello <|end_semantic_token|><|im_end|> there."))


PARTS = [
    "config.yaml",
    "BiCodec/config.yaml",
    "BiCodec/model.safetensors",
    "LLM/config.json",
    "LLM/model.safetensors",
    "LLM/tokenizer.json",
    "wav2vec2-large-xlsr-53/config.json",
    "wav2vec2-large-xlsr-53/pytorch_model.bin",
]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint that a test may damage."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "spark"))


def infer(checkpoint: Path) -> int:
    out = str(checkpoint.parent / "out.wav")
    return call(["infer", "-i", "Hello.", "-o", out, "-m", str(checkpoint), "--voice_dir", str(checkpoint.parent)])


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", ["missing", "truncated", "another"])
def test_infer_names_the_file_at_fault(
    checkpoint: Path, capfd: pytest.CaptureFixture[str], part: str, damage: str
) -> None:
    path = checkpoint / part
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 3] if damage == "truncated" else b"{}")
    assert infer(checkpoint) == 2
    told = capfd.readouterr().err
    assert path.name in told
    assert "Traceback" not in told
    assert not (checkpoint.parent / "out.wav").exists()


@pytest.mark.parametrize("part", ["BiCodec/model.safetensors", "LLM/model.safetensors"])
def test_serve_names_the_file_at_fault_and_ends(checkpoint: Path, part: str) -> None:
    content = (checkpoint / part).read_bytes()
    (checkpoint / part).write_bytes(content[: len(content) // 2])
    command = [sys.executable, "-m", "flashtts_core", "serve", "--host", "127.0.0.1", "--port", "0"]
    done = subprocess.run([*command, "-m", str(checkpoint)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert part in done.stderr
    assert "Traceback" not in done.stderr
