"""wyoming_openai (Home Assistant): it streams wav and reads the header of the first chunk."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeVoice

from clients.listening import PITCH, SECONDS, TEXT, heard
from flashtts_server.testing import LiveServer


@pytest.fixture(scope="session")
def bridge(tones: LiveServer) -> Iterator[str]:
    """Run the bridge between the server and Home Assistant's protocol, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"tcp://127.0.0.1:{port}"
    flags = ["--tts-openai-url", f"{tones.url}/v1", "--tts-openai-key", "any", "--tts-models", "tts-1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "wyoming_openai", "--uri", uri, *flags, "--tts-voices", "alloy", "echo"]
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert process.poll() is None
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)  # another process: there is nothing to wait on but its port
        yield uri
    finally:
        process.terminate()
        process.wait(30)


def test_home_assistant_hears_all_of_it(bridge: str) -> None:
    async def speak() -> tuple[bytes, int]:
        async with AsyncClient.from_uri(bridge) as client:
            await client.write_event(Synthesize(TEXT, voice=SynthesizeVoice(name="alloy")).event())
            pcm, rate = b"", 0
            while (event := await client.read_event()) is not None and not AudioStop.is_type(event.type):
                if AudioStart.is_type(event.type):
                    rate = AudioStart.from_event(event).rate
                elif AudioChunk.is_type(event.type):
                    pcm += AudioChunk.from_event(event).audio
            return pcm, rate

    pcm, rate = asyncio.run(asyncio.wait_for(speak(), 60))
    assert rate == 16_000, "the engine's own rate, from the header"
    seconds, pitch = heard(pcm, rate)
    assert seconds == pytest.approx(SECONDS, abs=0.05)
    assert pitch == pytest.approx(PITCH, abs=2)


def test_home_assistant_sees_the_voices(bridge: str) -> None:
    async def ask() -> Info:
        async with AsyncClient.from_uri(bridge) as client:
            await client.write_event(Describe().event())
            event = await client.read_event()
            assert event is not None
            return Info.from_event(event)

    info = asyncio.run(asyncio.wait_for(ask(), 60))
    assert {"alloy", "echo"} <= {voice.name for program in info.tts for voice in program.voices}
