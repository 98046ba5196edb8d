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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest
import torch

from flashtts_core.engines import Engine
from flashtts_core.host import open_synthesizer
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint
from flashtts_server.testing import LiveServer

GOLDEN = Path(__file__).parents[1] / "golden"
START_SECONDS = 240.0
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


CHECKPOINTS: dict[str, Callable[[Path], Path]] = {"spark": _spark, "orpheus": _orpheus}

SENTENCES = (
    "Hello there.",
    "The second sentence is longer than the first one.",
    "Now we count: one, two, three, four.",
    "Is this a question? It is.",
)
LONG = " ".join(SENTENCES)


class Product:
    """A running server and the way its users ask it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, text: str, **fields: object) -> bytes:
        """Return a greedy answer of at most 84 tokens a segment as pcm; ``fields`` are of the body of ``/speak``."""
        answer = self.post(text, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.content
        return answer.content

    def post(self, text: str, **fields: object) -> httpx.Response:
        """Return the answer to such a request."""
        body = {"text": text, "temperature": 0.0, "max_tokens": 84, "response_format": "pcm", **fields}
        return httpx.post(f"{self.url}/speak", json=body, timeout=ANSWER_SECONDS)

    def greedy(self) -> dict[str, bytes]:
        """Return greedy answers: every sentence, and a text of several segments."""
        said = {text: self.ask(text) for text in SENTENCES}
        return {**said, LONG: self.ask(LONG, length_threshold=20, window_size=20)}


@contextmanager
def serving(folder: Path, backend: str, flags: Sequence[str]) -> Iterator[Product]:
    """Run ``flashtts serve`` until the end of the block; it has to end in order and without a traceback."""
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
            yield Product(_address(process, log))
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
def torch_says(checkpoint: str) -> dict[str, bytes]:
    """Return the greedy answers of the torch backend in float32; asked once for all backends."""
    with tempfile.TemporaryDirectory(prefix="flashtts-torch-") as own:
        folder = CHECKPOINTS[checkpoint](Path(own) / "model")
        settings = Settings(
            model_path=str(folder), voice_dir=own, max_length=1024, llm_device="cpu", torch_dtype="float32"
        )

        async def make() -> Engine:
            torch.set_num_threads(1)
            return (await open_synthesizer(settings)).engine

        with LiveServer(make, settings=settings) as server:
            return Product(server.url).greedy()


class ProductContract:
    """Spark and Orpheus on a backend: the same greedy sound as on torch, whole, streamed and in company."""

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
        expected = torch_says(request.param)
        with tempfile.TemporaryDirectory(prefix="flashtts-backend-") as own:
            folder = CHECKPOINTS[request.param](Path(own) / "model")
            cls.prepare(folder)
            with serving(folder, cls.backend, cls.flags) as product:
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
        body = {"text": LONG, "stream": True, "response_format": "pcm", "temperature": 0.0, "max_tokens": 900}
        with httpx.stream("POST", f"{product.url}/speak", json=body, timeout=ANSWER_SECONDS) as answer:
            assert answer.status_code == 200
            next(answer.iter_raw())
        _assert_same_sound(product.ask(SENTENCES[0]), expected[SENTENCES[0]])
        assert httpx.get(f"{product.url}/ready", timeout=10).status_code == 200


def _assert_same_sound(sound: bytes, expected: bytes) -> None:
    """Compare pcm: of the same codes, decoded in company or alone, samples may round to neighbouring levels."""
    assert len(sound) == len(expected)
    levels = [np.frombuffer(each, "<i2").astype(int) for each in (sound, expected)]
    np.testing.assert_allclose(*levels, rtol=0, atol=1)
