"""The mlx-lm backend passes the contract of backends."""

from __future__ import annotations

from flashtts_backend_mlx import flashtts_backends
from flashtts_core.testing.conformance import CheckpointContract

(SPEC,) = flashtts_backends()


class TestQwen2(CheckpointContract):
    spec = SPEC
    family = "qwen2"


class TestLlama(CheckpointContract):
    spec = SPEC
    family = "llama"
