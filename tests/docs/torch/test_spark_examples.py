"""Examples that need a model that clones run with the small Spark-TTS checkpoint on the torch backend.

Its weights are random, so the sound is checked for being there and not for what is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.torch.threads import one_thread  # noqa: F401  # used by itself
from docs import running
from docs.pages import PAGES, ROOT, blocks_of
from engines.spark import golden
from engines.spark.serving import recorded, spark_server

WITH_EXAMPLES = [page for page in PAGES if any(running.runs_with_spark(block) for block in blocks_of(page))]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[running.Reader]:
    """Give the reader the model under its official name, a recording, and a server of its own."""
    (tmp_path / "Spark-TTS-0.5B").symlink_to(golden.CHECKPOINT)
    (tmp_path / "anna.wav").write_bytes(recorded(3.0))
    with spark_server(tmp_path / "voices") as server:
        yield running.Reader(tmp_path, server.url)


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run_with_a_model_that_clones(page: Path, reader: running.Reader) -> None:
    running.read(page, reader, spark=True)
