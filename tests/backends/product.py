"""The whole product on a backend: a real ``flashtts serve --backend X`` says what the torch backend says.

A backend's test is three lines::

    class TestProduct(ProductContract):
        backend = "mlx-lm"
        flags = ("--torch_dtype", "float32")
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest
from msgspec import Struct

from flashtts_core.testing.checkpoints import make_checkpoint

GOLDEN = Path(__file__).parents[1] / "golden"
START_SECONDS = 600.0
ANSWER_SECONDS = 180.0


def _copy(source: Path, folder: Path, *without: str) -> Path:
    """Copy a checkpoint, without some of its files."""
    return Path(shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*without)))


def _spark(folder: Path) -> Path:
    return _copy(GOLDEN / "spark-tiny", folder)


def _orpheus(folder: Path) -> Path:
    """Make Orpheus with a language model whose heads have size 32: not every runtime computes the golden one's 8."""
    _copy(GOLDEN / "orpheus-tiny", folder, "vectors", "model.safetensors")
    changes: dict[str, Any] = {"max_position_embeddings": 4096, "tie_word_embeddings": True}
    return make_checkpoint(folder, "llama", vocab_size=28_956, **changes)


def _mega(folder: Path) -> Path:
    """Make MegaTTS 3 with a phone writer whose heads have size 32, and a role to speak with beside it."""
    _copy(GOLDEN / "mega-tiny", folder, "vectors", "voices")
    (folder / "g2p" / "model.safetensors").unlink()
    make_checkpoint(folder / "g2p", "qwen2", vocab_size=1111)
    _copy(GOLDEN / "mega-tiny" / "voices", folder / "roles" / "ref")
    return folder


class Checkpoint(Struct, frozen=True):
    """A way to make a small model, and the flags (with its folder filled in) and fields of requests that it needs."""

    make: Callable[[Path], Path]
    flags: tuple[str, ...] = ()
    fields: dict[str, object] = {}


CHECKPOINTS = {
    "spark": Checkpoint(_spark),
    "orpheus": Checkpoint(_orpheus),
    "mega": Checkpoint(_mega, ("--role_dir", "{folder}/roles", "--mega_time_step", "4"), {"name": "ref"}),
}

SENTENCES = (
    "Hello there.",
    "The second sentence is longer than the first one.",
    "Now we count: one, two, three, four.",
    "Is this a question? It is.",
)
LONG = " ".join(SENTENCES)


