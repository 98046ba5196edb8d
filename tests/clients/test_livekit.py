"""LiveKit's OpenAI plugin: server-sent events by default, plain audio for tts-1, read by Content-Type."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import APIStatusError
from livekit.plugins import openai

from clients.listening import PITCH, SECONDS, TEXT, heard
from flashtts_server.testing import LiveServer


def spoken(server: LiveServer, **options: Any) -> tuple[rtc.AudioFrame, list[Any]]:
    async def speak() -> tuple[rtc.AudioFrame, list[Any]]:
        service = openai.TTS(base_url=f"{server.url}/v1", api_key="any", **options)
        metrics: list[Any] = []
        service.on("metrics_collected", metrics.append)
        async with service.synthesize(TEXT) as stream:
            frame = await stream.collect()
        await service.aclose()
        return frame, metrics

    return asyncio.run(speak())


@pytest.mark.parametrize("model", ["gpt-4o-mini-tts", "tts-1", "tone"])
@pytest.mark.parametrize("response_format", ["mp3", "opus", "wav", "flac", "aac", "pcm"])
def test_livekit_hears_all_of_it_in_any_format(tones: LiveServer, model: str, response_format: str) -> None:
    frame, _ = spoken(tones, model=model, voice="alloy", response_format=response_format)
    seconds, pitch = heard(bytes(frame.data), frame.sample_rate)
    assert seconds == pytest.approx(SECONDS, abs=0.15)
    assert pitch == pytest.approx(PITCH, abs=3)


def test_livekit_counts_the_tokens_of_the_events(tones: LiveServer) -> None:
    _, (metrics,) = spoken(tones, model="gpt-4o-mini-tts", voice="alloy", response_format="pcm")
    assert (metrics.input_tokens, metrics.output_tokens) == (6, 60)


def test_livekit_hears_of_an_error(tones: LiveServer) -> None:
    with pytest.raises(APIStatusError) as refused:
        spoken(tones, voice="nobody")
    assert refused.value.status_code == 404
    assert refused.value.request_id
