"""The one way from a request to speech, on an engine that sounds tones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_core.errors import EmptySpeech, EngineError, NotSupported, RequestError, TooLarge, UnknownVoice
from flashtts_core.settings import Settings
from flashtts_core.stream import PIECE_SECONDS, AudioStream
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import ToneEngine, ToneSettings, tone_reference
from flashtts_core.testing.conformance import EngineContract, run
from flashtts_core.testing.fakes import SAMPLE_RATE, TOKEN_SECONDS
from flashtts_core.types import AudioChunk, Line, Sampling, SpeechRequest, SplitLimits, Style, Usage

LONG = " ".join(f"Sentence number {word} is here." for word in ("one", "two", "three", "four", "five", "six", "seven"))


class TestToneEngine(EngineContract):
    async def open_engine(self) -> ToneEngine:
        return ToneEngine()


@contextlib.asynccontextmanager
async def speaking(
    tmp_path: Path, settings: ToneSettings | None = None
) -> AsyncIterator[tuple[Synthesizer, ToneEngine]]:
    engine = ToneEngine(settings)
    async with Synthesizer(engine, Settings(voice_dir=str(tmp_path))) as synthesizer:
        yield synthesizer, engine


async def say(synthesizer: Synthesizer, request: SpeechRequest) -> NDArray[np.float32]:
    async with await synthesizer.open(request, whole=True) as stream:
        return (await stream.read()).samples


def pitch_of(samples: NDArray[np.float32]) -> float:
    """Return the strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * SAMPLE_RATE / len(samples))


def test_every_word_is_spoken_once_in_order_whatever_the_split(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, _):
            limits = SplitLimits(length_threshold=1, window_size=5)
            whole = await say(synthesizer, SpeechRequest(LONG, limits=SplitLimits(10_000, 10_000)))
            split = await say(synthesizer, SpeechRequest(LONG, limits=limits))
            np.testing.assert_array_equal(whole, split)
            assert len(whole) == round(len(LONG.split()) * TOKEN_SECONDS * SAMPLE_RATE)

    run(check())


class GivesUp(ToneEngine):
    """An engine within which a task is cancelled."""

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        yield AudioChunk(np.ones(4800, np.float32), SAMPLE_RATE)
        raise asyncio.CancelledError


class Counts(ToneEngine):
    """An engine that counts once more after its last sound."""

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        yield AudioChunk(np.ones(4800, np.float32), SAMPLE_RATE, Usage(1, 2))
        yield AudioChunk(np.empty(0, np.float32), SAMPLE_RATE, Usage(0, 7))


def test_a_line_that_the_engine_breaks_off_is_an_error_and_no_wait_for_ever(tmp_path: Path) -> None:
    async def check() -> None:
        async with Synthesizer(GivesUp(), Settings(voice_dir=str(tmp_path))) as synthesizer:
            with pytest.raises(EngineError, match="broke the line off"):
                await say(synthesizer, SpeechRequest("Hello."))

    run(check())


def test_what_is_counted_after_the_last_sound_counts(tmp_path: Path) -> None:
    async def check() -> Usage:
        async with Synthesizer(Counts(), Settings(voice_dir=str(tmp_path))) as synthesizer:
            stream = await synthesizer.open(SpeechRequest("Hello."))
            assert all([len(chunk.samples) > 0 async for chunk in stream])
            return stream.usage

    usage = run(check())
    assert (usage.input_tokens, usage.output_tokens) == (1, 9)


def test_chunks_are_short_enough_for_the_event_loop(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, _), await synthesizer.open(SpeechRequest(LONG)) as stream:
            async for chunk in stream:
                assert 0 < len(chunk.samples) <= PIECE_SECONDS * SAMPLE_RATE

    run(check())


def test_a_listener_who_pauses_does_not_make_the_engine_run_ahead(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, engine):
            limits = SplitLimits(length_threshold=1, window_size=5)
            async with await synthesizer.open(SpeechRequest(LONG * 10, limits=limits)) as stream:
                await stream.start()
                while engine.running:
                    await asyncio.sleep(0.001)
                assert engine.tokens == 3 * 5  # the line that plays and two more

    run(check())


@pytest.mark.parametrize("chunks", [0, 1, 7])
def test_closing_a_stream_reaches_the_engine(tmp_path: Path, chunks: int) -> None:
    async def check() -> None:
        async with speaking(tmp_path, ToneSettings(real_time_factor=0.05)) as (synthesizer, engine):
            stream = await synthesizer.open(SpeechRequest(LONG))
            for _ in range(chunks):
                await anext(stream)
            await stream.aclose()
            assert engine.running == 0
            spoken = engine.tokens
            await asyncio.sleep(0.05)
            assert engine.tokens == spoken
            await stream.aclose()

    run(check())


def test_an_engine_error_comes_with_start_when_it_can(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path, ToneSettings(fail_on="boom")) as (synthesizer, engine):
            stream = await synthesizer.open(SpeechRequest("boom at once"))
            with pytest.raises(EngineError, match="boom"):
                await stream.start()
            await stream.aclose()
            assert engine.running == 0

    run(check())


def test_an_engine_error_in_a_later_line_comes_where_it_belongs(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path, ToneSettings(fail_on="boom")) as (synthesizer, engine):
            request = SpeechRequest("All is well. Now boom it goes.", limits=SplitLimits(1, 5))
            heard = 0
            async with await synthesizer.open(request) as stream:
                try:
                    async for chunk in stream:
                        heard += len(chunk.samples)
                except EngineError as error:
                    failure = str(error)
            assert "boom" in failure
            assert heard == round(4 * TOKEN_SECONDS * SAMPLE_RATE)
            assert engine.running == 0

    run(check())


