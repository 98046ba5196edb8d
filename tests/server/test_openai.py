"""The OpenAI endpoints, as its own package and the clients around it use them."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Callable
from typing import Any, get_args

import httpx
import msgspec
import numpy as np
import openai
import pytest
from openai.types.audio import SpeechModel

from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS, AudioFormat
from flashtts_core.testing import ToneSettings, tone_reference
from flashtts_server.catalogue import MODEL_ALIASES, OPENAI_VOICES, meant_voice
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

TEXT = "one two three. four five six."
SECONDS = 6 * 0.2
PCM_BYTES = round(SECONDS * 24_000) * 2


def sdk(server: LiveServer, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0, **options)


def speech(**fields: Any) -> dict[str, Any]:
    return {"model": "tts-1", "input": TEXT, "voice": "alloy", **fields}


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    blocks = answer.text.strip().split("\n\n")
    return [msgspec.json.decode(block.removeprefix("data: ")) for block in blocks]


@pytest.mark.parametrize("name", FORMATS)
def test_the_openai_package_gets_every_format(tones: LiveServer, name: AudioFormat) -> None:
    with sdk(tones) as client:
        content = client.audio.speech.create(**speech(response_format=name)).read()
    if name == "pcm":
        assert len(content) == PCM_BYTES
    else:
        assert decode(content).seconds == pytest.approx(SECONDS, abs=0.2)


def test_the_openai_package_streams(start: Callable[..., LiveServer]) -> None:
    server = start(ToneSettings(real_time_factor=0.5))
    with sdk(server) as client:
        request = client.audio.speech.with_streaming_response.create(**speech(response_format="pcm"))
        with request as answer:
            first = next(pieces := answer.iter_bytes(1024))
            assert server.service.admission.running == 1, "the first bytes come while the speech is being made"
            rest = b"".join(pieces)
    assert len(first) + len(rest) == PCM_BYTES


async def _spoken_async(server: LiveServer) -> bytes:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        request = client.audio.speech.with_streaming_response.create(**speech(response_format="wav"))
        async with request as answer:
            return b"".join([piece async for piece in answer.iter_bytes()])


def test_the_async_openai_package_streams(tones: LiveServer) -> None:
    assert decode(asyncio.run(_spoken_async(tones))).seconds == pytest.approx(SECONDS)


def test_the_openai_package_reads_events(tones: LiveServer) -> None:
    body = speech(response_format="pcm", stream_format="sse")
    with sdk(tones) as client, client.audio.speech.with_streaming_response.create(**body) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    decoded = [msgspec.json.decode(line) for line in lines]
    audio = b"".join(base64.b64decode(event["audio"]) for event in decoded[:-1])
    assert len(audio) == PCM_BYTES
    assert decoded[-1]["type"] == "speech.audio.done"


def test_events_end_with_real_counts(tones: LiveServer, client: httpx.Client) -> None:
    answer = client.post(f"{tones.url}/v1/audio/speech", json=speech(stream_format="sse"))
    *deltas, done = events(answer)
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert done == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 6, "output_tokens": 60, "total_tokens": 66},
    }
    audio = b"".join(base64.b64decode(event["audio"]) for event in deltas)
    assert decode(audio).seconds == pytest.approx(SECONDS, abs=0.2)


def test_livekit_reads_events_or_audio_by_content_type(tones: LiveServer, client: httpx.Client) -> None:
    for stream_format, expected in (("sse", "text/event-stream"), ("audio", "audio/mpeg")):
        answer = client.post(f"{tones.url}/v1/audio/speech", json=speech(stream_format=stream_format))
        assert answer.headers["Content-Type"].split(";")[0] == expected


@pytest.mark.parametrize("stream", [True, False])
def test_pcm_is_24_khz_whatever_the_engine_makes(tones: LiveServer, client: httpx.Client, stream: bool) -> None:
    answer = client.post(f"{tones.url}/v1/audio/speech", json=speech(response_format="pcm", stream=stream))
    assert answer.headers["X-Sample-Rate"] == "24000"
    assert len(answer.content) == PCM_BYTES
    samples = np.frombuffer(answer.content, "<i2")[:24_000]
    assert np.abs(np.fft.rfft(samples)).argmax() == pytest.approx(220, abs=2)


@pytest.mark.parametrize(("name", "rate"), [("pcm", 8000), ("wav", 44_100), ("flac", 48_000)])
def test_sample_rate_is_honoured(tones: LiveServer, client: httpx.Client, name: AudioFormat, rate: int) -> None:
    answer = client.post(f"{tones.url}/v1/audio/speech", json=speech(response_format=name, sample_rate=rate))
    assert answer.headers["X-Sample-Rate"] == str(rate)
    if name == "pcm":
        assert len(answer.content) == round(SECONDS * rate) * 2
    else:
        decoded = decode(answer.content)
        assert decoded.source_rate == rate
        assert decoded.seconds == pytest.approx(SECONDS, abs=0.001)


def test_wyoming_parses_the_wav_header_of_the_first_piece(tones: LiveServer, client: httpx.Client) -> None:
    with client.stream("POST", f"{tones.url}/v1/audio/speech", json=speech(response_format="wav")) as answer:
        first = next(answer.iter_raw())
    assert first[:4] == b"RIFF"
    assert first[36:40] == b"data"
    assert struct.unpack("<I", first[24:28]) == (16_000,)
    assert len(first) > 44


def test_every_openai_voice_name_speaks(tones: LiveServer, client: httpx.Client) -> None:
    for voice in (*OPENAI_VOICES, {"id": "male"}, "female"):
        answer = client.post(f"{tones.url}/v1/audio/speech", json=speech(voice=voice, response_format="pcm"))
        assert answer.status_code == 200, voice


def test_openai_voice_names_go_round_the_built_in_voices() -> None:
    def meant(name: str, **given: Any) -> str:
        return meant_voice(name, **{"known": ["a", "b", "nova"], "builtin": ["a", "b"], "aliases": {}, **given})

    assert [meant(name) for name in ("alloy", "ash", "ballad", "cedar")] == ["a", "b", "a", "a"]
    assert meant("nova") == "nova", "a voice of that name wins"
    assert meant("alloy", aliases={"alloy": "b"}) == "b"
    assert meant("alloy", builtin=[]) == "a"
    assert meant("somebody") == "somebody"


def test_a_configured_alias_wins(start: Callable[..., LiveServer], client: httpx.Client) -> None:
    server = start(server_settings=ServerSettings(voice_aliases="alloy=male, ash = female"))
    answer = client.post(f"{server.url}/v1/audio/speech", json=speech(response_format="pcm"))
    assert np.abs(np.fft.rfft(np.frombuffer(answer.content, "<i2")[:24_000])).argmax() == pytest.approx(110, abs=2)


@pytest.mark.parametrize("form", ["base64", "data:audio/wav;base64,"])
def test_a_voice_may_be_a_recording(
    tones: LiveServer, client: httpx.Client, as_base64: Callable[[bytes], str], form: str
) -> None:
    recording = as_base64(tone_reference(pitch=330).audio)
    voice = recording if form == "base64" else form + recording
    body = speech(voice=voice, response_format="pcm", reference_text="a tone")
    answer = client.post(f"{tones.url}/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert np.abs(np.fft.rfft(np.frombuffer(answer.content, "<i2")[:24_000])).argmax() == pytest.approx(330, abs=2)


@pytest.mark.parametrize("voice", ["http://203.0.113.1/never-fetched.wav", "data:audio/wav;base64,AAAA", "A" * 1000])
def test_an_engine_that_cannot_clone_says_so_before_anything_is_fetched(
    english: LiveServer, client: httpx.Client, voice: str
) -> None:
    answer = client.post(f"{english.url}/v1/audio/speech", json=speech(voice=voice))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not_supported")
    assert answer.elapsed.total_seconds() < 2


def test_model_names_and_aliases_are_served(tones: LiveServer, client: httpx.Client) -> None:
    with sdk(tones) as openai_client:
        listed = [model.id for model in openai_client.models.list()]
    assert listed == ["tone", *MODEL_ALIASES]
    assert [model["id"] for model in client.get(f"{tones.url}/v1/audio/models").json()["models"]] == listed
    for name in listed:
        assert client.post(f"{tones.url}/v1/audio/speech", json=speech(model=name)).status_code == 200


def test_every_model_that_the_openai_package_names_is_served() -> None:
    assert set(get_args(SpeechModel)) <= set(MODEL_ALIASES)


def test_the_openai_package_lists_and_looks_up_models(tones: LiveServer) -> None:
    with sdk(tones) as client:
        names = [model.id for model in client.models.list()]
        assert names[0] == "tone"
        assert client.models.retrieve("tts-1").object == "model"
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("gpt-7")
    assert unknown.value.code == "unknown_model"


def test_open_webui_shows_voices_and_models_and_plays_the_whole_body(tones: LiveServer, client: httpx.Client) -> None:
    """As its router does: both listings without a key, then one POST whose body it stores by its hash."""
    voices = client.get(f"{tones.url}/v1/audio/voices").json()
    assert {voice["id"]: voice["name"] for voice in voices["voices"]} == {"female": "female", "male": "male"}
    models = client.get(f"{tones.url}/v1/audio/models").json()
    assert {"id": "tts-1"} in models["models"]
    body = {"model": "tts-1", "input": TEXT, "voice": "female"}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any", "X-OpenWebUI-User-Name": "Ann"}
    answer = client.post(f"{tones.url}/v1/audio/speech", json=body, headers=headers)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert decode(answer.content).seconds == pytest.approx(SECONDS, abs=0.2)


def test_the_model_name_may_be_chosen(start: Callable[..., LiveServer], client: httpx.Client) -> None:
    server = start(server_settings=ServerSettings(model_name="our-voice"))
    assert client.get(f"{server.url}/v1/models").json()["data"][0]["id"] == "our-voice"
    for name in ("our-voice", "tone"):
        assert client.post(f"{server.url}/v1/audio/speech", json=speech(model=name)).status_code == 200


@pytest.mark.parametrize("path", ["org/my-model", "org%2Fmy-model", "org%2fmy-model"])
def test_a_model_is_looked_up_by_a_name_with_a_slash(
    start: Callable[..., LiveServer], client: httpx.Client, path: str
) -> None:
    server = start(server_settings=ServerSettings(model_name="org/my-model"))
    answer = client.get(f"{server.url}/v1/models/{path}")
    assert (answer.status_code, answer.json()["id"]) == (200, "org/my-model")
    for unknown in ("org/other", "%2Forg%2Fmy-model", "org//my-model"):
        refused = client.get(f"{server.url}/v1/models/{unknown}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_model")
    with sdk(server) as openai_client:
        assert openai_client.models.retrieve("org/my-model").id == "org/my-model"


def test_the_openai_package_raises_its_own_errors(tones: LiveServer) -> None:
    with sdk(tones) as client:
        with pytest.raises(openai.NotFoundError) as unknown_model:
            client.audio.speech.create(**speech(model="gpt-7"))
        with pytest.raises(openai.NotFoundError) as unknown_voice:
            client.audio.speech.create(**speech(voice="nobody"))
        with pytest.raises(openai.BadRequestError) as bad_speed:
            client.audio.speech.create(**speech(speed=9))
    assert (unknown_model.value.code, unknown_model.value.param) == ("unknown_model", "model")
    assert (unknown_voice.value.code, unknown_voice.value.param) == ("unknown_voice", "voice")
    assert bad_speed.value.param == "speed"
    assert bad_speed.value.request_id


def test_an_error_after_the_start_is_an_event(start: Callable[..., LiveServer], client: httpx.Client) -> None:
    server = start(ToneSettings(fail_on="boom"))
    body = speech(input="one two boom", stream_format="sse")
    *_, last = events(client.post(f"{server.url}/v1/audio/speech", json=body))
    assert last["type"] == "speech.audio.error"
    assert last["error"]["code"] == "engine_error"
    assert "boom" in last["error"]["message"]


def test_instructions_are_accepted_and_said_to_be_ignored(tones: LiveServer, client: httpx.Client) -> None:
    answer = client.post(f"{tones.url}/v1/audio/speech", json=speech(instructions="Whisper.", top_p=0.5))
    assert answer.headers["X-Flashtts-Ignored"] == "top_p, instructions"


def test_the_embedded_voice_speaks_to_the_openai_package(english: LiveServer) -> None:
    with sdk(english) as client:
        fast, slow = (
            client.audio.speech.create(
                **speech(input="Good morning to you.", response_format="pcm", speed=speed)
            ).read()
            for speed in (2.0, 0.5)
        )
    assert len(slow) > 2.5 * len(fast)
