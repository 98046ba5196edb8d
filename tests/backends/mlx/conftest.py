"""Small checkpoints, and a way to ask the mlx-lm backend about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from flashtts_backend_mlx import flashtts_backends
from flashtts_core.backends import Backend, BackendContext
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import Family, make_checkpoint
from flashtts_core.types import Sampling, TokenRequest

(SPEC,) = flashtts_backends()

Ask = Callable[..., list[list[int] | BaseException]]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[[Family], Path]:
    """Make a checkpoint that a test may change."""
    return lambda family: make_checkpoint(tmp_path / family, family)


@pytest.fixture
def ask() -> Ask:
    """Open a folder, ask prompts together and greedily, and close it; gives answers and errors."""

    def run(
        folder: Path,
        *prompts: Sequence[int],
        spoil: Callable[[Backend], None] = lambda backend: None,
        **settings: object,
    ) -> list[list[int] | BaseException]:
        given = Settings(**{"llm_device": "cpu", **settings})  # type: ignore[arg-type]  # by name
        return asyncio.run(_answers(folder, prompts, given, spoil))

    return run


async def _answers(
    folder: Path, prompts: Sequence[Sequence[int]], settings: Settings, spoil: Callable[[Backend], None]
) -> list[list[int] | BaseException]:
    backend = await SPEC.open(BackendContext(folder, settings))
    try:
        spoil(backend)
        return await asyncio.gather(*(_ids(backend, prompt) for prompt in prompts), return_exceptions=True)
    finally:
        await backend.aclose()


async def _ids(backend: Backend, prompt: Sequence[int]) -> list[int]:
    request = TokenRequest(f"{prompt}", tuple(prompt), frozenset(), Sampling(0.0, 0, 1.0, 1.0, 16, 0))
    async with aclosing(backend.generate(request)) as deltas:
        return [token async for delta in deltas for token in delta]
