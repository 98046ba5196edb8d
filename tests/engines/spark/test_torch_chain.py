"""Text to sound on the golden checkpoint with the real language model, through the host."""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.spark import golden
from engines.spark.golden import assert_golden
from flashtts_core.host import open_synthesizer
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing.conformance import run
from flashtts_core.types import Reference, Sampling, SpeechRequest, SplitLimits, Style

LONG = "Hello there, this is a test. And here comes the second sentence, which is longer. A third one ends it."


async def opened(folder: Path) -> Synthesizer:
    points = [
        EntryPoint("spark", "flashtts_core.engines.spark", "flashtts"),
        EntryPoint("torch", "flashtts_core.backends.torch", "flashtts"),
    ]
    own = {"spark": {"look_ahead": 4096}}
    settings = Settings(model_path=str(golden.CHECKPOINT), backend="torch", voice_dir=str(folder), plugin=own)
    return await open_synthesizer(settings, Plugins.discover(points))


async def said(synthesizer: Synthesizer, request: SpeechRequest, *, whole: bool = False) -> NDArray[np.float32]:
    async with await synthesizer.open(request, whole=whole) as stream:
        return (await stream.read()).samples


@pytest.mark.parametrize("number", [0, 2, 20])
def test_greedy_speech_is_the_golden_wave(tmp_path: Path, number: int) -> None:
    told = golden.MANIFEST["prompts"][number]

    async def check() -> None:
        async with await opened(tmp_path) as synthesizer:
            request = SpeechRequest(
                told["text"],
                voice=told["gender"] or "female",
                style=Style(told["pitch"], told["speed"]),
                sampling=Sampling(temperature=0.0),
            )
            assert_golden(f"e2e.{number}.wave", await said(synthesizer, request))

    run(check())


def test_streamed_whole_and_in_company_are_the_same(tmp_path: Path) -> None:
    async def check() -> None:
        async with await opened(tmp_path) as synthesizer:
            requests = [
                SpeechRequest(LONG, sampling=Sampling(seed=1), limits=SplitLimits(20, 20)),
                SpeechRequest(LONG, voice="male", sampling=Sampling(seed=2), style=Style("high")),
                SpeechRequest(
                    "Hello there.",
                    voice=Reference(golden.recording("b_stereo"), "Please say."),
                    sampling=Sampling(seed=1),
                ),
            ]
            alone = [await said(synthesizer, request) for request in requests]
            together = await asyncio.gather(*(said(synthesizer, request, whole=True) for request in requests))
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_allclose(other, one, rtol=0, atol=1e-5)

    run(check())
