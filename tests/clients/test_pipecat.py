"""Pipecat's OpenAI service: it takes pcm for 24 kHz mono and knows OpenAI's voice names only."""

from __future__ import annotations

import asyncio

import pytest
from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.services.openai.tts import VALID_VOICES, OpenAITTSService
from pipecat.tests.utils import run_test

from clients.listening import PITCH, SECONDS, TEXT, heard
from flashtts_server.testing import LiveServer

RATE = 24_000


def spoken(server: LiveServer, **settings: object) -> list[Frame]:
    async def speak() -> list[Frame]:
        chosen = OpenAITTSService.Settings(**settings)
        service = OpenAITTSService(api_key="any", base_url=f"{server.url}/v1", sample_rate=RATE, settings=chosen)
        down, _ = await run_test(service, frames_to_send=[TTSSpeakFrame(TEXT)])
        return list(down)

    return asyncio.run(speak())


def sound(frames: list[Frame]) -> bytes:
    assert not [frame for frame in frames if isinstance(frame, ErrorFrame)]
    audio = [frame for frame in frames if isinstance(frame, TTSAudioRawFrame)]
    assert {frame.sample_rate for frame in audio} == {RATE}
    return b"".join(frame.audio for frame in audio)


def test_pipecat_hears_all_of_it_at_its_pitch(tones: LiveServer) -> None:
    seconds, pitch = heard(sound(spoken(tones)), RATE)
    assert seconds >= SECONDS - 0.001
    assert pitch == pytest.approx(PITCH, abs=2)


def test_pipecat_sets_the_speed(tones: LiveServer) -> None:
    plain, fast = (heard(sound(spoken(tones, speed=speed)), RATE) for speed in (1.0, 2.0))
    assert fast[0] <= plain[0] - 0.3 * SECONDS
    assert fast[1] == pytest.approx(PITCH, abs=2)


@pytest.mark.parametrize("voice", sorted(VALID_VOICES))
def test_every_voice_that_pipecat_knows_speaks(tones: LiveServer, voice: str) -> None:
    assert sound(spoken(tones, voice=voice, instructions="Whisper."))
