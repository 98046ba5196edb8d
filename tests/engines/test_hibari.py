"""The embedded voice."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hibari import Hibari

from flashtts_core.errors import NotSupported, RequestError
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import tone_reference
from flashtts_core.testing.conformance import EngineContract, run
from flashtts_core.types import SpeechRequest, SplitLimits, Style
from flashtts_engine_hibari.engine import MAX_PHONEMES, HibariEngine, _within_limit
from flashtts_engine_hibari.readings import with_readings


class TestHibari(EngineContract):
    async def open_engine(self) -> HibariEngine:
        return await HibariEngine.load(workers=2)


async def say(text: str, tmp_path: Path, style: Style | None = None, limits: SplitLimits | None = None) -> int:
    """Return the number of samples of a text."""
    settings = Settings(voice_dir=str(tmp_path))
    async with Synthesizer(await HibariEngine.load(workers=2), settings) as synthesizer:
        request = SpeechRequest(text, style=style or Style(), limits=limits or SplitLimits())
        async with await synthesizer.open(request, whole=True) as stream:
            return len((await stream.read()).samples)


# The model's own pace, below 1, is not exactly proportional: it rounds the length of each phoneme to whole frames.
@pytest.mark.parametrize(
    ("factor", "error"),
    [(0.25, 0.08), (0.5, 0.08), (0.8, 0.08), (1.1, 0.001), (1.25, 0.001), (1.35, 0.001), (2.0, 0.001), (4.0, 0.001)],
)
def test_speech_is_as_fast_as_was_asked(tmp_path: Path, factor: float, error: float) -> None:
    text = "The train to the coast leaves from platform nine at noon."
    plain = run(say(text, tmp_path))
    paced = run(say(text, tmp_path, Style(speed=factor)))
    assert paced * factor / plain == pytest.approx(1, abs=error)


@pytest.mark.parametrize("text", ["你好，世界。", "नमस्ते", "Привет", "", "🎉", "...", "—"])
def test_text_the_voice_cannot_read_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError, match="words"):
        run(say(text, tmp_path))


def test_readable_words_among_others_are_spoken_and_the_rest_is_named(tmp_path: Path) -> None:
    async def check() -> tuple[str, ...]:
        settings = Settings(voice_dir=str(tmp_path))
        async with Synthesizer(await HibariEngine.load(workers=1), settings) as synthesizer:
            return (await synthesizer.open(SpeechRequest("Hello 你好 world."))).ignored

    assert any("text:" in name for name in run(check()))


def test_a_word_without_end_and_a_text_without_stops_are_spoken_in_bounded_passes(tmp_path: Path) -> None:
    assert run(say("a" * 3000, tmp_path)) > 24_000
    assert run(say("over and over again " * 60, tmp_path, limits=SplitLimits(10_000, 10_000))) > 24_000


def test_phonemes_are_cut_at_spaces_and_none_is_lost() -> None:
    text = " ".join(f"w{number}" for number in range(500))
    parts = list(_within_limit(text))
    assert " ".join(parts) == text
    assert max(map(len, parts)) <= MAX_PHONEMES
    assert "".join(_within_limit("x" * 1000)) == "x" * 1000
    assert next(_within_limit("ab " * 60 + "cd, " + "ef " * 100)).endswith("cd,")


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("The U.S. Open is on.", 1),
        ("J.K. Rowling wrote it.", 1),
        ("U.S. President Biden met U.N. Secretary Smith.", 1),
        ("Hello there. How are you?", 2),
        ("Line one\nLine two", 2),
    ],
)
def test_no_pause_is_made_within_a_sentence(text: str, passes: int) -> None:
    async def check() -> int:
        engine = await HibariEngine.load(workers=1)
        try:
            (found,) = engine._read([text])
            return len(found)
        finally:
            await engine.aclose()

    assert run(check()) == passes


@pytest.fixture(scope="module")
def front_end() -> Hibari:
    return Hibari(threads=1)


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("Hours: nine AM to five PM", "nˈIn ˌAˈɛm tə fˈIv pˌiˈɛm"),
        ("I AM HERE.", "ˌI æm hˈɪɹ."),
        ("CO two and H two O", "sˌiˈO tˈu ænd ˈAʧ tˈu ˈO"),
        ("CO₂", "sˌiˈO tˈu"),
        ("She said no.", "ʃˌi sˈɛd nˈO."),
        ("Yes or no. I ate a fig.", "ɔɹ nˈO. ˌI ˈAt ɐ fˈɪɡ."),
        ("We orbit the Sun.", "ðə sˈʌn."),
        ("See you on Sun.", "ˌɔn sˈʌndˌA."),
        ("Shh, be quiet.", "ʃˈʌʃ, bi kwˈIət."),
        ("SHHH!", "ʃˈʌʃ!"),
        ("Brrr, grr! Tsk-tsk.", "bˈɜɹ, ɡɹˈɜɹ! tˈɪsktˈɪsk."),
    ],
)
def test_what_the_front_end_misreads_is_read_as_meant(front_end: Hibari, text: str, sounds: str) -> None:
    assert " ".join(front_end.phonemize(with_readings(text))).endswith(sounds)


@pytest.mark.parametrize(
    "text",
    ["Am I? I am.", "AM radio", "sh", "SSH keys", "a brr-like word", "Tesla's TSK", "ash hush", "no", "No. Now."],
)
def test_other_words_are_left_to_the_front_end(text: str) -> None:
    assert with_readings(text) == text


def test_cloning_is_refused_at_every_door(tmp_path: Path) -> None:
    async def check() -> None:
        settings = Settings(voice_dir=str(tmp_path))
        async with Synthesizer(await HibariEngine.load(workers=1), settings) as synthesizer:
            with pytest.raises(NotSupported, match="clone"):
                await synthesizer.voices.add("anna", tone_reference())
            with pytest.raises(NotSupported, match="clone"):
                await synthesizer.open(SpeechRequest("hello", voice=tone_reference()))

    run(check())


def test_closing_leaves_no_thread() -> None:
    async def check() -> None:
        engine = await HibariEngine.load(workers=3)
        await engine.warm_up()
        await engine.aclose()

    before = set(threading.enumerate())
    asyncio.run(check())
    assert set(threading.enumerate()) <= before


def test_closing_leaves_no_thread_when_it_is_interrupted() -> None:
    async def check() -> None:
        engine = await HibariEngine.load(workers=1)
        closing = asyncio.create_task(engine.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        closed_before = engine._codec._closing
        await engine.aclose()  # if a thread was forgotten, the test ends all the same
        assert closed_before

    before = set(threading.enumerate())
    asyncio.run(check())
    assert set(threading.enumerate()) <= before


def test_numbers_and_abbreviations_are_read_out() -> None:
    async def check() -> list[list[str]]:
        engine = await HibariEngine.load(workers=1)
        try:
            return [engine._model.phonemize(text) for text in ("Dr. Smith paid $5.", "Doctor Smith paid five dollars.")]
        finally:
            await engine.aclose()

    written, spoken = run(check())
    assert written == spoken


def test_loudness_is_that_of_speech(tmp_path: Path) -> None:
    async def check() -> np.ndarray:
        async with (
            Synthesizer(await HibariEngine.load(), Settings(voice_dir=str(tmp_path))) as synthesizer,
            await synthesizer.open(SpeechRequest("Good morning to all of you.")) as stream,
        ):
            return (await stream.read()).samples

    assert 0.02 < np.sqrt(np.mean(np.square(run(check())))) < 0.3
