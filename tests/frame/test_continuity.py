"""What the lines of one request hand on to each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from flashtts_core.continuity import Continuity
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import ToneEngine
from flashtts_core.testing.conformance import run
from flashtts_core.types import AudioChunk, Line, SpeechRequest


class Decider:
    """Decides on numbers: 1, 2, 3 ... once it is let."""

    def __init__(self) -> None:
        self.decisions = 0
        self.let = asyncio.Event()

    async def __call__(self) -> object:
        await self.let.wait()
        self.decisions += 1
        return self.decisions

    async def fail(self) -> object:
        raise RuntimeError("no decision")


def test_the_first_to_ask_decides_and_the_others_wait() -> None:
    async def check() -> None:
        continuity, decide = Continuity(), Decider()
        asking = [asyncio.create_task(continuity.settle(decide)) for _ in range(3)]
        await asyncio.sleep(0)
        decide.let.set()
        assert await asyncio.gather(*asking) == [1, 1, 1]

    run(check())


def test_after_a_failure_or_a_cancellation_the_next_decides() -> None:
    async def check() -> None:
        continuity, decide = Continuity(), Decider()
        with pytest.raises(RuntimeError):
            await continuity.settle(decide.fail)
        first = asyncio.create_task(continuity.settle(decide))
        second = asyncio.create_task(continuity.settle(decide))
        await asyncio.sleep(0)
        first.cancel()
        decide.let.set()
        assert await second == 1

    run(check())


def test_lines_of_a_request_share_it_by_voice(tmp_path: Path) -> None:
    class Recorder(ToneEngine):
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[Line] = []

        async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
            self.lines.append(line)
            async for chunk in super().speak(line):
                yield chunk

    async def check() -> None:
        engine = Recorder()
        first, second = list(engine.voices)[:2]
        async with Synthesizer(engine, Settings(voice_dir=str(tmp_path))) as synthesizer:
            text = f"<role:{first}>One.<role:{second}>Two.<role:{first}>Three."
            for _ in range(2):
                async with await synthesizer.open(SpeechRequest(text, script=True), whole=True) as stream:
                    await stream.read()
        by_index = sorted(engine.lines, key=lambda line: (line.request_id == engine.lines[0].request_id, line.index))
        shared = [id(line.continuity) for line in by_index]
        assert shared[0] == shared[2]
        assert shared[3] == shared[5]
        assert len(set(shared)) == 4
        assert all(line.continuity is not None for line in by_index)

    run(check())
