"""Tiny random checkpoints, and the ways the tests run them: here, and by transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from backends.torch.threads import one_thread  # noqa: F401  # used by itself
from flashtts_core.backends.limits import cut
from flashtts_core.backends.torch.model import TorchModel, load_model
from flashtts_core.errors import EngineError
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import TransformersReference, make_checkpoint
from flashtts_core.types import Sampling, TokenRequest

VOCAB = 1000


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tied Qwen2 and an untied Llama with llama3 scaling, both of head dim 32."""
    heads = {"hidden_size": 96, "intermediate_size": 160, "num_attention_heads": 3}
    return {
        "qwen2": make_checkpoint(tmp_path_factory.mktemp("qwen2"), "qwen2", vocab_size=VOCAB),
        "llama": make_checkpoint(tmp_path_factory.mktemp("llama"), "llama", vocab_size=VOCAB, **heads),
    }


@pytest.fixture(params=["qwen2", "llama"])
def folder(request: pytest.FixtureRequest, checkpoints: dict[str, Path]) -> Path:
    """Each of the checkpoints in turn."""
    return checkpoints[request.param]


@pytest.fixture(scope="session")
def open_model() -> Callable[..., TorchModel]:
    """Load a checkpoint on the CPU; keywords are settings."""

    def load(folder: Path, **settings: object) -> TorchModel:
        return load_model(folder, Settings(**{"llm_device": "cpu", **settings}))  # type: ignore[arg-type]  # by name

    return load


@pytest.fixture(scope="session")
def ask() -> Callable[..., TokenRequest]:
    """Make a request; keywords are fields of ``Sampling``, ``stop`` and ``allowed``."""

    def make(key: str, prompt: Sequence[int], **changes: object) -> TokenRequest:
        outer = {name: changes.pop(name) for name in ("stop", "allowed") if name in changes}
        sampling = Sampling(**{**_GREEDY, **changes})  # type: ignore[arg-type]  # by name
        return TokenRequest(key, tuple(prompt), sampling=sampling, **{"stop": frozenset(), **outer})  # type: ignore[arg-type]  # by name

    return make


_GREEDY = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "max_tokens": 32, "seed": 0}


@pytest.fixture(scope="session")
def drive() -> Callable[..., dict[str, list[int]]]:
    """Run requests to their ends without a thread; ``joins`` of them are admitted before each step."""

    def run(model: TorchModel, requests: Sequence[TokenRequest], *, joins: int = 100) -> dict[str, list[int]]:
        waiting, running = list(requests), dict[str, TokenRequest]()
        written: dict[str, list[int]] = {request.id: [] for request in requests}
        while waiting or running:
            for request in waiting[:joins]:
                model.admit(request)
                running[request.id] = request
            del waiting[:joins]
            for key, ids in model.step().items():
                assert not isinstance(ids, EngineError), ids
                limit = running[key].sampling.max_tokens
                assert limit is not None
                kept, ended = cut(ids, stop=running[key].stop, left=limit - len(written[key]))
                written[key] += kept
                if ended:
                    model.release(key)
                    del running[key]
        return written

    return run


@pytest.fixture(scope="session")
def references(checkpoints: dict[str, Path]) -> dict[Path, TransformersReference]:
    """What transformers computes for each checkpoint, by folder."""
    return {folder: TransformersReference(folder) for folder in checkpoints.values()}


@pytest.fixture(scope="session")
def prompts() -> list[list[int]]:
    """Eight prompts: shorter and longer than a slice, at its borders, and long enough to make the cache grow."""
    draw = torch.Generator().manual_seed(3)
    return [torch.randint(0, VOCAB, (count,), generator=draw).tolist() for count in (3, 70, 250, 64, 65, 128, 17, 300)]
