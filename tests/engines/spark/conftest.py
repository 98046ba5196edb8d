"""Fixtures of the Spark-TTS tests: the golden checkpoint, open."""

from __future__ import annotations

import pytest

from backends.torch.threads import one_thread  # noqa: F401  # used by itself
from engines.spark import golden
from flashtts_core.engines.spark.checkpoint import find_files
from flashtts_core.engines.spark.codec.loading import Codec, CodecPlan, open_codec
from flashtts_core.engines.spark.prompt import Vocabulary


@pytest.fixture(scope="session")
def codec() -> Codec:
    return open_codec(find_files(golden.CHECKPOINT), CodecPlan())


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.load(golden.CHECKPOINT / "LLM" / "tokenizer.json")