def test_speech_without_any_sound_is_an_error(tmp_path: Path) -> None:
    async def check() -> None:
        async with (
            speaking(tmp_path, ToneSettings(silent_on="hush")) as (synthesizer, _),
            await synthesizer.open(SpeechRequest("hush")) as stream,
        ):
            with pytest.raises(EmptySpeech):
                await stream.start()

    run(check())


def test_a_dialogue_changes_voice_and_style_with_its_turns(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, _):
            text = "<role:female>aa bb<role:male>cc dd<role:male,pitch:very_high>ee ff"
            samples = await say(synthesizer, SpeechRequest(text, script=True))
            parts = np.split(samples, 3)
            # The tones of the words have their own phases, so a turn is looked at word by word.
            assert [round(pitch_of(part[: len(part) // 2]), -1) for part in parts] == [220, 110, 220]

    run(check())


def test_a_cloned_voice_speaks_at_the_pitch_of_its_recording(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, _):
            samples = await say(synthesizer, SpeechRequest("word", voice=tone_reference(330)))
            assert abs(pitch_of(samples) - 330) < 6

    run(check())


def test_an_added_voice_outlives_the_process_and_can_be_removed(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, _):
            await synthesizer.voices.add("anna", tone_reference(330))
        async with speaking(tmp_path) as (synthesizer, _):
            assert await synthesizer.voices.names() == ["female", "male", "anna"]
            assert abs(pitch_of(await say(synthesizer, SpeechRequest("word", voice="anna"))) - 330) < 6
            await synthesizer.voices.remove("anna")
            with pytest.raises(UnknownVoice, match="female, male"):
                await synthesizer.open(SpeechRequest("word", voice="anna"))

    run(check())


def test_roles_of_a_folder_are_voices_that_cannot_be_removed(tmp_path: Path) -> None:
    async def check() -> None:
        role = tmp_path / "roles" / "berta"
        role.mkdir(parents=True)
        (role / "voice.wav").write_bytes(tone_reference(440).audio)
        (role / "reference_text.txt").write_text("a tone\n")
        settings = Settings(voice_dir=str(tmp_path / "voices"), role_dir=str(tmp_path / "roles"))
        async with Synthesizer(ToneEngine(), settings) as synthesizer:
            assert "berta" in await synthesizer.voices.names()
            assert abs(pitch_of(await say(synthesizer, SpeechRequest("word", voice="berta"))) - 440) < 6
            with pytest.raises(NotSupported):
                await synthesizer.voices.remove("berta")

    run(check())


def test_the_same_seed_gives_the_same_sound_and_another_does_not(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, _):
            first, again, other, unset = [
                await say(synthesizer, SpeechRequest(LONG, sampling=Sampling(seed=seed))) for seed in (1, 1, 2, None)
            ]
            np.testing.assert_array_equal(first, again)
            assert not np.array_equal(first, other)
            np.testing.assert_array_equal(unset, await say(synthesizer, SpeechRequest(LONG)))

    run(check())


@pytest.mark.parametrize(("speed", "expected"), [(2.0, 0.5), (0.5, 2.0), ("very_high", 1 / 1.45), ("moderate", 1.0)])
def test_an_engine_without_levels_is_paced_by_stretching(tmp_path: Path, speed: float, expected: float) -> None:
    async def check() -> None:
        async with speaking(tmp_path, ToneSettings(labels=False)) as (synthesizer, _):
            plain = await say(synthesizer, SpeechRequest(LONG))
            paced = await say(synthesizer, SpeechRequest(LONG, style=Style(speed=speed)))
            assert len(paced) / len(plain) == pytest.approx(expected, rel=0.02)

    run(check())


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (SpeechRequest(""), RequestError),
        (SpeechRequest(" \n\t"), RequestError),
        (SpeechRequest("😀🎉"), RequestError),
        (SpeechRequest("x" * 20_001), TooLarge),
        (SpeechRequest("hello", voice="nobody"), UnknownVoice),
        (SpeechRequest("<role:nobody>hello", script=True), UnknownVoice),
        (SpeechRequest("hello <role:male> there", script=True), RequestError),
    ],
)
def test_a_request_that_cannot_be_spoken_fails_before_anything_runs(
    tmp_path: Path, request_: SpeechRequest, error: type[Exception]
) -> None:
    async def check() -> None:
        async with speaking(tmp_path) as (synthesizer, engine):
            with pytest.raises(error):
                await synthesizer.open(request_)
            assert engine.tokens == 0

    run(check())


def test_a_pitch_the_engine_lacks_is_refused_but_moderate_is_not(tmp_path: Path) -> None:
    async def check() -> None:
        async with speaking(tmp_path, ToneSettings(labels=False)) as (synthesizer, _):
            with pytest.raises(NotSupported, match="moderate"):
                await synthesizer.open(SpeechRequest("hello", style=Style(pitch="high")))
            await say(synthesizer, SpeechRequest("hello", style=Style(pitch="moderate")))

    run(check())


def test_fields_without_meaning_are_named(tmp_path: Path) -> None:
    async def check() -> AudioStream:
        async with speaking(tmp_path) as (synthesizer, _):
            return await synthesizer.open(SpeechRequest("hello", sampling=Sampling(top_k=3, seed=1, temperature=1.0)))

    assert run(check()).ignored == ("top_k",)


def test_usage_adds_up_over_lines(tmp_path: Path) -> None:
    async def check() -> AudioChunk:
        async with speaking(tmp_path) as (synthesizer, _), await synthesizer.open(SpeechRequest(LONG)) as stream:
            return await stream.read()

    usage = run(check()).usage
    assert usage.input_tokens == len(LONG.split())
    assert usage.output_tokens == len(LONG.split()) * TOKEN_SECONDS * 50
