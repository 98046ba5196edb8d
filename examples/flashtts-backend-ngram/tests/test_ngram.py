"""The n-gram backend passes the contract of backends."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flashtts_backend_ngram import flashtts_backends, open_ngram
from flashtts_core import Backend, BackendContext, Settings
from flashtts_core.errors import BadCheckpoint
from flashtts_core.testing.conformance import BackendContract, run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 40 walks over 100 ids."""
    draw = random.Random(1)
    path = tmp_path_factory.mktemp("ngram")
    walks = [[draw.randrange(100) for _ in range(200)] for _ in range(40)]
    (path / "corpus.txt").write_text("\n".join(" ".join(map(str, walk)) for walk in walks), encoding="utf-8")
    return path


class TestNgram(BackendContract):
    (spec,) = flashtts_backends()
    folder: Path

    @pytest.fixture(autouse=True)
    def _use(self, folder: Path) -> None:
        self.folder = folder

    async def open_backend(self) -> Backend:
        return await open_ngram(BackendContext(self.folder, Settings(max_length=512)))


@pytest.mark.parametrize("content", ["", "1 2 three", "4 -1"])
def test_a_folder_that_is_no_corpus_is_refused_with_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "corpus.txt").write_text(content, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match=r"corpus\.txt"):
        run(open_ngram(BackendContext(tmp_path, Settings())))
