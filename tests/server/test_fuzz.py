"""What strangers send: whatever it is, the answer is speech or a sentence of ours, never a fault and never silence."""

from __future__ import annotations

import base64
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok

from flashtts_core.audio.encode import encode_whole
from flashtts_core.audio.formats import FORMATS
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

TOO_MUCH_TO_ASK = ("positive_data_acceptance",)
"""No schema says which texts can be spoken and which bytes are a recording."""

anything = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.generate, Phase.shrink],
)
SENDER = httpx.Client(timeout=60)
"""One for all examples, as making one takes longer than most requests."""
WAV = tone_reference().audio
SPEAK = {"text": "one two", "response_format": "pcm"}


@pytest.fixture(scope="module", autouse=True)
def closing() -> Iterator[None]:
    yield
    SENDER.close()


def checked(answer: httpx.Response) -> httpx.Response:
    """Return an answer that is one of ours: good, or an error in its documented shape that is not our fault."""
    assert answer.headers["x-request-id"]
    if answer.is_success or answer.is_redirect:
        return answer
    assert answer.status_code in {400, 401, 404, 405, 409, 413, 415, 422, 429}, (answer.status_code, answer.text)
    if answer.request.method != "HEAD":
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert isinstance(error["code"], str)
        assert error["message"].endswith((".", "!", "?")), error["message"]
        assert "Traceback" not in error["message"]
    return answer


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_operation_keeps_to_its_description(tones: LiveServer, mode: GenerationMode) -> None:
    """Schemathesis makes requests of the description, right and wrong ones, and compares the answers with it."""
    wrong: list[str] = []
    asked: Counter[str] = Counter()
    checks: list[Any] = [check for check in CHECKS.get_all() if check.__name__ not in TOO_MUCH_TO_ASK]
    api = schemathesis.openapi.from_url(f"{tones.url}/openapi.json")
    for result in api.get_all_operations():
        assert isinstance(result, Ok), result

        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(timeout=30)
            asked[case.operation.label] += 1
            try:
                case.validate_response(answer, checks=checks)
            except AssertionError as error:
                wrong.append(f"{case.operation.label}: {error}\n{case.as_curl_command()[:600]}")

        _try_out(ask, result.ok(), mode)
    assert wrong == []
    assert asked["POST /v1/audio/speech"] >= 40


def _try_out(ask: Callable[[schemathesis.Case[Any]], None], operation: Any, mode: GenerationMode) -> None:
    from hypothesis.errors import Unsatisfiable

    try:
        given(case=operation.as_strategy(generation_mode=mode))(
            settings(anything, max_examples=40, phases=[Phase.generate], suppress_health_check=list(HealthCheck))(ask)
        )()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "only an operation without input takes nothing that is wrong"


@anything
@given(text=st.text(max_size=300))
def test_any_text_is_spoken_or_refused(tones: LiveServer, text: str) -> None:
    answer = checked(SENDER.post(f"{tones.url}/speak", json={**SPEAK, "text": text}))
    assert answer.status_code in {200, 400}
    assert answer.status_code == 400 or answer.content


@anything
@given(text=st.text(st.sampled_from("<>:,role anna|pitch=highmale ‹›＜＞|\u200b\n"), max_size=80))
def test_any_script_is_spoken_or_refused(tones: LiveServer, text: str) -> None:
    body = {**SPEAK, "text": f"<role:female>one {text}"}
    assert checked(SENDER.post(f"{tones.url}/multi_speak", json=body)).status_code in {200, 400, 404}


@anything
@given(text=st.text(max_size=120))
def test_any_text_is_made_ready_for_the_embedded_voice(english: LiveServer, text: str) -> None:
    from flashtts_core.errors import RequestError
    from flashtts_core.planner import divide
    from flashtts_core.types import SplitLimits

    engine = english.engine
    try:
        divided = divide(text, engine, SplitLimits())
    except RequestError:
        return
    assert divided.pieces
    assert all(piece.strip() for piece in divided.pieces)


