"""What becomes of an engine's mistakes: its request hears of them, and the others go on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flashtts_core.errors import EmptySpeech, EngineError
from flashtts_core.settings import Settings
from flashtts_core.stream import AudioStream
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import ToneEngine, ToneSettings
from flashtts_core.testing.conformance import run
from flashtts_core.testing.fakes import SAMPLE_RATE
from flashtts_core.types import AudioChunk, Line, SpeechRequest

TONE = np.full(2400, 0.1, np.float32)


class OddEngine(ToneEngine):
    """Speaks as it is told to."""

    def __init__(self, speech: Callable[[], Any]) -> None:
        super().__init__()
        self.speech = speech

    def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        return self.speech()  # type: ignore[no-any-return]  # whatever it is: that is the point


@contextlib.asynccontextmanager
async def streaming(tmp_path: Path, speech: Callable[[], Any]) -> AsyncIterator[AudioStream]:
    async with (
        Synthesizer(OddEngine(speech), Settings(voice_dir=str(tmp_path))) as synthesizer,
        await synthesizer.open(SpeechRequest("word")) as stream,
    ):
        yield stream


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        (None, "None"),
        (TONE, "ndarray"),
        ((TONE, SAMPLE_RATE), "tuple"),
        (AudioChunk(TONE.tolist(), SAMPLE_RATE), "samples as .* type list"),  # type: ignore[arg-type]  # the mistake
        (AudioChunk((TONE * 32767).astype(np.int16), SAMPLE_RATE), r"int16 in the shape \[2400\]"),
        (AudioChunk(TONE.astype(np.float64), SAMPLE_RATE), r"float64 in the shape \[2400\]"),
        (AudioChunk(np.stack([TONE, TONE]), SAMPLE_RATE), r"float32 in the shape \[2, 2400\]"),
        (AudioChunk(TONE, 2 * SAMPLE_RATE), f"{2 * SAMPLE_RATE} Hz.* at {SAMPLE_RATE} Hz"),
        (AudioChunk(TONE, SAMPLE_RATE, 3), "int as its usage"),  # type: ignore[arg-type]  # the mistake
    ],
)
def test_what_is_no_chunk_of_the_promised_sound_is_named(tmp_path: Path, chunk: Any, words: str) -> None:
    async def speech() -> AsyncGenerator[Any, None]:
        yield AudioChunk(TONE, SAMPLE_RATE)
        yield chunk

    async def check() -> None:
        async with streaming(tmp_path, speech) as stream:
            with pytest.raises(EngineError, match=words):
                await stream.read()

    run(check())


def test_an_engine_that_returns_its_sound_is_told_to_yield_it(tmp_path: Path) -> None:
    async def check() -> None:
        async with streaming(tmp_path, lambda: [AudioChunk(TONE, SAMPLE_RATE)]) as stream:
            with pytest.raises(EngineError, match="list in place of an async generator"):
                await stream.start()

    run(check())


def test_an_engine_that_would_end_the_process_ends_its_line(tmp_path: Path) -> None:
    async def speech() -> AsyncGenerator[AudioChunk, None]:
        yield AudioChunk(TONE, SAMPLE_RATE)
        raise SystemExit(2)

    async def check() -> None:
        async with streaming(tmp_path, speech) as stream:
            with pytest.raises(EngineError, match="end the process"):
                await stream.read()

    run(check())


def test_an_engine_that_never_waits_nor_ends_leaves_the_loop_to_others_and_can_be_closed(tmp_path: Path) -> None:
    ended: list[int] = []

    async def speech() -> AsyncGenerator[AudioChunk, None]:
        try:
            for _ in range(100_000):  # as good as endless, and a failure ends
                yield AudioChunk(TONE, SAMPLE_RATE)
        finally:
            ended.append(1)

    async def check() -> None:
        async with streaming(tmp_path, speech) as stream:
            await stream.start()
            assert not ended
        assert ended

    run(check())


def test_an_engine_that_holds_on_when_it_is_stopped_is_closed_at_its_next_chunk(tmp_path: Path) -> None:
    made: list[int] = []

    async def speech() -> AsyncGenerator[AudioChunk, None]:
        while len(made) < 100:
            made.append(1)
            yield AudioChunk(TONE, SAMPLE_RATE)
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                made.append(1)

    async def check() -> None:
        async with streaming(tmp_path, speech) as stream:
            await stream.start()
        assert len(made) < 10

    run(check())


def test_speech_without_any_sound_is_an_error_to_whoever_iterates_too(tmp_path: Path) -> None:
    async def check() -> None:
        engine = ToneEngine(ToneSettings(silent_on="hush"))
        async with Synthesizer(engine, Settings(voice_dir=str(tmp_path))) as synthesizer:
            with pytest.raises(EmptySpeech):
                assert [chunk async for chunk in synthesizer.speak("hush")]

    run(check())
