"""Lines of a turn that fade into each other: which ones, how, and that the stretch goes over all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_core.audio.join import join
from flashtts_core.engines import TextRules
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import ToneEngine
from flashtts_core.testing.conformance import run
from flashtts_core.testing.fakes import SAMPLE_RATE, ToneSettings
from flashtts_core.types import AudioChunk, Line, SpeechRequest, SplitLimits, Style, Usage

OVERLAP = 800
TEXT = "One two three four. Five six. Seven eight nine ten. Eleven. Twelve thirteen."
LIMITS = SplitLimits(length_threshold=1, window_size=6)


class Fading(ToneEngine):
    """Speaks each line as noise of a length that follows from its words; ``lines`` keeps what was asked."""

    rules = TextRules(normalize=False, merge=True, overlap=OVERLAP / SAMPLE_RATE, lead=True)

    def __init__(self, *, labels: bool = True, word: int = 1000) -> None:
        super().__init__(ToneSettings(labels=labels))
        self.lines: list[Line] = []
        self.word = word

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        self.lines.append(line)
        yield AudioChunk(self.sound(line), SAMPLE_RATE, Usage(1, len(line.text.split())))

    def sound(self, line: Line) -> NDArray[np.float32]:
        chance = np.random.default_rng(line.index)
        return chance.uniform(-0.5, 0.5, self.word * len(line.text.split())).astype(np.float32)


async def spoken(engine: Fading, tmp_path: Path, request: SpeechRequest, *, whole: bool) -> NDArray[np.float32]:
    async with Synthesizer(engine, Settings(voice_dir=str(tmp_path))) as synthesizer:
        async with await synthesizer.open(request, whole=whole) as stream:
            parts = [chunk.samples async for chunk in stream]
        assert stream.usage.output_tokens == sum(len(line.text.split()) for line in engine.lines)
    engine.lines.sort(key=lambda line: line.index)
    return np.concatenate(parts)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("word", [1000, 300, 50])
def test_lines_of_a_turn_fade_into_each_other(tmp_path: Path, whole: bool, word: int) -> None:
    async def check() -> None:
        engine = Fading(word=word)
        sound = await spoken(engine, tmp_path, SpeechRequest(TEXT, limits=LIMITS), whole=whole)
        np.testing.assert_array_equal(sound, join(map(engine.sound, engine.lines), OVERLAP))
        places = [(line.opens, line.closes) for line in engine.lines]
        assert places == [(True, False), *[(False, False)] * (len(places) - 2), (False, True)]

    run(check())


def test_the_first_sentence_is_a_line_by_itself_if_the_text_is_cut(tmp_path: Path) -> None:
    async def check() -> None:
        engine = Fading()
        await spoken(engine, tmp_path, SpeechRequest("One. Two three. Four five six seven.", limits=LIMITS), whole=True)
        assert [line.text for line in engine.lines] == ["One.", "Two three.", "Four five six seven."]
        uncut = Fading()
        await spoken(uncut, tmp_path, SpeechRequest("One. Two three."), whole=True)
        assert [line.text for line in uncut.lines] == ["One. Two three."]

    run(check())


def test_turns_stand_end_to_end(tmp_path: Path) -> None:
    async def check() -> None:
        engine = Fading()
        script = "<role:female>One two three four. Five six seven. Eight nine.<role:male>Ten eleven."
        sound = await spoken(engine, tmp_path, SpeechRequest(script, script=True, limits=LIMITS), whole=False)
        *first, last = engine.lines
        assert len(first) > 1
        assert (last.voice.name, last.opens, last.closes) == ("male", True, True)
        expected = [join(map(engine.sound, first), OVERLAP), engine.sound(last)]
        np.testing.assert_array_equal(sound, np.concatenate(expected))

    run(check())


def test_the_stretch_goes_over_a_whole_turn(tmp_path: Path) -> None:
    async def check() -> None:
        engine = Fading(labels=False)
        request = SpeechRequest(TEXT, style=Style(speed=2.0), limits=LIMITS)
        sound = await spoken(engine, tmp_path, request, whole=False)
        assert len(engine.lines) > 2
        assert len(sound) == round(len(join(map(engine.sound, engine.lines), OVERLAP)) / 2)

    run(check())


def test_a_turn_that_is_closed_midway_can_be_closed_again(tmp_path: Path) -> None:
    async def check() -> None:
        async with Synthesizer(Fading(), Settings(voice_dir=str(tmp_path))) as synthesizer:
            stream = await synthesizer.open(SpeechRequest(TEXT, limits=LIMITS))
            await anext(stream)
            await stream.aclose()
            await stream.aclose()

    run(check())