def broken(rng: random.Random, content: bytes) -> bytes:
    """Return a file that was cut, whose bits were turned, into which bytes were put, or all of it."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 30))):
        at = rng.randrange(min(len(damaged), rng.choice((64, 1024, 10**6))))
        match rng.randrange(4):
            case 0:
                damaged[at] ^= 1 << rng.randrange(8)
            case 1:
                damaged[at : at + rng.randrange(1, 9)] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
            case 2:
                damaged[at:at] = rng.randbytes(rng.randrange(1, 40))
            case _:
                del damaged[max(at, 1) :][: rng.randrange(1, 2000)]
        damaged = damaged or bytearray(b"\0")
    return bytes(damaged[: rng.randrange(1, len(damaged) + 1)] if rng.random() < 0.2 else damaged)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pcm"])
def test_damaged_recordings_are_cloned_or_refused(tones: LiveServer, client: httpx.Client, name: str) -> None:
    rng = random.Random(name)
    time = np.arange(2 * 24_000) / 24_000
    intact = encode_whole(np.sin(2 * np.pi * 330 * time).astype(np.float32) * 0.5, 24_000, name)  # type: ignore[arg-type]  # one of them
    statuses = Counter(
        checked(
            client.post(
                f"{tones.url}/clone_voice", data=SPEAK, files={"reference_audio_file": ("a", broken(rng, intact))}
            )
        ).status_code
        for _ in range(80)
    )
    assert statuses[415] + statuses[400], "some damage is beyond repair"
    assert set(statuses) <= {200, 400, 415}


@anything
@given(
    content=st.binary(max_size=2000), head=st.sampled_from([b"", b"RIFF", b"OggS", b"fLaC", b"ID3\x04", b"\xff\xfb"])
)
def test_any_bytes_as_a_recording_are_refused(tones: LiveServer, content: bytes, head: bytes) -> None:
    files = {"reference_audio_file": ("a.wav", head + content)}
    answer = checked(SENDER.post(f"{tones.url}/clone_voice", data=SPEAK, files=files))
    assert answer.status_code in {400, 415}


def npy(array: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=array.dtype == object)
    return sink.getvalue()


@anything
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=100).map(lambda tail: b"\x93NUMPY\x01\x00" + tail),
        st.sampled_from([npy(np.zeros((1, 4), np.float32)), npy(np.array([{}], object)), npy(np.zeros(3, np.float64))]),
    )
)
def test_any_bytes_as_a_latent_do_no_harm(tones: LiveServer, content: bytes) -> None:
    files = {"reference_audio_file": ("a.wav", WAV), "latent_file": ("a.npy", content)}
    checked(SENDER.post(f"{tones.url}/clone_voice", data=SPEAK, files=files))


@anything
@given(
    text=st.one_of(
        st.text(max_size=300),
        st.binary(max_size=300).map(lambda content: base64.b64encode(content).decode()),
        st.text("ABCabc+/=_- \n", min_size=130, max_size=400),
        st.text(max_size=100).map("data:audio/wav;base64,".__add__),
        st.text(max_size=60).map("data:".__add__),
        st.text(max_size=60).map("http://".__add__),
        st.text("[]:.0123456789abcdef/@?#%\\", max_size=40).map("http://127.0.0.1".__add__),
    )
)
def test_any_text_as_a_recording_is_refused(tones: LiveServer, text: str) -> None:
    for path, body in (
        ("/clone_voice", {**SPEAK, "reference_audio": text}),
        ("/v1/audio/speech", {"model": "tts-1", "input": "one", "voice": text}),
    ):
        answer = checked(SENDER.post(f"{tones.url}{path}", json=body))
        assert answer.status_code != 200, "nothing that was drawn is a recording or a voice"


@anything
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    *(b"--x\r\n", b"--x--\r\n", b"\r\n", b"\n", b"\r", b"--x", b"\0", b"text", b"one two", b"\xff\xfe"),
                    *(b'Content-Disposition: form-data; name="text"', b'; filename="a"', b"; filename*=utf-8''%ff"),
                    *(b"Content-Disposition: form-data", b"Content-Type: text/plain; charset=rot13", b": ", b"=" * 50),
                    *(b'name="reference_audio_file"', b"Content-Transfer-Encoding: base64", b"x" * 5000, b'name=""'),
                ]
            ),
            max_size=20,
        ).map(b"".join),
    ),
    kind=st.sampled_from(
        [
            *("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary="),
            *(
                "application/x-www-form-urlencoded",
                "application/json",
                "application/json; charset=utf-16",
                "text/plain",
            ),
            *("multipart/mixed; boundary=x", 'multipart/form-data; boundary="x', "", ";", "a/b/c; d"),
        ]
    ),
    path=st.sampled_from(["/clone_voice", "/add_speaker", "/delete_speaker", "/v1/audio/voices", "/speak"]),
)
def test_any_body_of_any_kind_is_refused(tones: LiveServer, body: bytes, kind: str, path: str) -> None:
    answer = checked(SENDER.post(tones.url + path, content=body, headers={"Content-Type": kind}))
    assert not answer.is_success


@anything
@given(body=st.text('{}[]":,.0123456789eE+-truefalsn\\u d8', max_size=60).map(str.encode))
def test_any_json_is_refused(tones: LiveServer, body: bytes) -> None:
    for text in (body, b'{"text": ' + body + b"}", b'{"text": "one", "seed": ' + body + b"}"):
        checked(SENDER.post(f"{tones.url}/speak", content=text, headers={"Content-Type": "application/json"}))


@anything
@given(
    path=st.text("/%.0123456789abcdefgh~?#&=;\\:@ \u00e4\u4e2d", max_size=60),
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH"]),
    prefix=st.sampled_from(["/", "/v1/", "/v1/audio/voices/", "/static/", "/static/..", "/docs/"]),
)
def test_any_path_is_answered(tones: LiveServer, path: str, method: str, prefix: str) -> None:
    try:
        answer = SENDER.request(method, tones.url + prefix + path)
    except httpx.InvalidURL:
        return
    checked(answer)


@anything
@given(
    name=st.sampled_from(
        ["Authorization", "Content-Type", "Accept", "Origin", "X-Request-Id", "Range", "Expect", "Host"]
    ),
    value=st.binary(max_size=60).filter(lambda value: not set(value) & set(b"\r\n\0")),
)
def test_any_header_is_taken(tones: LiveServer, name: str, value: bytes) -> None:
    headers = [(b"Content-Type", b"application/json"), (name.encode(), value.strip())]
    for method, path in (("GET", "/v1/models"), ("POST", "/speak"), ("GET", "/static/app.js")):
        content = b'{"text": "one", "response_format": "pcm"}' if method == "POST" else b""
        try:
            answer = SENDER.request(method, tones.url + path, content=content, headers=headers)
        except (httpx.RemoteProtocolError, httpx.LocalProtocolError):
            continue  # no HTTP: the client sends nothing, or the server gives no answer in it
        if answer.headers.get("content-type", "").startswith("text/plain") and answer.status_code == 400:
            continue  # refused as no HTTP before it reached us
        assert answer.status_code < 500, answer.text
