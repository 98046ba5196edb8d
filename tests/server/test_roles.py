"""Roles and voices: listed, added, used, replaced and deleted, in both spellings of the API."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from flashtts_core.disk import Disk
from flashtts_core.settings import Settings
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

Start = Callable[..., LiveServer]


@pytest.fixture
def server(start: Start) -> LiveServer:
    return start()


def add(client: httpx.Client, server: LiveServer, name: str, pitch: float = 330, **form: str) -> httpx.Response:
    files = {"audio_file": ("a.wav", tone_reference(pitch=pitch).audio, "audio/wav")}
    return client.post(f"{server.url}/add_speaker", data={"name": name, **form}, files=files)


def roles(client: httpx.Client, server: LiveServer) -> list[str]:
    answer = client.get(f"{server.url}/audio_roles").json()
    assert answer["success"] is True
    return list(answer["roles"])


def pitch(client: httpx.Client, server: LiveServer, name: str) -> float:
    body = {"text": "one two three four five", "name": name, "response_format": "pcm"}
    answer = client.post(f"{server.url}/speak", json=body)
    assert answer.status_code == 200, answer.text
    return float(np.abs(np.fft.rfft(np.frombuffer(answer.content, "<i2"))).argmax())


def test_a_role_is_added_used_and_deleted(server: LiveServer, client: httpx.Client) -> None:
    assert add(client, server, "anna", reference_text="a tone").json() == {"success": True, "role": "anna"}
    assert roles(client, server) == ["female", "male", "anna"]
    assert pitch(client, server, "anna") == pytest.approx(330, abs=3)
    deleted = client.post(f"{server.url}/delete_speaker", data={"name": "anna"})
    assert deleted.json() == {"success": True, "role": "anna"}
    assert roles(client, server) == ["female", "male"]
    assert client.post(f"{server.url}/speak", json={"text": "one", "name": "anna"}).status_code == 404


def test_a_role_is_replaced_only_on_purpose(server: LiveServer, client: httpx.Client) -> None:
    assert add(client, server, "anna").status_code == 200
    again = add(client, server, "anna", pitch=440)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "voice_exists")
    assert pitch(client, server, "anna") == pytest.approx(330, abs=3)
    assert add(client, server, "anna", pitch=440, overwrite="true").status_code == 200
    assert pitch(client, server, "anna") == pytest.approx(440, abs=3)


def test_a_role_may_be_given_as_base64(
    server: LiveServer, client: httpx.Client, as_base64: Callable[[bytes], str]
) -> None:
    form = {"name": "anna", "audio": as_base64(tone_reference(pitch=300).audio)}
    assert client.post(f"{server.url}/v1/add_speaker", data=form).status_code == 200
    assert pitch(client, server, "anna") == pytest.approx(300, abs=3)


@pytest.mark.parametrize("way", ["multipart", "urlencoded", "json"])
def test_a_role_is_deleted_in_any_encoding(server: LiveServer, client: httpx.Client, way: str) -> None:
    assert add(client, server, "änna").status_code == 200
    url = f"{server.url}/v1/delete_speaker"
    if way == "multipart":
        answer = client.post(url, files={"name": (None, "änna".encode())})
    elif way == "urlencoded":
        answer = client.post(url, data={"name": "änna"})
    else:
        answer = client.post(url, json={"name": "änna"})
    assert answer.json() == {"success": True, "role": "änna"}
    assert roles(client, server) == ["female", "male"]


def test_built_in_roles_stay(server: LiveServer, client: httpx.Client) -> None:
    answer = client.post(f"{server.url}/delete_speaker", json={"name": "female"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not_supported")
    assert client.delete(f"{server.url}/v1/audio/voices/male").status_code == 422
    assert add(client, server, "female").status_code == 409


@pytest.mark.parametrize("way", ["files", "data", "json"])
def test_a_role_is_renamed_in_any_encoding(server: LiveServer, client: httpx.Client, way: str) -> None:
    assert add(client, server, "anna").status_code == 200
    names = {"name": "anna", "new_name": " béa "}
    sent = {name: (None, value) for name, value in names.items()} if way == "files" else names
    renamed = client.post(f"{server.url}/v1/rename_speaker", **{way: sent})  # type: ignore[arg-type]  # by name
    assert renamed.json() == {"success": True, "role": "béa"}
    assert roles(client, server) == ["female", "male", "béa"]
    assert pitch(client, server, "béa") == pytest.approx(330, abs=3)
    assert client.post(f"{server.url}/speak", json={"text": "one", "name": "anna"}).status_code == 404


@pytest.mark.parametrize(
    ("names", "refusal"),
    [
        (("female", "new"), (422, "not_supported", "name")),
        (("nobody", "new"), (404, "unknown_voice", "name")),
        (("anna", "male"), (409, "voice_exists", "new_name")),
        (("anna", "anna"), (409, "voice_exists", "new_name")),
        (("anna", "a<b"), (400, "invalid_request", "new_name")),
    ],
)
def test_a_role_is_renamed_only_to_a_free_name(
    server: LiveServer, client: httpx.Client, names: tuple[str, str], refusal: tuple[int, str, str]
) -> None:
    assert add(client, server, "anna").status_code == 200
    answer = client.post(f"{server.url}/rename_speaker", json={"name": names[0], "new_name": names[1]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == refusal
    assert roles(client, server) == ["female", "male", "anna"]


def test_an_unknown_role_cannot_be_deleted(server: LiveServer, client: httpx.Client) -> None:
    answer = client.post(f"{server.url}/delete_speaker", json={"name": "nobody"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "name")


@pytest.mark.parametrize("name", ["", "  ", "a,b", "x" * 129, "../../etc", "a<b", "nul\x00"])
def test_a_name_that_cannot_be_one_is_refused_or_kept_harmlessly(
    start: Start, client: httpx.Client, tmp_path: Path, name: str
) -> None:
    server = start(settings=Settings(voice_dir=str(tmp_path / "voices")))
    status = add(client, server, name).status_code
    assert status == (200 if name == "../../etc" else 400)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["voices"])


def test_openai_voices_are_objects(server: LiveServer, client: httpx.Client) -> None:
    listed = client.get(f"{server.url}/v1/audio/voices").json()
    assert [(voice["id"], voice["name"]) for voice in listed["voices"]] == [("female", "female"), ("male", "male")]
    assert listed["data"] == listed["voices"]
    assert all(voice["builtin"] for voice in listed["voices"])


def test_openai_voices_are_strings_for_older_clients(server: LiveServer, client: httpx.Client) -> None:
    answer = client.get(f"{server.url}/v1/audio/voices", params={"legacy": "true"})
    assert answer.json() == {"voices": ["female", "male"]}


def test_an_openai_voice_is_added_used_and_deleted(server: LiveServer, client: httpx.Client) -> None:
    url = f"{server.url}/v1/audio/voices"
    files = {"audio_sample": ("a.wav", tone_reference(pitch=330).audio, "audio/wav")}
    created = client.post(url, data={"name": "anna", "consent": "consent_1"}, files=files).json()
    assert (created["object"], created["id"], created["name"]) == ("audio.voice", "anna", "anna")
    assert created["created_at"] > 0
    body = {"model": "tts-1", "input": "one two three four five", "voice": {"id": "anna"}, "response_format": "pcm"}
    spoken = np.frombuffer(client.post(f"{server.url}/v1/audio/speech", json=body).content, "<i2")
    assert np.abs(np.fft.rfft(spoken)).argmax() == pytest.approx(330, abs=3)
    assert client.delete(f"{url}/anna").json() == {"id": "anna", "deleted": True, "object": "audio.voice.deleted"}
    assert client.delete(f"{url}/anna").status_code == 404


@pytest.mark.parametrize("name", ["a/b", "100%", "a b?", "名字", "a#b"])
def test_a_voice_of_any_name_can_be_deleted_by_its_address(server: LiveServer, client: httpx.Client, name: str) -> None:
    assert add(client, server, name).status_code == 200
    answer = client.delete(f"{server.url}/v1/audio/voices/{quote(name, safe='')}")
    assert (answer.status_code, answer.json()["id"]) == (200, name)
    assert roles(client, server) == ["female", "male"]


@pytest.mark.parametrize("name", ["/a", "a/", "//a", "a//b"])
def test_the_slashes_of_a_voice_that_is_deleted_count(server: LiveServer, client: httpx.Client, name: str) -> None:
    for each in ("a", "a/b", name):
        assert add(client, server, each).status_code == 200
    answer = client.delete(f"{server.url}/v1/audio/voices/{quote(name, safe='')}")
    assert (answer.status_code, answer.json()["id"]) == (200, name)
    assert roles(client, server) == ["female", "male", "a", "a/b"]


@pytest.mark.parametrize(
    "path", ["/v1/audio/%76oices/a", "/v1/audio//voices/a", "/v1/audio/voices/%2Fa", "/v1/audio/voices/a%2F"]
)
def test_an_address_that_is_not_that_of_a_voice_deletes_none(
    server: LiveServer, client: httpx.Client, path: str
) -> None:
    assert add(client, server, "a").status_code == 200
    assert client.delete(server.url + path).status_code == 404
    assert roles(client, server) == ["female", "male", "a"]


def test_a_full_disk_is_said_and_changes_nothing(
    start: Start,
    client: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = start(settings=Settings(voice_dir=str(tmp_path)))
    assert add(client, server, "anna").status_code == 200

    def full(disk: Disk, path: Path, content: bytes) -> None:
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Disk, "write", full)
        for answer in (add(client, server, "berta"), add(client, server, "anna", pitch=440, overwrite="true")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (500, "voice_store_failed")
            assert "No space left" in answer.json()["error"]["message"]
            assert str(tmp_path) not in answer.text
            assert answer.headers["x-request-id"] in caplog.text
        assert pitch(client, server, "anna") == pytest.approx(330, abs=3)
        assert client.delete(f"{server.url}/v1/audio/voices/anna").status_code == 200, "which makes room"
    assert roles(client, server) == ["female", "male"]
    assert add(client, server, "berta").status_code == 200


def test_roles_outlive_the_server(start: Start, client: httpx.Client, tmp_path: Path) -> None:
    settings = Settings(voice_dir=str(tmp_path))
    first = start(settings=settings)
    assert add(client, first, "anna").status_code == 200
    second = start(settings=settings)
    assert roles(client, second) == ["female", "male", "anna"]
    assert pitch(client, second, "anna") == pytest.approx(330, abs=3)
