"""The server as such: health, the API key, metrics, pages, the description of the API, starting and ending."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

import flashtts_server
from flashtts_core.cli.main import call
from flashtts_core.engines import Engine
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Settings, Sources
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing import ToneEngine, tone_reference
from flashtts_server.serve import SpeechServer, listen
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

WEB = Path(flashtts_server.__file__).parent / "web"
PUBLIC = ["/", "/docs", "/openapi.json", "/static/app.js", "/health", "/ready"]
GUARDED = ["/server_info", "/audio_roles", "/metrics", "/v1/models", "/v1/audio/voices", "/v1/audio/models"]
SPEAK = {"text": "one two", "response_format": "pcm"}
MODEL = '{backend="none",engine="tone"}'

Start = Callable[..., LiveServer]


def test_a_running_server_is_healthy_and_ready(tones: LiveServer, client: httpx.Client) -> None:
    assert client.get(f"{tones.url}/health").json() == {"status": "ok"}
    assert client.get(f"{tones.url}/ready").json() == {"status": "ready"}


def test_a_dead_engine_turns_health_and_readiness_red(start: Start, client: httpx.Client) -> None:
    server = start()
    assert isinstance(server.engine, ToneEngine)
    server.engine._stop.set()
    for path in ("/health", "/ready"):
        answer = client.get(server.url + path)
        assert (answer.status_code, answer.json()["status"]) == (503, "dead")


def test_a_draining_server_takes_no_more(start: Start, client: httpx.Client) -> None:
    server = start()
    server.service.drain()
    assert client.get(f"{server.url}/health").status_code == 200
    assert client.get(f"{server.url}/ready").status_code == 503
    refused = client.post(f"{server.url}/speak", json=SPEAK)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")


def test_health_answers_while_the_model_is_loaded_and_a_failed_load_ends_the_server() -> None:
    loading, failing = threading.Event(), threading.Event()

    async def load() -> Synthesizer:
        loading.set()
        await asyncio.to_thread(failing.wait, 30)
        raise ConfigError("The model is broken.")

    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = SpeechServer(ServerSettings(), listener, load)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
        thread.start()
        try:
            assert loading.wait(30)
            with httpx.Client(timeout=10) as client:
                assert client.get(f"{url}/health").status_code == 200
                assert client.get(f"{url}/ready").json() == {"status": "loading"}
                refused = client.post(f"{url}/speak", json=SPEAK)
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
                assert refused.headers["Retry-After"]
        finally:
            failing.set()
            thread.join(30)
    assert not thread.is_alive()
    assert str(server.failure) == "The model is broken."


def test_stopping_lets_running_requests_finish(start: Start, client: httpx.Client) -> None:
    server = start()
    with client.stream("POST", f"{server.url}/speak", json={**SPEAK, "stream": True}) as answer:
        server.close()
        assert len(b"".join(answer.iter_raw())) == 2 * 2 * 3200


@pytest.mark.parametrize("path", PUBLIC)
def test_pages_and_health_need_no_key(start: Start, client: httpx.Client, path: str) -> None:
    server = start(server_settings=ServerSettings(api_key="geheim"))
    assert client.get(server.url + path).status_code == 200


def test_every_other_route_needs_the_key(start: Start, client: httpx.Client) -> None:
    server = start(server_settings=ServerSettings(api_key="geheim"))
    description = client.get(f"{server.url}/openapi.json").json()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            answer = client.request(method, server.url + path.replace("{voice_id}", "female"))
            public = operation.get("security") == []
            assert (answer.status_code == 401) != public, (method, path)
            if not public:
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert method == "head" or answer.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    "header", [b"", b"Bearer", b"Bearer wrong", b"Basic geheim", b"geheim", b"Bearer \xff\xfe", "Bearer ö".encode()]
)
def test_a_wrong_key_is_refused(start: Start, client: httpx.Client, header: bytes) -> None:
    server = start(server_settings=ServerSettings(api_key="geheim"))
    answer = client.post(f"{server.url}/speak", json=SPEAK, headers=[(b"Authorization", header)])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("key", ["geheim", "schlüssel"])
def test_the_right_key_lets_in(start: Start, client: httpx.Client, key: str) -> None:
    server = start(server_settings=ServerSettings(api_key=key))
    for path in GUARDED:
        headers = [(b"authorization", b"bearer " + key.encode())]
        assert client.get(server.url + path, headers=headers).status_code == 200


@pytest.mark.parametrize("key", ["geheim\n", "  geheim\r\n"])
def test_the_end_of_the_line_that_a_key_was_read_from_is_no_part_of_it(
    start: Start, client: httpx.Client, key: str
) -> None:
    server = start(server_settings=ServerSettings(api_key=key))
    for given, status in (("geheim", 200), ("geheim2", 401)):
        headers = {"Authorization": f"Bearer {given}"}
        assert client.get(f"{server.url}/audio_roles", headers=headers).status_code == status


@pytest.mark.parametrize("key", ["\n", " ", "ge\nheim", "ge\x00heim"])
def test_a_key_that_nobody_can_send_is_refused_at_the_start(start: Start, key: str) -> None:
    with pytest.raises(ConfigError, match="--api_key"):
        start(server_settings=ServerSettings(api_key=key))


def test_every_answer_has_a_request_id(tones: LiveServer, client: httpx.Client) -> None:
    for path in (*PUBLIC, *GUARDED, "/nowhere", "/speak"):
        assert re.fullmatch("[0-9a-f]{32}", client.get(tones.url + path).headers["x-request-id"]), path
    given = client.get(f"{tones.url}/health", headers={"x-request-id": "mine-1"})
    assert given.headers["x-request-id"] == "mine-1"
    strange = client.get(f"{tones.url}/health", headers={"x-request-id": "http://169.254.169.254/ x" * 9})
    assert re.fullmatch("[0-9a-f]{32}", strange.headers["x-request-id"])


def test_head_and_options_are_answered(start: Start, client: httpx.Client) -> None:
    server = start(server_settings=ServerSettings(api_key="geheim"))
    headers = {"Authorization": "Bearer geheim"}
    for path in (*PUBLIC, *GUARDED, "/v1/models/tone"):
        answer = client.head(server.url + path, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 0
    assert client.head(f"{server.url}/v1/models").status_code == 401
    assert client.head(f"{server.url}/speak", headers=headers).status_code == 405
    described = client.get(f"{server.url}/openapi.json").json()["paths"].values()
    assert {method for operations in described for method in operations} == {"get", "post", "delete"}
    assert (
        'method="HEAD",route="/health",status="200"} 1.0' in client.get(f"{server.url}/metrics", headers=headers).text
    )
    options = client.options(f"{server.url}/v1/audio/speech")
    assert options.status_code == 204
    assert "POST" in options.headers["Allow"]


def test_pages_of_other_origins_are_kept_out_unless_they_are_named(start: Start, client: httpx.Client) -> None:
    ask = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    default, named = start(), start(server_settings=ServerSettings(cors_origins="https://page.example"))
    assert "access-control-allow-origin" not in client.options(f"{default.url}/speak", headers=ask).headers
    preflight = client.options(f"{named.url}/speak", headers=ask)
    assert preflight.headers["access-control-allow-origin"] == "https://page.example"
    answer = client.post(f"{named.url}/speak", json=SPEAK, headers={"Origin": "https://page.example"})
    assert answer.headers["access-control-allow-origin"] == "https://page.example"


def test_server_info_says_what_is_served(english: LiveServer, client: httpx.Client) -> None:
    info = client.get(f"{english.url}/server_info").json()
    assert (info["engine"], info["sample_rate"], info["roles"]) == ("hibari", 24_000, ["heart"])
    assert info["abilities"]["cloning"] is False
    assert info["version"]
    (heart,) = info["voices"]
    assert (heart["name"], heart["builtin"], heart["language"]) == ("heart", True, "en")
    assert [control["name"] for control in info["sampling"]] == ["seed"], "the embedded voice has no language model"
    assert client.get(f"{english.url}/v1/server_info").json() == info


def test_server_info_gives_the_ranges_and_defaults_of_what_is_honoured(tones: LiveServer, client: httpx.Client) -> None:
    info = client.get(f"{tones.url}/server_info").json()
    temperature, seed = info["sampling"]
    assert temperature["description"]
    assert (temperature["name"], temperature["default"], temperature["whole"]) == ("temperature", 0.9, False)
    assert (temperature["minimum"], temperature["minimum_excluded"], temperature["maximum"]) == (0, False, 2)
    assert (seed["name"], seed["whole"], seed["minimum"]) == ("seed", True, 0)


def test_metrics_count_what_happened(start: Start, client: httpx.Client) -> None:
    server = start()
    for stream in (True, False):
        assert client.post(f"{server.url}/speak", json={**SPEAK, "stream": stream}).status_code == 200
    client.post(f"{server.url}/speak", json={"text": ""})
    client.get(f"{server.url}/nowhere")
    answer = client.get(f"{server.url}/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    for line in (
        'flashtts_requests_total{method="POST",route="/speak",status="200"} 2.0',
        'flashtts_requests_total{method="POST",route="/speak",status="400"} 1.0',
        'flashtts_requests_total{method="GET",route="(none)",status="404"} 1.0',
        f"flashtts_queue_seconds_count{MODEL} 3.0",
        f"flashtts_first_audio_seconds_count{MODEL} 2.0",
        f"flashtts_speech_seconds_count{MODEL} 3.0",
        f"flashtts_real_time_factor_count{MODEL} 2.0",
        f"flashtts_streams_total{MODEL} 1.0",
        f"flashtts_uneven_streams_total{MODEL} 0.0",
        f"flashtts_underruns_total{MODEL} 0.0",
        f"flashtts_underrun_seconds_total{MODEL} 0.0",
        f"flashtts_cancelled_total{MODEL} 0.0",
        f"flashtts_empty_retries_total{MODEL} 0.0",
        'flashtts_tokens_total{backend="none",engine="tone",kind="input"} 4.0',
        'flashtts_tokens_total{backend="none",engine="tone",kind="output"} 40.0',
        'flashtts_refused_total{backend="none",engine="tone",reason="queue_full"} 0.0',
        "flashtts_running 0.0",
        "flashtts_queued 0.0",
        "flashtts_max_running 16.0",
        "flashtts_max_queued 64.0",
        "flashtts_max_queue_seconds 30.0",
        "flashtts_expected_queue_seconds 0.0",
        "flashtts_sessions 0.0",
        "flashtts_ready 1.0",
    ):
        assert line in answer.text, line
    for name, expected in (("audio_seconds_total", 0.8), ("max_stream_wait_seconds", 0.1)):
        (seconds,) = re.findall(rf"^flashtts_{name}(?:{{.*}})? (\S+)", answer.text, re.MULTILINE)
        assert float(seconds) == pytest.approx(expected, rel=0.5 if name.startswith("max") else 1e-6)


def test_nothing_spoken_is_logged(start: Start, client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    server = start()
    client.post(f"{server.url}/speak", json={"text": "my secret words"})
    client.post(f"{server.url}/speak", json={"text": "my secret words", "name": "nobody"})
    assert "secret" not in caplog.text


def test_every_operation_and_field_is_described(tones: LiveServer, client: httpx.Client) -> None:
    description = client.get(f"{tones.url}/openapi.json").json()
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
    assert len({name for name in schemas if name.endswith("Body")}) == 8
    for schema, content in schemas.items():
        for name, field in content["properties"].items():
            parts = field.get("anyOf", field.get("oneOf", []))
            assert field.get("description") or any("description" in part for part in parts), (schema, name)
    for reference in re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', msgspec.json.encode(description).decode()):
        assert reference in schemas


def test_the_description_lists_every_endpoint_of_the_api(tones: LiveServer, client: httpx.Client) -> None:
    paths = client.get(f"{tones.url}/openapi.json").json()["paths"]
    speaking, asking = ("speak", "multi_speak", "clone_voice"), ("audio_roles", "server_info")
    speakers = ("add_speaker", "rename_speaker", "delete_speaker")
    expected = {f"{prefix}/{name}" for name in (*speaking, *asking, *speakers) for prefix in ("", "/v1")}
    expected |= {"/health", "/ready", "/metrics", "/v1/models", "/v1/audio/speech", "/v1/audio/models"}
    expected |= {"/v1/audio/voices", "/v1/audio/voices/{voice_id}"}
    assert expected <= set(paths)
    assert set(paths["/delete_speaker"]["post"]["requestBody"]["content"]) == {
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json",
    }


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_elsewhere(tones: LiveServer, client: httpx.Client, path: str) -> None:
    page = client.get(tones.url + path)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert not re.match(r"[a-z]+:|//", link), link
        assert client.get(f"{tones.url}/{link.removeprefix('.')}").status_code == 200, link
    assert not re.search(r"\son[a-z]+=|<script>|style=", page.text), "inline code, which the policy forbids"


def test_the_documentation_has_one_address(tones: LiveServer, client: httpx.Client) -> None:
    answer = client.get(f"{tones.url}/docs/", follow_redirects=True)
    assert (answer.status_code, str(answer.url)) == (200, f"{tones.url}/docs")


def test_scripts_load_nothing_from_elsewhere() -> None:
    for script in (*WEB.glob("*.js"), *WEB.glob("*.css")):
        addresses = set(re.findall(r"(?:https?:)?//[a-z][\w.-]+", script.read_text(encoding="utf-8")))
        assert addresses <= {"http://www.w3.org"}, script.name


def test_settings_come_from_flags_and_environment() -> None:
    sources = Sources({"port": "9000"}, {"FLASHTTS_API_KEY": "geheim", "FLASHTTS_PORT": "1"}, {"max_queue": 3})
    settings = sources.build(ServerSettings)
    assert (settings.port, settings.api_key, settings.max_queue, settings.host) == (9000, "geheim", 3, "0.0.0.0")
    for flag, value in (("port", "70000"), ("api_key", ""), ("request_timeout", "0")):
        with pytest.raises(ConfigError, match=flag):
            Sources({flag: value}).build(ServerSettings)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
        (["--ssl_certfile", "/does/not/exist.pem"], "TLS certificate cannot be read"),
        (["--ssl_certfile", __file__], "TLS certificate cannot be read"),
        (["--ssl_keyfile", __file__], "needs --ssl_certfile"),
        (["--voice_aliases", "alloy"], "alloy=NAME"),
        (["--model_path", "/does/not/exist"], "no model folder"),
        (["--port", "http"], "--port"),
        (["--max-queue", "-1"], "--max_queue"),
    ],
)
def test_what_cannot_start_ends_with_exit_code_2_and_a_sentence(
    capsys: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    port = [] if "--port" in flags else ["--port", "0"]
    assert call(["serve", "--host", "127.0.0.1", *port, *flags]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_the_server_speaks_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    settings = ServerSettings(ssl_certfile=str(certificate), ssl_keyfile=str(key))
    with LiveServer(_tone, settings) as server:
        assert server.url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert httpx.post(f"{server.url}/speak", json=SPEAK, verify=trusted).status_code == 200


def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert call(["serve", "--host", "127.0.0.1", "--port", str(port)]) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


async def _tone() -> Engine:
    return ToneEngine()


def test_a_server_that_cannot_open_its_model_says_why() -> None:
    async def broken() -> Engine:
        raise ConfigError("no such model")

    with pytest.raises(RuntimeError) as failure, LiveServer(broken):
        pass
    assert str(failure.value.__cause__) == "no such model"


def test_role_folders_are_served(tmp_path: Path, client: httpx.Client) -> None:
    (tmp_path / "roles" / "anna").mkdir(parents=True)
    (tmp_path / "roles" / "anna" / "voice.wav").write_bytes(tone_reference().audio)
    settings = Settings(voice_dir=str(tmp_path / "voices"), role_dir=str(tmp_path / "roles"))
    with LiveServer(_tone, settings=settings) as server:
        assert client.get(f"{server.url}/v1/audio_roles").json()["roles"] == ["female", "male", "anna"]
        assert client.delete(f"{server.url}/v1/audio/voices/anna").status_code == 422


def test_a_connection_outlives_the_minute_that_proxies_keep_theirs(start: Start, client: httpx.Client) -> None:
    """A request that a proxy sends at the moment in which the server closes is lost."""
    server = start()
    assert client.get(f"{server.url}/health").status_code == 200
    (connection,) = cast("set[Any]", server._server.server_state.connections)
    assert connection.timeout_keep_alive_task.when() - connection.loop.time() > 60


def test_small_pieces_are_not_held_back(start: Callable[..., LiveServer]) -> None:
    listener = listen("127.0.0.1", 0)
    try:
        assert listener.proto == socket.IPPROTO_TCP  # what asyncio asks before it turns Nagle's delay off
    finally:
        listener.close()
