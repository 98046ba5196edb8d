"""Fixtures of the Spark-TTS tests: the golden checkpoint, open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from engines.spark import golden
from flashtts_core.engines.spark.checkpoint import find_files
from flashtts_core.engines.spark.codec.loading import Codec, CodecPlan, open_codec
from flashtts_core.engines.spark.prompt import Vocabulary


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread: on networks this small more of them only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def codec() -> Codec:
    return open_codec(find_files(golden.CHECKPOINT), CodecPlan())


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.load(golden.CHECKPOINT / "LLM" / "tokenizer.json")
