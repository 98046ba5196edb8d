"""The golden checkpoint through every endpoint of a real server, and through both commands.

Its weights are random, so statuses, lengths and equality are asserted, not sound.
"""

from __future__ import annotations

import asyncio
import base64
import json
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from engines.command import served
from engines.mega import golden
from engines.mega.serving import HOP_BYTES, RATE, add, ask, clone, mega_server, pcm_of
from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS
from flashtts_core.cli.main import call

LONG = "Good day. Hello there, this is a test. And here comes the second sentence. A third one ends it."
SPLIT = {"length_threshold": 20, "window_size": 30}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server that knows one added role, and give its address."""
    with mega_server(tmp_path_factory.mktemp("voices")) as server:
        assert add(server.url, "anna").json() == {"success": True, "role": "anna"}
        yield server.url


def events_of(answer: httpx.Response) -> list[dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]


def test_a_voice_is_cloned_from_an_upload_or_base64_with_its_latent(url: str) -> None:
    cloned = pcm_of(clone(url))
    assert len(cloned) % HOP_BYTES == 0
    assert pcm_of(clone(url, stream="true")) == cloned
    form = {"text": "Good day.", "response_format": "pcm"}
    inline = {"reference_audio": base64.b64encode(golden.RECORDING).decode()}
    files = {"latent_file": golden.LATENT}
    assert pcm_of(httpx.post(f"{url}/v1/clone_voice", data={**form, **inline}, files=files, timeout=120)) == cloned
    assert httpx.get(f"{url}/audio_roles").json()["roles"] == ["anna"], "a clone is not kept"


def test_an_added_speaker_speaks_like_its_clone_and_is_deleted(url: str) -> None:
    assert add(url, "dora").status_code == 200
    assert add(url, "dora").status_code == 409
    assert pcm_of(ask(url, name="dora")) == pcm_of(clone(url))
    assert pcm_of(ask(url)) == pcm_of(ask(url, name="anna")), "the first role is the default"
    assert httpx.post(f"{url}/delete_speaker", data={"name": "dora"}).json() == {"success": True, "role": "dora"}
    assert ask(url, name="dora").status_code == 404


def test_seed_steps_and_weights_are_honoured(url: str) -> None:
    first = pcm_of(ask(url, seed=1))
    assert pcm_of(ask(url, seed=1)) == first
    assert pcm_of(ask(url, "/v1/speak", seed=1, time_step=2, p_w=1.6, t_w=2.5)) == first
    assert len({first, *(pcm_of(ask(url, "/speak", seed=1, **{name: 3})) for name in ("time_step", "p_w", "t_w"))}) == 4
    assert pcm_of(clone(url, seed="1", time_step="3")) == pcm_of(ask(url, seed=1, time_step=3))
    told = ask(url, seed=1, time_step=2)
    assert "x-flashtts-ignored" not in told.headers


@pytest.mark.parametrize(("field", "value"), [("time_step", 0), ("time_step", 1000), ("p_w", -1), ("t_w", "much")])
def test_a_step_or_weight_out_of_range_is_refused(url: str, field: str, value: object) -> None:
    answer = ask(url, "/speak", **{field: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field


@pytest.mark.parametrize("body", [{"text": "Good day."}, {"text": LONG, **SPLIT}])
def test_streamed_speech_is_the_whole_speech(url: str, body: dict[str, object]) -> None:
    streamed = ask(url, "/speak", stream=True, seed=3, **body)
    assert "content-length" not in streamed.headers
    assert pcm_of(streamed) == pcm_of(ask(url, "/speak", seed=3, **body))


def test_speed_is_the_pace_of_the_phones(url: str) -> None:
    usual = len(pcm_of(ask(url)))
    assert len(pcm_of(ask(url, speed="very_low"))) > usual
    assert pcm_of(ask(url, speed="low")) == pcm_of(ask(url, speed=0.85))
    assert pcm_of(ask(url, speed="moderate", pitch="moderate")) == pcm_of(ask(url))
    refused = ask(url, pitch="high")
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "pitch")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_format_has_the_full_length(url: str, format_: str, stream: bool) -> None:
    seconds = len(pcm_of(ask(url))) / 2 / RATE
    answer = ask(url, response_format=format_, stream=stream)
    assert answer.status_code == 200, answer.text
    if format_ != "pcm":
        assert decode(answer.content).seconds == pytest.approx(seconds, abs=0.1)


def test_a_dialogue_is_spoken_turn_by_turn(url: str) -> None:
    text = "<role:anna>Good day.<role:anna,speed:low>Hello."
    whole = pcm_of(ask(url, "/multi_speak", text=text))
    assert pcm_of(ask(url, "/v1/multi_speak", text=text, stream=True)) == whole
    assert whole.startswith(pcm_of(ask(url, name="anna")))
    assert ask(url, "/multi_speak", text="<role:nobody>Hello.").status_code == 404


def test_the_openai_route_speaks_with_an_added_role(url: str) -> None:
    body = {"model": "mega", "input": "Good day.", "voice": "anna", "response_format": "pcm"}
    spoken = httpx.post(f"{url}/v1/audio/speech", json=body, timeout=120)
    assert pcm_of(spoken) == pcm_of(ask(url, name="anna"))
    told = events_of(httpx.post(f"{url}/v1/audio/speech", json={**body, "stream_format": "sse"}, timeout=120))
    deltas = [str(each["audio"]) for each in told if each["type"] == "speech.audio.delta"]
    assert b"".join(map(base64.b64decode, deltas)) == spoken.content
    assert told[-1]["usage"] == {"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}
    named = httpx.post(f"{url}/v1/audio/speech", json={**body, "model": "tts-1", "voice": "alloy"}, timeout=120)
    assert named.content == spoken.content, "OpenAI's names go round the roles"
    slow = httpx.post(f"{url}/v1/audio/speech", json={**body, "speed": 0.5}, timeout=120)
    assert len(slow.content) > len(spoken.content)


def test_voices_are_added_as_openai_spells_it(url: str) -> None:
    files = {"audio_sample": golden.RECORDING, "latent_file": golden.LATENT}
    created = httpx.post(f"{url}/v1/audio/voices", data={"name": "cleo"}, files=files, timeout=120)
    assert created.status_code == 200, created.text
    assert [voice["id"] for voice in httpx.get(f"{url}/v1/audio/voices").json()["voices"]] == ["anna", "cleo"]
    assert httpx.delete(f"{url}/v1/audio/voices/cleo").status_code == 200


def test_the_server_tells_what_it_serves(url: str) -> None:
    info = httpx.get(f"{url}/server_info").json()
    assert (info["engine"], info["sample_rate"], info["roles"]) == ("mega", RATE, ["anna"])
    assert info["abilities"]["cloning"]
    assert info["abilities"]["latent"]
    assert not info["abilities"]["pitch"]
    assert httpx.get(f"{url}/ready").status_code == 200


def test_added_roles_and_the_role_folder_are_there_after_a_restart(tmp_path: Path) -> None:
    role = tmp_path / "roles" / "narrator"
    role.mkdir(parents=True)
    (role / "voice.wav").write_bytes(golden.RECORDING)
    (role / "voice.npy").write_bytes(golden.LATENT)
    given: dict[str, Any] = {"voice_dir": tmp_path / "voices", "role_dir": str(tmp_path / "roles")}
    with mega_server(**given) as server:
        assert add(server.url, "dora").status_code == 200
        narrated = pcm_of(ask(server.url, name="narrator"))
        assert narrated == pcm_of(clone(server.url)) == pcm_of(ask(server.url, name="dora"))
        assert httpx.post(f"{server.url}/delete_speaker", data={"name": "narrator"}).status_code == 422
    with mega_server(**given) as server:
        assert httpx.get(f"{server.url}/audio_roles").json()["roles"] == ["narrator", "dora"]
        assert pcm_of(ask(server.url, name="dora")) == narrated


def test_many_requests_at_once_sound_as_alone(tmp_path: Path, url: str) -> None:
    texts = ["Good day.", "Hello there.", LONG]
    alone = {text: pcm_of(ask(url, "/speak", text=text, name="anna", **SPLIT)) for text in texts}
    with mega_server(tmp_path, batch_size=4) as server:
        assert add(server.url, "anna").status_code == 200

        async def check() -> None:
            async with httpx.AsyncClient(timeout=120) as client:
                bodies = [{"text": text, "name": "anna", "response_format": "pcm", **SPLIT} for text in texts * 2]
                answers = await asyncio.gather(*(client.post(f"{server.url}/speak", json=body) for body in bodies))
            for body, answer in zip(bodies, answers, strict=True):
                heard, expected = (
                    np.frombuffer(sound, "<i2").astype(int) for sound in (pcm_of(answer), alone[str(body["text"])])
                )
                np.testing.assert_allclose(heard, expected, rtol=0, atol=2)

        asyncio.run(check())


def test_infer_and_voices_speak_with_a_recording_and_its_latent(tmp_path: Path, url: str) -> None:
    voices = golden.CHECKPOINT / "voices"
    model = ["-m", str(golden.CHECKPOINT), "--voice_dir", str(tmp_path), "--max_length", "1024"]
    reference = ["--reference_audio", str(voices / "ref.wav"), "--latent_file", str(voices / "ref.npy")]
    steps = ["--time_step", "3", "--seed", "4"]
    say = ["infer", "-i", "Good day.", *model, *steps]
    assert call([*say, "-o", str(tmp_path / "a.pcm"), *reference]) == 0
    assert (tmp_path / "a.pcm").read_bytes() == pcm_of(clone(url, time_step="3", seed="4"))
    assert call(["voices", "add", "anna", *reference, *model]) == 0
    assert call([*say, "-o", str(tmp_path / "b.pcm"), "--name", "anna"]) == 0
    assert call([*say, "-o", str(tmp_path / "c.pcm"), "--mega_p_w", "0.5"]) == 0
    spoken = [(tmp_path / f"{name}.pcm").read_bytes() for name in "abc"]
    assert spoken[0] == spoken[1] != spoken[2]


def test_the_command_serves_speech_and_ends_in_order(url: str, tmp_path: Path) -> None:
    model = ["--model_path", str(golden.CHECKPOINT), "--backend", "torch", "--voice_dir", str(tmp_path)]
    with served(*model, "--max_length", "1024", "--mega_time_step", "2") as (address, shown):
        assert "engine mega; voices: only those that are added" in shown
        assert add(address, "anna").status_code == 200
        assert pcm_of(ask(address, seed=1)) == pcm_of(ask(url, seed=1))
        with wave.open(BytesIO(ask(address, response_format="wav").content)) as file:
            assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
            assert file.getnframes() > 0
