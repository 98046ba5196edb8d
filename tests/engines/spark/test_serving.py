"""The golden checkpoint through every endpoint of a real server, and through the command that starts one.

Its weights are random, so statuses, lengths and equality are asserted, not sound.
"""

from __future__ import annotations

import base64
import json
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from engines.command import served
from engines.spark import golden
from engines.spark.serving import RATE, SHORT, TOKEN_BYTES, ask, pcm_of, spark_server
from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS

CLIP = golden.recording("b_stereo")
CLIP_TEXT = "Please say."
LONG = "Hello there, this is a test. And here comes the second sentence, which is longer. A third one ends it."


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with spark_server(tmp_path_factory.mktemp("voices")) as server:
        yield server.url


def clone(url: str, *, upload: bool = True, **fields: str) -> httpx.Response:
    form = {"text": "Hello there.", **SHORT, **fields}
    if upload:
        return httpx.post(f"{url}/clone_voice", data=form, files={"reference_audio_file": CLIP}, timeout=60)
    inline = {"reference_audio": base64.b64encode(CLIP).decode()}
    return httpx.post(f"{url}/clone_voice", data={**form, **inline}, timeout=60)


def events_of(answer: httpx.Response) -> list[dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]


def test_speak_gives_the_same_sound_for_the_same_seed_and_another_for_another(url: str) -> None:
    first = pcm_of(ask(url, name="female", seed=1))
    assert pcm_of(ask(url, name="female", seed=1)) == first
    assert pcm_of(ask(url, "/v1/speak", name="female", seed=1)) == first
    assert pcm_of(ask(url, name="female", seed=2)) != first
    assert pcm_of(ask(url, name="male", seed=1)) != first
    assert pcm_of(ask(url)) == pcm_of(ask(url, name="female", seed=0)), "the first voice and --seed are the defaults"


@pytest.mark.parametrize("body", [{"text": "Hello there."}, {"text": LONG, "length_threshold": 20, "window_size": 20}])
def test_streamed_speech_is_the_whole_speech(url: str, body: dict[str, object]) -> None:
    body = {**body, "name": "male", "seed": 3, "max_tokens": 4096}
    whole = pcm_of(ask(url, "/speak", **body))
    streamed = ask(url, "/speak", stream=True, **body)
    assert "content-length" not in streamed.headers
    assert pcm_of(streamed) == whole


@pytest.mark.parametrize("label", ["pitch", "speed"])
def test_pitch_and_speed_reach_built_in_and_cloned_voices(url: str, label: str) -> None:
    assert pcm_of(ask(url, "/speak", **{label: "very_high"})) != pcm_of(ask(url))
    assert pcm_of(clone(url, upload=True, **{label: "very_high"})) != pcm_of(clone(url))
    assert pcm_of(ask(url, "/speak", **{label: "moderate"})) == pcm_of(ask(url))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_format_has_the_full_length(url: str, format_: str, stream: bool) -> None:
    seconds = len(pcm_of(ask(url))) / 2 / RATE
    answer = ask(url, response_format=format_, stream=stream)
    assert answer.status_code == 200, answer.text
    if format_ != "pcm":
        assert decode(answer.content).seconds == pytest.approx(seconds, abs=0.1)


def test_a_voice_is_cloned_from_an_upload_or_base64_with_and_without_its_text(url: str) -> None:
    bare = pcm_of(clone(url))
    assert pcm_of(clone(url, upload=False)) == bare
    assert pcm_of(clone(url, stream="true")) == bare
    told = pcm_of(clone(url, reference_text=CLIP_TEXT))
    assert pcm_of(clone(url, upload=False, reference_text=CLIP_TEXT)) == told
    assert told != bare
    assert httpx.get(f"{url}/audio_roles").json()["roles"] == ["female", "male"], "a clone is not kept"


