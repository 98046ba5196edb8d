"""What goes wrong, and how the server says so; after every case it still serves."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import flashtts_core.errors
from flashtts_core.errors import FlashTTSError
from flashtts_core.testing import ToneSettings, tone_reference
from flashtts_server.errors import STATUSES, status_of
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

SPEAK = {"text": "one two"}
OPENAI = {"model": "tts-1", "input": "one two", "voice": "female"}


@pytest.fixture(autouse=True)
def still_serving(tones: LiveServer) -> Iterator[None]:
    """After every refused request the same server speaks, and holds no place."""
    yield
    assert httpx.post(f"{tones.url}/speak", json=SPEAK).status_code == 200
    assert tones.service.admission.running == 0


def assert_error(answer: httpx.Response, status: int, *, code: str | None = None, param: str | None = None) -> str:
    """Check the shape of an error and return its sentence."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["code"], str)
    assert isinstance(error["type"], str)
    assert error["message"].endswith((".", "!"))
    assert answer.headers["x-request-id"]
    if code is not None:
        assert error["code"] == code
    if param is not None:
        assert error["param"] == param
    return str(error["message"])


def kinds(of: type[FlashTTSError] = FlashTTSError) -> list[type[FlashTTSError]]:
    return [of, *(each for kind in of.__subclasses__() for each in kinds(kind))]


def test_every_error_of_the_core_has_a_status() -> None:
    assert set(STATUSES) <= set(kinds())
    for kind in kinds():
        if kind.__module__ == flashtts_core.errors.__name__:
            status = status_of(kind("Something."))
            own = STATUSES.get(kind)
            assert own in {None, status}
            assert 400 <= status < 600
    inherited = {kind.__name__ for kind in kinds() if kind not in STATUSES}
    assert inherited >= {"EmptySpeech", "UnknownPlugin"}


@pytest.mark.parametrize(
    ("fields", "status", "param", "says"),
    [
        ({"text": ""}, 400, "text", "empty"),
        ({"text": " \n\t "}, 400, "text", "empty"),
        ({"text": "🙂🎉"}, 400, "text", "emoji"),
        ({"text": 5}, 400, "text", "must be text, such as Hello, this is flashtts. Expected"),
        ({"text": None}, 400, "text", "must be text"),
        ({"text": "one " * 25_000}, 413, "text", "20000"),
        ({"name": "nobody"}, 404, "name", "female, male"),
        ({"name": 5}, 400, "name", "must be text"),
        ({"name": "x" * 129}, 400, "name", "at most 128 characters"),
        ({"response_format": "ogg"}, 400, "response_format", "mp3"),
        ({"response_format": 5}, 400, "response_format", "opus"),
        ({"pitch": "shrill"}, 400, "pitch", "very_high"),
        ({"pitch": 3}, 400, "pitch", "very_high"),
        ({"speed": "fast"}, 400, "speed", "moderate"),
        ({"speed": 4.5}, 400, "speed", "from 0.25 to 4"),
        ({"speed": True}, 400, "speed", "moderate"),
        ({"temperature": -0.1}, 400, "temperature", "from 0 to 2"),
        ({"temperature": "0.5"}, 400, "temperature", "from 0 to 2"),
        ({"top_k": 1001}, 400, "top_k", "from 0 to 1000"),
        ({"top_k": 1.5}, 400, "top_k", "whole number"),
        ({"top_p": 0}, 400, "top_p", "above 0 to 1"),
        ({"repetition_penalty": 2.5}, 400, "repetition_penalty", "above 0 to 2"),
        ({"max_tokens": 0}, 400, "max_tokens", "from 1"),
        ({"length_threshold": 0}, 400, "length_threshold", "from 1"),
        ({"window_size": -1}, 400, "window_size", "from 1"),
        ({"seed": -1}, 400, "seed", "from 0"),
        ({"seed": 2**63}, 400, "seed", "from 0"),
        ({"stream": "yes"}, 400, "stream", "true or false"),
        ({"voice": "female"}, 400, "voice", "the fields are: "),
    ],
)
def test_a_field_that_does_not_fit_is_named_with_what_it_may_be(
    tones: LiveServer, fields: dict[str, Any], status: int, param: str, says: str
) -> None:
    answer = httpx.post(f"{tones.url}/speak", json={**SPEAK, **fields})
    assert says in assert_error(answer, status, param=param)


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"input": ""}, 400, "input"),
        ({"input": "🙂"}, 400, "input"),
        ({"input": "x" * 4097}, 413, "input"),
        ({"model": "gpt-7"}, 404, "model"),
        ({"voice": "nobody"}, 404, "voice"),
        ({"voice": {"name": "female"}}, 400, "voice"),
        ({"voice": "?" * 200}, 400, "voice"),
        ({"speed": 0.1}, 400, "speed"),
        ({"stream_format": "websocket"}, 400, "stream_format"),
        ({"sample_rate": 12_345}, 400, "sample_rate"),
        ({"instructions": "x" * 4097}, 400, "instructions"),
    ],
)
def test_openai_errors_use_openai_names(
    tones: LiveServer, client: httpx.Client, fields: dict[str, Any], status: int, param: str
) -> None:
    assert_error(client.post(f"{tones.url}/v1/audio/speech", json={**OPENAI, **fields}), status, param=param)


