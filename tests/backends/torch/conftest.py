"""Tiny random checkpoints, and the ways the tests run them: here, and by transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM

from flashtts_core.backends.limits import cut
from flashtts_core.backends.torch.model import TorchModel, load_model
from flashtts_core.errors import EngineError
from flashtts_core.settings import Settings
from flashtts_core.types import Sampling, TokenRequest

VOCAB = 1000


def make_qwen2() -> PreTrainedModel:
    return Qwen2ForCausalLM(  # type: ignore[no-untyped-call]  # transformers is half typed
        Qwen2Config(
            vocab_size=VOCAB,
            hidden_size=128,
            intermediate_size=192,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            initializer_range=0.2,
            tie_word_embeddings=True,
        )
    )


def make_llama() -> PreTrainedModel:
    scaling = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    return LlamaForCausalLM(  # type: ignore[no-untyped-call]  # transformers is half typed
        LlamaConfig(
            vocab_size=VOCAB,
            hidden_size=96,
            intermediate_size=160,
            num_hidden_layers=2,
            num_attention_heads=3,
            num_key_value_heads=1,
            max_position_embeddings=2048,
            rope_parameters={**scaling, "rope_theta": 500_000.0, "original_max_position_embeddings": 64},
            initializer_range=0.2,
        )
    )


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute on one thread: tensors this small gain nothing from more, and waiting for a busy core costs much."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tied Qwen2 and an untied Llama with llama3 scaling, both of head dim 32."""
    folders = {}
    for name, make in {"qwen2": make_qwen2, "llama": make_llama}.items():
        torch.manual_seed(0)
        folders[name] = tmp_path_factory.mktemp(name)
        make().save_pretrained(folders[name])
    return folders


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
def generate(checkpoints: dict[str, Path]) -> Callable[..., list[int]]:
    """Continue a prompt greedily with transformers; ``penalty`` is its repetition_penalty."""
    models: dict[Path, Any] = {  # transformers' generate is mistyped
        checkpoints["qwen2"]: Qwen2ForCausalLM.from_pretrained(checkpoints["qwen2"], dtype=torch.float32),
        checkpoints["llama"]: LlamaForCausalLM.from_pretrained(checkpoints["llama"], dtype=torch.float32),
    }

    def run(folder: Path, prompt: Sequence[int], tokens: int, *, penalty: float = 1.0) -> list[int]:
        ids = torch.tensor([list(prompt)])
        written = models[folder].generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=tokens,
            repetition_penalty=penalty,
            eos_token_id=-1,
            pad_token_id=0,
        )
        continuation: list[int] = written[0, len(prompt) :].tolist()
        return continuation

    return run


@pytest.fixture(scope="session")
def prompts() -> list[list[int]]:
    """Eight prompts: shorter and longer than a slice, at its borders, and long enough to make the cache grow."""
    draw = torch.Generator().manual_seed(3)
    return [torch.randint(0, VOCAB, (count,), generator=draw).tolist() for count in (3, 70, 250, 64, 65, 128, 17, 300)]