def test_a_speaker_is_added_speaks_like_its_clone_and_is_deleted(url: str) -> None:
    form = {"name": "anna", "reference_text": CLIP_TEXT}
    added = httpx.post(f"{url}/add_speaker", data=form, files={"audio_file": CLIP}, timeout=60)
    assert added.json() == {"success": True, "role": "anna"}
    again = httpx.post(f"{url}/add_speaker", data=form, files={"audio_file": CLIP}, timeout=60)
    assert again.status_code == 409
    assert httpx.get(f"{url}/audio_roles").json() == {"success": True, "roles": ["female", "male", "anna"]}
    assert pcm_of(ask(url, name="anna")) == pcm_of(clone(url, reference_text=CLIP_TEXT))
    assert httpx.post(f"{url}/delete_speaker", data={"name": "anna"}).json() == {"success": True, "role": "anna"}
    assert ask(url, name="anna").status_code == 404
    assert httpx.post(f"{url}/delete_speaker", data={"name": "female"}).status_code == 422


def test_a_dialogue_is_its_turns_one_after_the_other(url: str) -> None:
    audio = base64.b64encode(CLIP).decode()
    assert httpx.post(f"{url}/add_speaker", json={"name": "bo", "audio": audio}, timeout=60).status_code == 200
    turns = [("female", "Hello there."), ("male", "Good morning."), ("bo", "Good evening.")]
    script = "".join(f"<role:{name}>{text}" for name, text in turns)
    alone = b"".join(pcm_of(ask(url, name=name, text=text)) for name, text in turns)
    assert pcm_of(ask(url, "/multi_speak", text=script)) == alone
    assert pcm_of(ask(url, "/multi_speak", text=script, stream=True)) == alone
    styled = pcm_of(ask(url, "/multi_speak", text=script.replace("<role:bo>", "<role:bo,pitch:very_high,speed:low>")))
    assert styled != alone
    unknown = ask(url, "/multi_speak", text=f"{script}<role:nobody>Hi.")
    assert unknown.status_code == 404
    assert all(name in unknown.json()["error"]["message"] for name in ("nobody", "female", "male", "bo"))
    assert ask(url, "/multi_speak", text=f"Before. {script}").status_code == 400
    assert httpx.post(f"{url}/delete_speaker", json={"name": "bo"}).status_code == 200


def test_the_openai_route_sends_24_khz_streamed_whole_and_as_events(url: str) -> None:
    body: dict[str, object] = {"model": "spark", "input": LONG, "voice": "male", **SHORT}
    spoken = httpx.post(f"{url}/v1/audio/speech", json=body, timeout=60)
    assert spoken.status_code == 200, spoken.text
    assert spoken.headers["x-sample-rate"] == "24000"
    at_own_rate = pcm_of(ask(url, text=LONG, name="male"))
    assert len(spoken.content) == len(at_own_rate) * 24_000 // RATE
    told = events_of(httpx.post(f"{url}/v1/audio/speech", json={**body, "stream_format": "sse"}, timeout=60))
    deltas = [str(each["audio"]) for each in told if each["type"] == "speech.audio.delta"]
    assert b"".join(map(base64.b64decode, deltas)) == spoken.content
    whole = httpx.post(f"{url}/v1/audio/speech", json={**body, "stream": False, "sample_rate": RATE}, timeout=60)
    assert whole.content == at_own_rate
    assert told[-1]["type"] == "speech.audio.done"
    usage = told[-1]["usage"]
    assert isinstance(usage, dict)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] > len(at_own_rate) / TOKEN_BYTES, "every token of speech was generated, and the voice"
    assert usage["input_tokens"] > 10


def test_the_openai_route_knows_its_voices_recordings_and_labels(url: str) -> None:
    def answered(**fields: object) -> httpx.Response:
        body = {"model": "tts-1", "input": "Hello there.", "sample_rate": RATE, **SHORT, **fields}
        return httpx.post(f"{url}/v1/audio/speech", json=body, timeout=60)

    def spoken(**fields: object) -> bytes:
        return pcm_of(answered(**fields))

    assert spoken(voice="alloy") == spoken(voice={"id": "female"}) == pcm_of(ask(url, name="female"))
    recording = "data:audio/wav;base64," + base64.b64encode(CLIP).decode()
    assert spoken(voice=recording, reference_text=CLIP_TEXT) == pcm_of(clone(url, reference_text=CLIP_TEXT))
    styled = spoken(voice="male", pitch="low", speed="high")
    assert styled == pcm_of(ask(url, name="male", pitch="low", speed="high"))
    hurried = answered(voice="male", speed=2.0)
    assert len(hurried.content) == pytest.approx(len(spoken(voice="male")) / 2, rel=0.05)


