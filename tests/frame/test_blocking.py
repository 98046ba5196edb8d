"""Speech without asyncio: what a script or a notebook may do with a speaker, and what it may not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flashtts_core.blocking import Speaker
from flashtts_core.engines import Engine
from flashtts_core.errors import ConfigError, EngineError, RequestError, UnknownVoice
from flashtts_core.settings import Settings
from flashtts_core.types import Sampling, SpeechRequest, Style


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speaker]:
    with Speaker(settings=Settings(voice_dir=str(tmp_path_factory.mktemp("voices")))) as speaker:
        yield speaker


def test_a_voice_stands_over_that_of_the_request(speaker: Speaker) -> None:
    with pytest.raises(UnknownVoice, match="nosuch"):
        speaker.speak(SpeechRequest("Hi."), voice="nosuch")
    with pytest.raises(UnknownVoice, match="nosuch"):
        list(speaker.stream(SpeechRequest("Hi.", "heart"), voice="nosuch"))
    assert len(speaker.speak(SpeechRequest("Hi.", "nosuch"), voice="heart").samples)


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        (SpeechRequest("Hi.", style=Style(speed="fast")), "speed", "one of high, low, .* or a number from 0.25 to 4"),  # type: ignore[arg-type]  # on purpose
        (SpeechRequest("Hi.", style=Style(speed=10.0)), "speed", "to 4"),
        (SpeechRequest("Hi.", sampling=Sampling(top_p=2.0)), "top_p", "a number above 0 to 1"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_as_over_http(
    speaker: Speaker, request_: SpeechRequest, field: str, words: str
) -> None:
    with pytest.raises(RequestError, match=f"The field {field} must be .*{words}") as caught:
        speaker.speak(request_)
    assert caught.value.param == field


@pytest.mark.parametrize(
    ("text", "voice", "words"),
    [
        (None, None, "The field text must be text"),
        (b"Hi.", None, "The field text must be text"),
        (SpeechRequest(5), None, "The field text must be text"),  # type: ignore[arg-type]  # on purpose
        ("Hi.", b"RIFF", "The field voice must be the name of a voice, or a Reference"),
    ],
)
def test_what_is_no_text_or_no_voice_is_refused(speaker: Speaker, text: Any, voice: Any, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        speaker.speak(text, voice)


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_computed(speaker: Speaker, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"There is no folder .*nowhere to write hello\.wav"):
        speaker.save("Hi.", tmp_path / "nowhere" / "hello.wav", voice="nosuch")
    with pytest.raises(RequestError, match="does not end in an audio format"):
        speaker.save("Hi.", tmp_path / "hello.txt", voice="nosuch")


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="The setting torch_dtype must be one of"):
        Speaker(settings=Settings(torch_dtype="zzz"))  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ConfigError, match="The setting seed must be a whole number from 0"):
        Speaker(settings=msgspec.structs.replace(Settings(), seed=-1))


def test_a_closed_speaker_says_so(tmp_path: Path) -> None:
    speaker = Speaker(settings=Settings(voice_dir=str(tmp_path)))
    speaker.close()
    with pytest.raises(EngineError, match="The speaker is closed"):
        speaker.speak("Hi.")
    speaker.close()


class Failing:
    """An engine that fails when it is closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def aclose(self) -> None:
        await self._engine.aclose()
        raise RuntimeError("the runtime did not shut down")


def test_a_speaker_whose_model_fails_to_close_ends_its_thread_all_the_same(tmp_path: Path) -> None:
    speaker = Speaker(settings=Settings(voice_dir=str(tmp_path)))
    speaker.synthesizer.engine = Failing(speaker.synthesizer.engine)  # type: ignore[assignment]  # only closed
    with pytest.raises(RuntimeError, match="did not shut down"):
        speaker.close()
    ended = not speaker._thread.is_alive()
    if not ended:  # so that the test ends in either case
        speaker._stop()
    assert ended


def test_a_stream_that_is_dropped_after_its_speaker_was_closed_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    speaker = Speaker(settings=Settings(voice_dir=str(tmp_path)))
    stream = speaker.stream("Good morning. And good night.")
    next(stream)
    speaker.close()
    del stream
    assert complaints == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_speaker_of_the_process_before_a_fork_is_refused_there(speaker: Speaker) -> None:
    ours, theirs = get_context("fork").Pipe()

    def speak() -> None:
        try:
            speaker.speak("Hi.")
        except EngineError as error:
            theirs.send(str(error))

    child = get_context("fork").Process(target=speak)
    child.start()
    try:
        assert ours.poll(20)
        assert "of another process" in ours.recv()
    finally:
        child.kill()
        child.join()
    assert len(speaker.speak("Hi.").samples)
