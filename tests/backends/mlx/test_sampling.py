"""Draws are those of the torch backend: the same noise, and the same answers to the same requests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from flashtts_backend_mlx import flashtts_backends
from flashtts_backend_mlx.sampling import gumbel
from flashtts_core.backends import BackendContext, BackendSpec
from flashtts_core.backends.sampling import gumbel as numpy_gumbel
from flashtts_core.backends.torch import flashtts_backends as torch_backends
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint
from flashtts_core.types import IdRanges, Sampling, TokenRequest

SETTINGS = [
    Sampling(0.9, 50, 0.95, 1.0, 64, 1),
    Sampling(0.6, 50, 0.8, 1.1, 64, 2),
    Sampling(1.3, 0, 0.7, 1.0, 64, 3),
    Sampling(1.0, 0, 1.0, 1.5, 64, 4),
]
CYCLE = (IdRanges(((10, 300),)), IdRanges(((400, 600), (700, 900))))


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63), 123_456_789_012_345])
def test_the_noise_is_the_torch_backends(key: int) -> None:
    ids = np.arange(0, 200_000, 7)
    np.testing.assert_allclose(np.array(gumbel(key, mx.array(ids))), numpy_gumbel(key, ids), rtol=1e-5, atol=1e-6)


async def answers(spec: BackendSpec, folder: Path) -> list[list[int]]:
    backend = await spec.open(BackendContext(folder, Settings(llm_device="cpu")))

    async def answer(request: TokenRequest) -> list[int]:
        async with aclosing(backend.generate(request)) as deltas:
            return [token async for delta in deltas for token in delta]

    requests = [
        TokenRequest(f"{number} {bool(allowed)}", (3, 1, 4, 1, 5), frozenset(), sampling, allowed)
        for number, sampling in enumerate(SETTINGS)
        for allowed in ((), CYCLE)
    ]
    try:
        return list(await asyncio.gather(*(answer(request) for request in requests)))
    finally:
        await backend.aclose()


def test_sampled_answers_are_the_torch_backends(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "qwen2")
    (mlx_lm,), (torch,) = flashtts_backends(), torch_backends()
    assert asyncio.run(answers(mlx_lm, folder)) == asyncio.run(answers(torch, folder))