def test_voices_are_listed_added_and_deleted_as_openai_spells_it(url: str) -> None:
    created = httpx.post(f"{url}/v1/audio/voices", data={"name": "cleo"}, files={"audio_sample": CLIP}, timeout=60)
    assert created.status_code == 200, created.text
    listed = httpx.get(f"{url}/v1/audio/voices").json()["voices"]
    assert [voice["id"] for voice in listed] == ["female", "male", "cleo"]
    assert httpx.get(f"{url}/v1/audio/voices?legacy=true").json()["voices"] == ["female", "male", "cleo"]
    assert pcm_of(ask(url, name="cleo")) == pcm_of(clone(url))
    assert httpx.delete(f"{url}/v1/audio/voices/cleo").status_code == 200
    assert httpx.delete(f"{url}/v1/audio/voices/cleo").status_code == 404


def test_the_server_tells_what_it_serves(url: str) -> None:
    info = httpx.get(f"{url}/server_info").json()
    assert (info["engine"], info["sample_rate"], info["roles"]) == ("spark", RATE, ["female", "male"])
    assert info["abilities"]["cloning"]
    assert info["abilities"]["pitch"]
    assert httpx.get(f"{url}/v1/models").json()["data"][0]["id"] == "spark"
    assert httpx.get(f"{url}/v1/audio/models").json()["models"][0] == {"id": "spark"}
    assert httpx.get(f"{url}/health").status_code == httpx.get(f"{url}/ready").status_code == 200
    assert "flashtts_ready 1.0" in httpx.get(f"{url}/metrics").text


def test_a_fixed_voice_is_the_same_over_requests_and_restarts(tmp_path: Path) -> None:
    with spark_server(tmp_path / "kept", fix_voice=True) as server:
        pcm_of(ask(server.url, seed=1))
        later = pcm_of(ask(server.url, seed=2))
        higher = pcm_of(ask(server.url, seed=2, pitch="high"))
    with spark_server(tmp_path / "kept", fix_voice=True) as server:
        assert pcm_of(ask(server.url, seed=2)) == later
        assert pcm_of(ask(server.url, seed=2, pitch="high")) == higher
        assert httpx.get(f"{server.url}/audio_roles").json()["roles"] == ["female", "male"]
    with spark_server(tmp_path / "new", fix_voice=True) as server:
        assert pcm_of(ask(server.url, seed=2)) != later, "without a kept voice, this seed makes up another one"


def test_added_roles_and_the_role_folder_are_there_after_a_restart(tmp_path: Path) -> None:
    role = tmp_path / "roles" / "narrator"
    role.mkdir(parents=True)
    (role / "voice.wav").write_bytes(CLIP)
    (role / "reference_text.txt").write_text(f"{CLIP_TEXT}\n", encoding="utf-8")
    given = {"voice_dir": tmp_path / "voices", "role_dir": str(tmp_path / "roles")}
    with spark_server(**given) as server:  # type: ignore[arg-type]  # by name
        files = {"audio_file": golden.recording("a")}
        added = httpx.post(f"{server.url}/add_speaker", data={"name": "dora"}, files=files, timeout=60)
        assert added.status_code == 200, added.text
        narrated = pcm_of(ask(server.url, name="narrator"))
        assert narrated == pcm_of(clone(server.url, reference_text=CLIP_TEXT))
        dora = pcm_of(ask(server.url, name="dora"))
        assert httpx.post(f"{server.url}/delete_speaker", data={"name": "narrator"}).status_code == 422
    with spark_server(**given) as server:  # type: ignore[arg-type]  # by name
        assert httpx.get(f"{server.url}/audio_roles").json()["roles"] == ["female", "male", "narrator", "dora"]
        assert pcm_of(ask(server.url, name="dora")) == dora
        assert pcm_of(ask(server.url, name="narrator")) == narrated


def test_the_command_serves_speech_and_ends_in_order(url: str, tmp_path: Path) -> None:
    model = ["--model_path", str(golden.CHECKPOINT), "--backend", "torch", "--voice_dir", str(tmp_path)]
    with served(*model) as (address, shown):
        assert "spark" in shown
        assert pcm_of(ask(address, seed=1)) == pcm_of(ask(url, seed=1))
        whole = ask(address, response_format="wav", max_tokens=4096)
        with wave.open(BytesIO(whole.content)) as file:
            assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
            assert file.getnframes() > 0