def test_a_compressed_body_is_refused_as_such(tones: LiveServer, client: httpx.Client) -> None:
    body, headers = gzip.compress(json.dumps(SPEAK).encode()), {"Content-Encoding": "gzip"}
    assert "compressed (gzip)" in assert_error(client.post(f"{tones.url}/speak", content=body, headers=headers), 400)


def test_a_file_without_a_filename_is_told_what_it_lacks(tones: LiveServer, client: httpx.Client) -> None:
    parts = {"text": (None, b"one"), "reference_audio_file": (None, b"RIFF\xff")}
    answer = client.post(f"{tones.url}/clone_voice", files=parts)
    assert "a file needs a filename" in assert_error(answer, 400, param="reference_audio_file")


@pytest.mark.parametrize("missing", ["model", "input", "voice"])
def test_a_missing_field_is_named(tones: LiveServer, client: httpx.Client, missing: str) -> None:
    body = {name: value for name, value in OPENAI.items() if name != missing}
    message = assert_error(client.post(f"{tones.url}/v1/audio/speech", json=body), 400, param=missing)
    assert "missing" in message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"text"', b'{"text": NaN}', b'{"text": "\xff"}', b"\x00", b'{"text": ' + b"[" * 9000],
)
def test_malformed_json_is_refused(tones: LiveServer, client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert_error(client.post(f"{tones.url}/speak", content=body, headers=headers), 400, code="invalid_request")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no form at all"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\ncut off'),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=x", b""),
        ("application/x-www-form-urlencoded", b"%%%"),
        ("application/x-www-form-urlencoded", b"text=%ff"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", b"a&" * 1_000_000),
    ],
)
def test_a_malformed_form_is_refused(tones: LiveServer, client: httpx.Client, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    message = assert_error(client.post(f"{tones.url}/clone_voice", content=body, headers=headers), 400)
    assert "form" in message or "missing" in message


def test_a_field_sent_twice_is_refused(tones: LiveServer, client: httpx.Client) -> None:
    parts = [("text", (None, b"one")), ("text", (None, b"two"))]
    assert_error(client.post(f"{tones.url}/clone_voice", files=parts), 400, param="text")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"temperature": "hot"}, "from 0 to 2"),
        ({"temperature": "nan"}, "from 0 to 2"),
        ({"stream": "perhaps"}, "true or false"),
        ({"top_k": "5.5"}, "whole number"),
    ],
)
def test_forms_are_checked_as_json_is(tones: LiveServer, client: httpx.Client, form: dict[str, str], says: str) -> None:
    files = {"reference_audio_file": ("a.wav", tone_reference().audio)}
    answer = client.post(f"{tones.url}/clone_voice", data={"text": "one", **form}, files=files)
    assert says in assert_error(answer, 400, param=next(iter(form)))


@pytest.mark.parametrize(
    ("audio", "status"),
    [(b"not audio at all" * 100, 415), (b"", 400), (tone_reference(seconds=0.5).audio, 400), (b"RIFF", 415)],
)
def test_a_recording_that_cannot_be_cloned_is_refused(
    tones: LiveServer, client: httpx.Client, audio: bytes, status: int
) -> None:
    files = {"reference_audio_file": ("a.wav", audio)}
    assert_error(client.post(f"{tones.url}/clone_voice", data={"text": "one"}, files=files), status)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({}, "reference_audio"),
        ({"reference_audio": "%%%"}, "reference_audio"),
        ({"reference_audio": "data:audio/wav,plain"}, "reference_audio"),
        ({"reference_audio": "ftp://example.org/a.wav"}, "reference_audio"),
        ({"reference_audio": "file:///etc/passwd"}, "reference_audio"),
        ({"reference_audio_file": "text instead of a file"}, "reference_audio_file"),
    ],
)
def test_a_reference_has_to_be_given_as_one_of_its_forms(
    tones: LiveServer, client: httpx.Client, form: dict[str, str], param: str
) -> None:
    parts = [(name, (None, value.encode())) for name, value in {"text": "one", **form}.items()]
    assert_error(client.post(f"{tones.url}/clone_voice", files=parts), 400, param=param)


def test_a_dialogue_names_its_unknown_role(tones: LiveServer, client: httpx.Client) -> None:
    text = "<role:female>one<role:nobody>two"
    answer = client.post(f"{tones.url}/multi_speak", json={"text": text})
    message = assert_error(answer, 404, code="unknown_voice", param="text")
    assert "nobody" in message
    assert "female, male" in message


def test_a_dialogue_begins_with_a_role(tones: LiveServer, client: httpx.Client) -> None:
    text = "Once upon a time <role:female>one"
    assert_error(client.post(f"{tones.url}/multi_speak", json={"text": text}), 400)


