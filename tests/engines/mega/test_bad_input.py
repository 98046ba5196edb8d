"""What a server with a MegaTTS 3 model answers to what it cannot use; it goes on serving all the same."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.mega import golden
from engines.mega.serving import add, ask, clone, mega_server, pcm_of
from engines.spark.serving import recorded
from flashtts_core.cli.main import call


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bytes]]:
    """Start a server that knows one added role, and give its address with what it says at first."""
    with mega_server(tmp_path_factory.mktemp("voices")) as server:
        assert add(server.url, "anna").is_success
        yield server.url, pcm_of(ask(server.url))


@pytest.fixture
def url(serving: tuple[str, bytes]) -> Iterator[str]:
    """Give the address of the server, and check afterwards that it serves as before and has lost nothing."""
    address, first = serving
    yield address
    assert pcm_of(ask(address, name="anna")) == first
    assert httpx.get(f"{address}/audio_roles").json()["roles"] == ["anna"]


def npy(array: NDArray[np.generic], *, pickled: bool = False) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=pickled)
    return sink.getvalue()


LATENTS = {
    "wrong shape": (npy(np.zeros((64, 32), np.float32)), 400, "[1, L, 32]"),
    "wrong width": (npy(np.zeros((1, 64, 16), np.float32)), 400, "[1, L, 32]"),
    "wrong type": (npy(np.zeros((1, 64, 32), np.int32)), 400, "float32"),
    "pickled": (npy(np.array([{"a": 1}], object), pickled=True), 400, "pickled"),
    "no latent at all": (b"These are words.", 400, "not a .npy file"),
    "of another recording": (npy(np.zeros((1, 400, 32), np.float32)), 400, "latent of this recording"),
    "empty": (b"", 400, "empty"),
}
RECORDINGS = {
    "silent": (recorded(loud=0), 400, "silent"),
    "too short": (recorded(0.9), 400, "at least 1 second"),
    "too long": (recorded(30.5), 400, "longer than 30 seconds"),
    "not audio": (b"These are words and no sound. " * 100, 415, "cannot be read as audio"),
    "a wav without samples": (recorded(0), 415, "no audio"),
}


@pytest.mark.parametrize("kind", LATENTS)
def test_a_latent_that_cannot_be_used_is_refused_wherever_it_is_sent(url: str, kind: str) -> None:
    latent, status, words = LATENTS[kind]
    for answer in (clone(url, latent=latent), add(url, "bad", latent=latent)):
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]["message"]
        assert answer.json()["error"]["param"] == "latent_file"


@pytest.mark.parametrize("kind", RECORDINGS)
def test_a_recording_that_cannot_be_used_is_refused_wherever_it_is_sent(url: str, kind: str) -> None:
    audio, status, words = RECORDINGS[kind]
    for answer in (clone(url, audio=audio), add(url, "bad", audio=audio)):
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]["message"]


def test_a_recording_without_its_latent_is_refused_before_it_is_looked_at(url: str) -> None:
    inline = base64.b64encode(golden.RECORDING).decode()
    nowhere = "http://127.0.0.1:9/voice.wav"  # refused as such if it were fetched
    body = {"model": "mega", "input": "Good day."}
    answers = {
        "latent_file": [clone(url, latent=None), add(url, "bad", latent=None)],
        "voice": [
            httpx.post(f"{url}/v1/audio/speech", json={**body, "voice": voice}, timeout=60)
            for voice in (inline, f"data:audio/wav;base64,{inline}", nowhere)
        ],
    }
    files = {"audio_sample": golden.RECORDING}
    answers["latent_file"].append(httpx.post(f"{url}/v1/audio/voices", data={"name": "bad"}, files=files, timeout=60))
    for param, refused in answers.items():
        for answer in refused:
            assert answer.status_code == 422, answer.text
            error = answer.json()["error"]
            assert all(word in error["message"] for word in ("latent_file", "/clone_voice", "/add_speaker"))
            assert error["param"] == param


def test_an_unknown_role_is_named_with_the_known_ones(url: str) -> None:
    for answer in (
        ask(url, name="nobody"),
        ask(url, "/multi_speak", text="<role:anna>Hi.<role:nobody>Hi."),
        httpx.post(f"{url}/v1/audio/speech", json={"model": "mega", "input": "Hi.", "voice": "nobody"}),
    ):
        assert answer.status_code == 404, answer.text
        assert all(name in answer.json()["error"]["message"] for name in ("nobody", "anna"))


def test_a_server_without_any_voice_says_how_to_get_one(tmp_path: Path) -> None:
    with mega_server(tmp_path) as server:
        assert httpx.get(f"{server.url}/audio_roles").json() == {"success": True, "roles": []}
        for answer in (
            ask(server.url),
            httpx.post(f"{server.url}/v1/audio/speech", json={"model": "tts-1", "input": "Hi.", "voice": "alloy"}),
        ):
            assert answer.status_code == 404, answer.text
        assert "/add_speaker" in ask(server.url).json()["error"]["message"]


@pytest.mark.parametrize(("text", "words"), [("", "empty"), ("...", "can be spoken"), ("Привет", "reads: zh, en")])
def test_a_text_that_cannot_be_spoken_is_refused(url: str, text: str, words: str) -> None:
    for answer in (ask(url, text=text), ask(url, text=text, stream=True), clone(url, text=text)):
        assert answer.status_code == 400, answer.text
        assert words in answer.json()["error"]["message"]


def test_a_marker_of_the_model_in_the_text_is_only_text(url: str) -> None:
    pcm_of(ask(url, text="Good <BOS> day <Reserved_TTS_801>."))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint that a test may damage."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "mega", ignore=shutil.ignore_patterns("vectors")))


PARTS = [
    "aligner_lm/config.yaml",
    "aligner_lm/model_only_last.ckpt",
    "diffusion_transformer/model_only_last.ckpt",
    "duration_lm/config.yaml",
    "duration_lm/model_only_last.ckpt",
    "wavvae/decoder.ckpt",
    "g2p/config.json",
    "g2p/model.safetensors",
    "g2p/tokenizer.json",
]


DAMAGE = [
    (part, damage)
    for part in PARTS
    for damage in ("missing", "truncated", "another")
    if (Path(part).suffix, damage) != (".yaml", "truncated")  # a third of a YAML file is YAML, too
]


@pytest.mark.parametrize(("part", "damage"), DAMAGE)
def test_infer_names_the_file_at_fault(
    checkpoint: Path, capfd: pytest.CaptureFixture[str], part: str, damage: str
) -> None:
    path = checkpoint / part
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 3] if damage == "truncated" else b"[]")
    out = str(checkpoint.parent / "out.wav")
    assert call(["infer", "-i", "Hi.", "-o", out, "-m", str(checkpoint), "--voice_dir", str(checkpoint.parent)]) == 2
    told = capfd.readouterr().err
    assert path.name in told
    assert "Traceback" not in told


def test_infer_without_a_voice_says_how_to_get_one(checkpoint: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = str(checkpoint.parent / "out.wav")
    command = ["infer", "-i", "Hi.", "-o", out, "-m", str(checkpoint), "--max_length", "1024"]
    assert call([*command, "--voice_dir", str(checkpoint.parent / "voices")]) == 1
    assert "flashtts voices add" in capfd.readouterr().err
    given = ["--reference_audio", str(checkpoint / "voices" / "ref.wav")]
    assert call([*command, "--voice_dir", str(checkpoint.parent / "voices"), *given]) == 1
    assert "--latent_file" in capfd.readouterr().err


def test_serve_names_the_file_at_fault_and_ends(checkpoint: Path) -> None:
    path = checkpoint / "diffusion_transformer" / "model_only_last.ckpt"
    path.write_bytes(path.read_bytes()[:100_000])
    command = [sys.executable, "-m", "flashtts_core", "serve", "--host", "127.0.0.1", "--port", "0"]
    done = subprocess.run([*command, "-m", str(checkpoint)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "diffusion_transformer" in done.stderr
    assert "Traceback" not in done.stderr
