"""Small checkpoints as GGUF, and a way to run requests without a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flashtts_backend_llamacpp import LlamaCppSettings
from flashtts_backend_llamacpp.convert import convert_model
from flashtts_backend_llamacpp.model import LlamaCppModel, load_model
from flashtts_core.backends.limits import cut
from flashtts_core.errors import EngineError
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint
from flashtts_core.types import Sampling, TokenRequest

GREEDY = Sampling(0.0, 0, 1.0, 1.0, 32, 0)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small Qwen2 and a small Llama, each with a float32 ``model.gguf`` beside its official files."""
    folders = {}
    for family in ("qwen2", "llama"):
        folders[family] = make_checkpoint(tmp_path_factory.mktemp(family), family)
        convert_model(folders[family], folders[family] / "model.gguf", "f32")
    return folders


@pytest.fixture(scope="session")
def open_model() -> Callable[..., LlamaCppModel]:
    """Load a GGUF file; keywords are settings of the backend's own."""

    def load(folder: Path, **own: object) -> LlamaCppModel:
        settings = Settings(llm_device="cpu", llm_batch_size=8, max_length=512)
        return load_model(folder, settings, LlamaCppSettings(**{"kv_type": "f32", "threads": 1, **own}))  # type: ignore[arg-type]  # by name

    return load


@pytest.fixture(scope="session")
def requests() -> list[TokenRequest]:
    """Six greedy requests with prompts of different lengths."""
    lengths = (100, 30, 64, 65, 7, 90)
    return [
        TokenRequest(str(number), tuple((7 * at + 131 * number) % 1000 for at in range(length)), frozenset(), GREEDY)
        for number, length in enumerate(lengths)
    ]


@pytest.fixture(scope="session")
def drive() -> Callable[..., dict[str, list[int] | EngineError]]:
    """Run requests to their ends; all join before the first step. An error ends a request and is its result."""

    def run(model: LlamaCppModel, asked: Sequence[TokenRequest]) -> dict[str, list[int] | EngineError]:
        running = {request.id: request for request in asked}
        written: dict[str, list[int]] = {request.id: [] for request in asked}
        failed: dict[str, EngineError] = {}
        for request in asked:
            model.admit(request)
        for _ in range(5000):
            for key, ids in model.step().items():
                ended = isinstance(ids, EngineError)
                if isinstance(ids, EngineError):
                    failed[key] = ids
                else:
                    limit = running[key].sampling.max_tokens
                    assert limit is not None
                    kept, ended = cut(ids, stop=running[key].stop, left=limit - len(written[key]))
                    written[key] += kept
                if ended:
                    model.release(key)
                    del running[key]
            if not running:
                return {**written, **failed}
        raise AssertionError("the model never came to an end")

    return run
