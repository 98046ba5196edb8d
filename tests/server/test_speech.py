"""Every speech endpoint, streamed and whole, in all six formats, decoded to its full length."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS, AudioFormat
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

TEXT = "one two three. four five six. seven eight nine ten."
SECONDS = 10 * 0.2
ENDPOINTS = ["/speak", "/v1/speak", "/multi_speak", "/clone_voice", "/v1/clone_voice", "/v1/audio/speech"]
LOSSY_SLACK = 0.2
"""Encoder delay and padding that formats without exact lengths may add, in seconds."""


def body_for(endpoint: str, text: str = TEXT, **fields: Any) -> dict[str, Any]:
    """Return what httpx needs to ask an endpoint to speak."""
    if endpoint.endswith("clone_voice"):
        form = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
        return {"data": {"text": text, **form}, "files": {"reference_audio_file": ("a.wav", tone_reference().audio)}}
    if endpoint.endswith("multi_speak"):
        return {"json": {"text": f"<role:female>{text}", **fields}}
    if endpoint.endswith("/audio/speech"):
        return {"json": {"model": "tts-1", "input": text, "voice": "female", **fields}}
    return {"json": {"text": text, "name": "female", **fields}}


def samples_of(answer: httpx.Response) -> tuple[NDArray[np.float32], int]:
    rate = int(answer.headers["X-Sample-Rate"])
    if answer.headers["Content-Type"] == "audio/pcm":
        return (np.frombuffer(answer.content, "<i2") / 32768).astype(np.float32), rate
    decoded = decode(answer.content)
    assert decoded.source_rate == rate
    assert decoded.source_channels == 1
    return decoded.samples, decoded.sample_rate


def pitch_of(answer: httpx.Response) -> float:
    samples, rate = samples_of(answer)
    window = samples[: rate // 2] * np.hanning(rate // 2)
    return float(np.abs(np.fft.rfft(window)).argmax() * 2)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_all_of_the_text_is_heard(
    tones: LiveServer, client: httpx.Client, endpoint: str, stream: bool, name: AudioFormat
) -> None:
    answer = client.post(tones.url + endpoint, **body_for(endpoint, stream=stream, response_format=name))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == FORMATS[name].content_type
    samples, rate = samples_of(answer)
    slack = LOSSY_SLACK if name in {"mp3", "aac"} else 0.001
    assert SECONDS - 0.001 <= len(samples) / rate <= SECONDS + slack
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    assert (loud[-1] - loud[0]) / rate > SECONDS - 0.05, "the beginning or the end is missing"
    assert ("Content-Length" in answer.headers) == (not stream)
    disposition = answer.headers.get("Content-Disposition")
    assert disposition == (None if stream else f"inline; filename=speech.{FORMATS[name].extension}")


def test_a_streamed_and_a_whole_answer_are_the_same_samples(tones: LiveServer, client: httpx.Client) -> None:
    streamed, whole = (
        client.post(f"{tones.url}/speak", **body_for("/speak", stream=stream, response_format="pcm", seed=7))
        for stream in (True, False)
    )
    assert streamed.content == whole.content


def test_the_seed_decides(tones: LiveServer, client: httpx.Client) -> None:
    def spoken(seed: int) -> bytes:
        return client.post(f"{tones.url}/speak", **body_for("/speak", response_format="pcm", seed=seed)).content

    assert spoken(1) == spoken(1)
    assert spoken(1) != spoken(2)


@pytest.mark.parametrize("stream", [True, False])
def test_a_wav_says_how_long_it_is_if_that_is_known(tones: LiveServer, client: httpx.Client, stream: bool) -> None:
    answer = client.post(f"{tones.url}/speak", **body_for("/speak", stream=stream, response_format="wav"))
    riff, size, wave, _, _, kind, channels, rate, _, _, bits, data, length = struct.unpack(
        "<4sI4s4sIHHIIHH4sI", answer.content[:44]
    )
    assert (riff, wave, data, kind, channels, rate, bits) == (b"RIFF", b"WAVE", b"data", 1, 1, 16_000, 16)
    if stream:
        assert (size, length) == (0xFFFFFFFF, 0xFFFFFFFF)
    else:
        assert (size, length) == (len(answer.content) - 8, len(answer.content) - 44)


def test_a_role_speaks_with_its_own_voice(tones: LiveServer, client: httpx.Client) -> None:
    for name, pitch in (("female", 220), ("male", 110)):
        answer = client.post(f"{tones.url}/speak", json={"text": TEXT, "name": name, "response_format": "wav"})
        assert pitch_of(answer) == pytest.approx(pitch, abs=4)


def test_the_first_voice_speaks_if_none_is_named(tones: LiveServer, client: httpx.Client) -> None:
    answer = client.post(f"{tones.url}/speak", json={"text": TEXT, "response_format": "wav"})
    assert pitch_of(answer) == pytest.approx(220, abs=4)


def test_turns_of_a_dialogue_have_voices_and_styles_of_their_own(tones: LiveServer, client: httpx.Client) -> None:
    text = "<role:female>one two three four five.<role:male,pitch:high>one two three four five."
    answer = client.post(f"{tones.url}/multi_speak", json={"text": text, "response_format": "pcm"})
    samples = np.frombuffer(answer.content, "<i2")
    assert len(samples) == 2 * 16_000
    for part, pitch in zip(np.split(samples, 2), (220, 165), strict=True):
        assert np.abs(np.fft.rfft(part)).argmax() == pytest.approx(pitch, abs=4)


@pytest.mark.parametrize("given", ["file", "base64", "data url"])
def test_a_recording_is_cloned_however_it_comes(
    tones: LiveServer, client: httpx.Client, as_base64: Callable[[bytes], str], given: str
) -> None:
    recording = tone_reference(pitch=330).audio
    data = {"text": TEXT, "response_format": "wav", "reference_text": "a tone"}
    files = {"reference_audio_file": ("a.wav", recording)} if given == "file" else {}
    if given == "base64":
        data["reference_audio"] = as_base64(recording)
    elif given == "data url":
        data["reference_audio"] = f"data:audio/wav;base64,{as_base64(recording)}"
    answer = client.post(f"{tones.url}/clone_voice", data=data, files=files)
    assert answer.status_code == 200, answer.text
    assert pitch_of(answer) == pytest.approx(330, abs=4)


def test_a_form_may_leave_fields_empty(tones: LiveServer, client: httpx.Client) -> None:
    data = {"text": TEXT, "temperature": "0.5", "top_k": "", "reference_audio": "", "stream": "true", "seed": ""}
    files = {"reference_audio_file": ("a.wav", tone_reference().audio), "latent_file": ("", b"")}
    answer = client.post(f"{tones.url}/clone_voice", data=data, files=files)
    assert answer.status_code == 200, answer.text


def test_json_is_read_whatever_its_content_type_says(tones: LiveServer, client: httpx.Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post(f"{tones.url}/speak", content=b'{"text": "one two"}', headers=headers)
    assert answer.status_code == 200


def test_labels_and_factors_set_the_speed(tones: LiveServer, client: httpx.Client) -> None:
    def seconds(speed: str | float) -> float:
        body = {"text": TEXT, "response_format": "pcm", "speed": speed}
        return len(client.post(f"{tones.url}/speak", json=body).content) / 2 / 16_000

    assert seconds("moderate") == pytest.approx(SECONDS)
    assert seconds("very_high") < 0.8 * SECONDS
    assert seconds(2.0) == pytest.approx(SECONDS / 2, abs=0.01)


def test_fields_that_mean_nothing_are_named(tones: LiveServer, client: httpx.Client) -> None:
    answer = client.post(f"{tones.url}/speak", json={"text": TEXT, "top_k": 5, "top_p": 0.9, "temperature": 0.1})
    assert answer.headers["X-Flashtts-Ignored"] == "top_k, top_p"
    assert "X-Flashtts-Ignored" not in client.post(f"{tones.url}/speak", json={"text": TEXT}).headers


def test_the_embedded_voice_speaks(english: LiveServer, client: httpx.Client) -> None:
    body = {"text": "Hello world, this is a test.", "response_format": "wav", "stream": True}
    answer = client.post(f"{english.url}/speak", json=body)
    samples, rate = samples_of(answer)
    assert rate == 24_000
    assert 1.0 < len(samples) / rate < 6.0
    assert np.abs(samples).max() > 0.1


def test_events_of_a_dialogue_tell_where_each_turn_begins(tones: LiveServer, client: httpx.Client) -> None:
    text = "<role:female>one two<role:male>three<role:female>four"
    body = {"text": text, "response_format": "pcm", "stream_format": "sse"}
    answer = client.post(f"{tones.url}/multi_speak", json=body)
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    turns = [(event["turn"], event["start"]) for event in events if event["type"] == "speech.audio.turn"]
    assert turns == [(0, 0.0), (1, pytest.approx(0.4)), (2, pytest.approx(0.6))]
    assert events[0]["type"] == "speech.audio.turn"
    assert events[-1]["type"] == "speech.audio.done"
    audio = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
    assert audio == client.post(f"{tones.url}/multi_speak", json={"text": text, "response_format": "pcm"}).content