class Product:
    """A running server and the way its users ask it."""

    def __init__(self, url: str, fields: Mapping[str, object]) -> None:
        self.url = url
        self._fields = fields

    def ask(self, text: str, **fields: object) -> bytes:
        """Return a greedy answer of at most 84 tokens a segment as pcm; ``fields`` are of the body of ``/speak``."""
        answer = self.post(text, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.content
        return answer.content

    def post(self, text: str, **fields: object) -> httpx.Response:
        """Return the answer to such a request."""
        return httpx.post(f"{self.url}/speak", json=self.body(text, **fields), timeout=ANSWER_SECONDS)

    def body(self, text: str, **fields: object) -> dict[str, object]:
        """Return the body of such a request."""
        greedy = {"text": text, "temperature": 0.0, "max_tokens": 84, "response_format": "pcm"}
        return {**greedy, **self._fields, **fields}

    def greedy(self) -> dict[str, bytes]:
        """Return greedy answers: every sentence, and a text of several segments."""
        said = {text: self.ask(text) for text in SENTENCES}
        return {**said, LONG: self.ask(LONG, length_threshold=20, window_size=20)}


@contextmanager
def serving(checkpoint: Checkpoint, folder: Path, backend: str, flags: Sequence[str] = ()) -> Iterator[Product]:
    """Run ``flashtts serve`` until the end of the block; it has to end in order and without a traceback."""
    flags = [*flags, *(flag.format(folder=folder) for flag in checkpoint.flags)]
    with tempfile.TemporaryDirectory(prefix="flashtts-product-") as own:
        log = Path(own) / "log"
        command = [sys.executable, "-m", "flashtts_core", "serve", "--host", "127.0.0.1", "--port", "0"]
        model = ["--model_path", str(folder), "--backend", backend, "--voice_dir", own, "--llm_device", "cpu"]
        with log.open("w") as file:
            process = subprocess.Popen(
                [*command, *model, "--max_length", "1024", "--llm_batch_size", "8", *flags],
                stdout=file,
                stderr=file,
                env={**os.environ, "OMP_NUM_THREADS": "1"},  # with more, sums of the codec differ in their last bit
            )
        try:
            yield Product(_address(process, log), checkpoint.fields)
        finally:
            process.terminate()
            status = process.wait(60)
        assert status == 0, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.findall(r"is ready at (\S+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)  # the server is another process: there is nothing to wait on but what it writes
    return str(found[0])


@functools.cache
def torch_says(name: str) -> dict[str, bytes]:
    """Return the greedy answers of the torch backend in float32; asked once for all backends."""
    checkpoint = CHECKPOINTS[name]
    with tempfile.TemporaryDirectory(prefix="flashtts-torch-") as own:
        folder = checkpoint.make(Path(own) / "model")
        with serving(checkpoint, folder, "torch", ("--torch_dtype", "float32")) as product:
            return product.greedy()


class ProductContract:
    """Spark, Orpheus and Mega on a backend: the same greedy sound as on torch, whole, streamed and in company."""

    backend: ClassVar[str]
    flags: ClassVar[tuple[str, ...]] = ()
    """Flags that make the backend compute in float32, and any others it needs."""
    seeds: ClassVar[bool] = True
    """False for a backend that does not honour seeds: the answer has to say so."""

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Do what the backend needs done to a model folder once before it can be served: nothing, as a rule."""

    @pytest.fixture(scope="class", params=CHECKPOINTS)
    @classmethod
    def served(cls, request: pytest.FixtureRequest) -> Iterator[tuple[Product, dict[str, bytes]]]:
        """Serve each checkpoint in turn; give the server and what torch says."""
        checkpoint, expected = CHECKPOINTS[request.param], torch_says(request.param)
        with tempfile.TemporaryDirectory(prefix="flashtts-backend-") as own:
            folder = checkpoint.make(Path(own) / "model")
            cls.prepare(folder)
            with serving(checkpoint, folder, cls.backend, cls.flags) as product:
                yield product, expected

    def test_greedy_speech_is_that_of_torch(self, served: tuple[Product, dict[str, bytes]]) -> None:
        product, expected = served
        assert len(set(expected.values())) > len(expected) // 2, "the model should not say the same to everything"
        for text, sound in product.greedy().items():
            _assert_same_sound(sound, expected[text])

    def test_greedy_speech_in_company_is_that_of_torch(self, served: tuple[Product, dict[str, bytes]]) -> None:
        product, expected = served
        with ThreadPoolExecutor(len(SENTENCES)) as pool:
            for text, sound in zip(SENTENCES, pool.map(product.ask, SENTENCES), strict=True):
                _assert_same_sound(sound, expected[text])

    def test_streamed_speech_is_the_whole_speech(self, served: tuple[Product, dict[str, bytes]]) -> None:
        product, expected = served
        _assert_same_sound(product.ask(SENTENCES[1], stream=True), expected[SENTENCES[1]])

    def test_a_seed_repeats_the_speech_or_the_answer_says_that_it_does_not(
        self, served: tuple[Product, dict[str, bytes]]
    ) -> None:
        product, _ = served
        sampled = {"temperature": 0.9, "top_k": 50, "top_p": 0.95}
        first, again, other = (product.post(SENTENCES[0], seed=seed, **sampled) for seed in (1, 1, 2))
        assert first.status_code == again.status_code == other.status_code == 200, first.text
        if self.seeds:
            assert "seed" not in first.headers.get("x-flashtts-ignored", "")
            assert first.content == again.content != other.content
        else:
            assert "seed" in first.headers["x-flashtts-ignored"]

    def test_a_listener_that_leaves_stops_the_model_and_harms_nobody(
        self, served: tuple[Product, dict[str, bytes]]
    ) -> None:
        product, expected = served
        body = product.body(LONG, stream=True, max_tokens=900)
        with httpx.stream("POST", f"{product.url}/speak", json=body, timeout=ANSWER_SECONDS) as answer:
            assert answer.status_code == 200
            next(answer.iter_raw())
        _assert_same_sound(product.ask(SENTENCES[0]), expected[SENTENCES[0]])
        assert httpx.get(f"{product.url}/ready", timeout=10).status_code == 200


def _assert_same_sound(sound: bytes, expected: bytes) -> None:
    """Compare pcm: of the same codes, decoded in company or alone, samples may round to neighbouring levels."""
    assert len(sound) == len(expected)
    mine, theirs = (np.frombuffer(each, "<i2").astype(int) for each in (sound, expected))
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1)
