"""Fixtures of the Orpheus-TTS tests: the golden codec and vocabulary, open; a language model with random weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from backends.torch.threads import one_thread  # noqa: F401  # used by itself
from engines.orpheus import golden
from flashtts_core.engines.orpheus.codec.decoder import SnacDecoder
from flashtts_core.engines.orpheus.codec.loading import open_codec
from flashtts_core.engines.orpheus.prompt import Vocabulary

SNAC = golden.CHECKPOINT / "snac"


@pytest.fixture(scope="session")
def codec() -> SnacDecoder:
    return open_codec(SNAC / "config.json", SNAC / "pytorch_model.bin", torch.device("cpu"))


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.load(golden.CHECKPOINT)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint that a test may damage."""
    ignore = shutil.ignore_patterns("vectors")
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "orpheus", ignore=ignore))


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden checkpoint with another language model: its answers differ with text, voice and seed."""
    folder = tmp_path_factory.mktemp("models") / "random"
    shutil.copytree(golden.CHECKPOINT, folder, ignore=shutil.ignore_patterns("vectors", "*.safetensors", "config.json"))
    shutil.copytree(SNAC, folder / "snac", dirs_exist_ok=True)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=28956,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        initializer_range=0.3,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)  # type: ignore[no-untyped-call]  # transformers has few types
    return folder
