"""Speech that is understood: everyday sentences through the server, every format, whole and streamed, heard by ASR."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

import flashtts
from e2e.ear import Hear, word_error_rate
from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS

SENTENCES = [
    "Good morning, how are you today?",
    "The train to the coast leaves in ten minutes.",
    "Please call me back when you get home.",
    "We had dinner at a small place near the river.",
    "It will rain in the afternoon, so take a coat.",
    "She put the keys on the kitchen table.",
    "My brother works at the hospital in town.",
    "Could you turn down the music, please?",
    "The children are playing in the garden.",
    "I would like a cup of coffee with milk.",
]
MEAN_LIMIT = 0.10
WORST_LIMIT = 0.34


def samples_of(body: bytes, format_: str) -> tuple[NDArray[np.float32], int]:
    if format_ == "pcm":
        return np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768), 24_000
    decoded = decode(body)
    return decoded.samples, decoded.sample_rate


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("format_", [*FORMATS])
def test_everyday_sentences_are_understood(server_url: str, hear: Hear, format_: str, stream: bool) -> None:
    rates = []
    with httpx.Client(base_url=server_url, timeout=60) as client:
        for sentence in SENTENCES:
            body = {"model": "tts-1", "voice": "alloy", "input": sentence, "response_format": format_, "stream": stream}
            answer = client.post("/v1/audio/speech", json=body)
            assert answer.status_code == 200, answer.text
            rates.append(word_error_rate(sentence, hear(*samples_of(answer.content, format_))))
    assert np.mean(rates) <= MEAN_LIMIT, rates
    assert max(rates) <= WORST_LIMIT, rates


def test_a_long_text_is_understood_to_its_last_word(server_url: str, hear: Hear) -> None:
    text = " ".join(SENTENCES)
    answer = httpx.post(f"{server_url}/speak", json={"text": text, "response_format": "wav"}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert word_error_rate(text, hear(*samples_of(answer.content, "wav"))) <= MEAN_LIMIT


@pytest.mark.parametrize("speed", [0.75, 1.3])
def test_slow_and_fast_speech_is_understood(server_url: str, hear: Hear, speed: float) -> None:
    rates = []
    for sentence in SENTENCES:
        body = {"model": "tts-1", "voice": "alloy", "input": sentence, "response_format": "wav", "speed": speed}
        answer = httpx.post(f"{server_url}/v1/audio/speech", json=body, timeout=60)
        rates.append(word_error_rate(sentence, hear(*samples_of(answer.content, "wav"))))
    assert np.mean(rates) <= MEAN_LIMIT, rates


def test_python_in_one_line_writes_a_file_that_is_understood(tmp_path: Path, hear: Hear) -> None:
    out = tmp_path / "hello.wav"
    flashtts.speak(SENTENCES[0], out=out)
    decoded = decode(out)
    assert word_error_rate(SENTENCES[0], hear(decoded.samples, decoded.sample_rate)) <= MEAN_LIMIT


def test_python_streams_and_blocks_to_the_same_samples() -> None:
    async def streamed() -> NDArray[np.float32]:
        async with await flashtts.load() as synthesizer:
            return np.concatenate([chunk.samples async for chunk in synthesizer.speak(SENTENCES[1])])

    with flashtts.Speaker() as speaker:
        whole = speaker.speak(SENTENCES[1]).samples
        pieces = np.concatenate([chunk.samples for chunk in speaker.stream(SENTENCES[1])])
    np.testing.assert_array_equal(whole, pieces)
    np.testing.assert_array_equal(whole, asyncio.run(streamed()))


def test_python_works_where_an_event_loop_already_runs() -> None:
    async def as_in_a_notebook() -> int:
        return len(flashtts.speak("As in a notebook.").samples)

    assert asyncio.run(as_in_a_notebook()) > 12_000
