"""The llama.cpp backend passes the contract of backends, with a float32 model and a float32 cache."""

from __future__ import annotations

from pathlib import Path

from flashtts_backend_llamacpp import LlamaCppSettings, flashtts_backends
from flashtts_backend_llamacpp.convert import convert_model
from flashtts_core.testing.conformance import CheckpointContract

(SPEC,) = flashtts_backends()


class Contract(CheckpointContract):
    spec = SPEC
    own = LlamaCppSettings(kv_type="f32", threads=1)

    @classmethod
    def prepare(cls, folder: Path) -> None:
        convert_model(folder, folder / "model.gguf", "f32")


class TestQwen2(Contract):
    family = "qwen2"


class TestLlama(Contract):
    family = "llama"
