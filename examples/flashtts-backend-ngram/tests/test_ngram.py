"""The n-gram backend passes the contract of backends, and counts right."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_backend_ngram import NgramModel, flashtts_backends, load_model, open_ngram
from flashtts_core import Backend, BackendContext, Settings
from flashtts_core.errors import BadCheckpoint
from flashtts_core.testing.conformance import BackendContract, Reference, run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 40 walks over 100 ids, some ids far more common than others."""
    draw = random.Random(1)
    path = tmp_path_factory.mktemp("ngram")
    walks = [[int(100 * draw.random() ** 3) for _ in range(200)] for _ in range(40)]
    (path / "corpus.txt").write_text("\n".join(" ".join(map(str, walk)) for walk in walks), encoding="utf-8")
    return path


class Counted:
    """What the model has to say, chosen from one id at a time."""

    def __init__(self, model: NgramModel) -> None:
        self._model = model

    def scores(self, ids: Sequence[int]) -> NDArray[np.float64]:
        return np.array([self._model.scores(ids[: at + 1]) for at in range(len(ids))])

    def greedy(self, prompt: Sequence[int], tokens: int, *, penalty: float = 1.0) -> list[int]:
        ids = list(prompt)
        for _ in range(tokens):
            scores = np.array(self._model.scores(ids))
            scores[ids] *= penalty
            ids.append(int(scores.argmax()))
        return ids[len(prompt) :]


class TestNgram(BackendContract):
    (spec,) = flashtts_backends()
    settings = Settings(max_length=1024)
    folder: Path

    @pytest.fixture(autouse=True)
    def _use(self, folder: Path) -> None:
        self.folder = folder

    async def open_backend(self) -> Backend:
        return await open_ngram(BackendContext(self.folder, self.settings))

    def reference(self) -> Reference:
        return Counted(load_model(self.folder, self.settings, order=4))


def test_orders_are_mixed_as_witten_and_bell_do() -> None:
    scores = NgramModel([[0, 1, 0, 2], [0, 1]], Settings(), order=2).scores([2, 0])
    # Single ids: 3, 2 and 1 of 6, three kinds. After 0 came 1 twice and 2 once, two kinds.
    single = [(count + 3 * (1 / 3)) / 9 for count in (3, 2, 1)]
    assert [math.exp(score) for score in scores] == pytest.approx(
        [(count + 2 * share) / 5 for count, share in zip((0, 2, 1), single, strict=True)]
    )


@pytest.mark.parametrize("content", ["", "1 2 three", "4 -1"])
def test_a_folder_that_is_no_corpus_is_refused_with_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "corpus.txt").write_text(content, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match=r"corpus\.txt"):
        run(open_ngram(BackendContext(tmp_path, Settings())))