def test_unknown_routes_and_methods_are_said_in_the_same_shape(tones: LiveServer, client: httpx.Client) -> None:
    assert_error(client.get(f"{tones.url}/nowhere"), 404, code="not_found")
    assert_error(client.get(f"{tones.url}/v1/audio/nowhere"), 404, code="not_found")
    for path in ("/docs/schema", "/docs/schema/elements", "/docs/schema/openapi.json"):
        assert_error(client.get(tones.url + path), 404, code="not_found")
    wrong = client.get(f"{tones.url}/speak")
    assert_error(wrong, 405, code="method_not_allowed")
    assert "POST" in wrong.headers["Allow"]
    assert {"GET", "HEAD"} <= set(client.post(f"{tones.url}/health").headers["Allow"].split(", "))


def test_a_parameter_that_does_not_fit_is_named(tones: LiveServer, client: httpx.Client) -> None:
    assert_error(client.get(f"{tones.url}/v1/audio/voices", params={"legacy": "perhaps"}), 400, param="legacy")


@pytest.mark.parametrize("text", ["你好，世界。", "🙂", "", "   "])
def test_what_the_embedded_voice_cannot_say_is_refused(english: LiveServer, client: httpx.Client, text: str) -> None:
    assert_error(client.post(f"{english.url}/speak", json={"text": text}), 400, param="text")


def test_the_embedded_voice_says_what_it_cannot_do(english: LiveServer, client: httpx.Client) -> None:
    files = {"reference_audio_file": ("a.wav", tone_reference().audio)}
    clone = client.post(f"{english.url}/clone_voice", data={"text": "one"}, files=files)
    assert "cannot clone" in assert_error(clone, 422, code="not_supported")
    form = {"name": "anna", "audio": "http://203.0.113.1/never-fetched.wav"}
    added = client.post(f"{english.url}/add_speaker", data=form)
    assert "cannot clone" in assert_error(added, 422, code="not_supported")
    pitched = client.post(f"{english.url}/speak", json={"text": "Hello.", "pitch": "high"})
    assert_error(pitched, 422, param="pitch")
    assert client.post(f"{english.url}/speak", json={"text": "Hello.", "pitch": "moderate"}).status_code == 200


def test_an_engine_that_fails_at_once_answers_500_and_is_logged_once(
    start: Callable[..., LiveServer], client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(ToneSettings(fail_on="boom", silent_on="hush"))
    answer = client.post(f"{server.url}/speak", json={"text": "boom", "stream": True}, headers={"x-request-id": "me-7"})
    assert_error(answer, 500, code="engine_error")
    assert_error(client.post(f"{server.url}/speak", json={"text": "hush"}), 500, code="empty_speech")
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert logged[0] == "Request me-7 failed."
    assert len(logged) == 2


@pytest.mark.parametrize("stream", [True, False])
def test_an_engine_that_fails_later_breaks_a_stream_off_and_answers_500_to_a_whole(
    start: Callable[..., LiveServer], client: httpx.Client, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    server = start(ToneSettings(fail_on="boom"))
    body = {"text": "one two three boom", "stream": stream, "response_format": "pcm"}
    if stream:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(f"{server.url}/speak", json=body)
    else:
        assert_error(client.post(f"{server.url}/speak", json=body), 500, code="engine_error")
    assert client.get(f"{server.url}/health").status_code == 200
    assert server.service.admission.running == 0
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_a_defect_answers_500_without_its_insides(
    start: Callable[..., LiveServer],
    client: httpx.Client,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = start()

    def defective() -> None:
        raise ZeroDivisionError("secret insides")

    monkeypatch.setattr(server.service.synthesizer.voices, "names", defective)
    answer = client.get(f"{server.url}/audio_roles", headers={"x-request-id": "me-8"})
    message = assert_error(answer, 500, code="internal_error")
    assert "secret" not in answer.text
    assert "me-8" in message
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        "Request me-8 failed unexpectedly."
    ]


def test_bodies_over_the_limit_are_refused(start: Callable[..., LiveServer], client: httpx.Client) -> None:
    server = start(server_settings=ServerSettings(max_body_size=20_000, max_upload_size=5000))
    assert_error(client.post(f"{server.url}/speak", content=b"x" * 20_001), 413, code="too_large")

    def announced_nowhere() -> Iterator[bytes]:
        yield from [b"x" * 10_000] * 3

    assert_error(client.post(f"{server.url}/speak", content=announced_nowhere()), 413, code="too_large")
    files = {"reference_audio_file": ("a.wav", b"x" * 5001)}
    uploaded = client.post(f"{server.url}/clone_voice", data={"text": "one"}, files=files)
    assert_error(uploaded, 413, code="too_large", param="reference_audio_file")
    inline = client.post(f"{server.url}/clone_voice", data={"text": "one", "reference_audio": "A" * 6800})
    assert_error(inline, 413, code="too_large", param="reference_audio")


def test_the_length_of_openai_input_is_configurable(start: Callable[..., LiveServer], client: httpx.Client) -> None:
    server = start(server_settings=ServerSettings(max_input_length=5))
    answer = client.post(f"{server.url}/v1/audio/speech", json={**OPENAI, "input": "longer"})
    assert "limit is 5" in assert_error(answer, 413, param="input")
