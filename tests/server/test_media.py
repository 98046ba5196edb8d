"""References from URLs: what is fetched, what is refused, and how much of it."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.errors import RequestError, TooLarge
from flashtts_core.testing import tone_reference
from flashtts_server import media
from flashtts_server.addresses import Address, is_public
from flashtts_server.media import MediaReader
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

RECORDING = tone_reference(pitch=330).audio


class Site(ThreadingHTTPServer):
    """A web site on the loopback; ``asked`` lists the Host headers and paths it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.asked: list[tuple[str, str]] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Pages(BaseHTTPRequestHandler):
    """The pages of the site."""

    server: Site
    redirects: ClassVar[dict[str, str]] = {
        "/to-recording": "/recording",
        "/to-localhost": "http://localhost:{port}/recording",
        "/to-metadata": "http://169.254.169.254/latest",
        "/to-file": "file:///etc/passwd",
        "/for-ever": "/for-ever",
    }

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.path))
        if self.path in self.redirects:
            self.send_response(302)
            self.send_header("Location", self.redirects[self.path].format(port=self.server.server_port))
            self.end_headers()
        elif self.path == "/recording":
            self._answer(RECORDING)
        elif self.path == "/endless":
            self._answer_without_end(b"x" * 65_536)
        elif self.path == "/slow":
            self._answer_without_end(b"")
        elif self.path == "/packed":
            self._answer(b"x", ("Content-Encoding", "gzip"))
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Say nothing."""

    def _answer(self, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _answer_without_end(self, piece: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.closing.wait(0 if piece else 5):
                self.wfile.write(piece)
        except OSError:
            pass  # the reader has had enough
        self.close_connection = True


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate of ``localhost`` and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return files


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01}, name="site")
        thread.start()
        yield site
        site.closing.set()
        site.shutdown()
        thread.join()


def fetch(url: str, **settings: object) -> bytes:
    """Fetch a reference with the loopback by number (and not by name) allowed."""
    allowed = {"allowed_media_hosts": "127.0.0.1", "media_timeout": 5.0, **settings}
    reader = MediaReader(ServerSettings(**allowed))  # type: ignore[arg-type]  # fields of the struct
    return asyncio.run(reader.inline_or_fetched(url, "reference_audio"))


def test_a_recording_is_fetched_and_redirects_are_followed(site: Site) -> None:
    assert fetch(f"{site.url}/recording") == RECORDING
    assert fetch(f"{site.url}/to-recording") == RECORDING


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/to-localhost", "'localhost'"),
        ("/to-metadata", "'169.254.169.254'"),
        ("/to-file", "http"),
        ("/for-ever", "more than 5 times"),
        ("/missing", "404"),
        ("/packed", "compressed"),
    ],
)
def test_every_hop_is_checked(site: Site, path: str, says: str) -> None:
    asked = len(site.asked)
    with pytest.raises(RequestError, match=says) as refusal:
        fetch(site.url + path)
    assert refusal.value.param == "reference_audio"
    assert ("localhost", "/recording") not in site.asked[asked:]


def test_reading_stops_at_the_limit(site: Site) -> None:
    with pytest.raises(TooLarge, match="100000 bytes"):
        fetch(f"{site.url}/endless", max_upload_size=100_000)


def test_a_server_that_does_not_answer_is_given_up(site: Site) -> None:
    with pytest.raises(RequestError, match=r"longer than 0\.3 s"):
        fetch(f"{site.url}/slow", media_timeout=0.3)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://127.0.0.2/",
        "http://127.1/",
        "http://2130706433/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://user:password@127.0.0.2/",
        "http:///nothing",
        "http://does-not-exist.invalid/",
        "http://" + "x" * 300 + "/",
    ],
)
def test_addresses_inside_are_refused(url: str) -> None:
    with pytest.raises(RequestError) as refusal:
        fetch(url, media_timeout=10.0)
    assert refusal.value.param == "reference_audio"


@pytest.mark.parametrize("scheme", ["HTTP", "Http"])
def test_case_means_nothing_in_a_scheme(site: Site, as_base64: Callable[[bytes], str], scheme: str) -> None:
    url = f"{scheme}{site.url.removeprefix('http')}/recording"
    assert media.is_recording(url)
    assert fetch(url) == RECORDING
    inline = f"DATA:audio/wav;BASE64,{as_base64(RECORDING)}"
    assert media.is_recording(inline[:100])
    assert fetch(inline) == RECORDING
    assert not media.is_recording("httpd")


def answers_of(hosts: dict[str, list[str]]) -> Callable[[str, int], asyncio.Future[list[Address]]]:
    """Return what resolves names as a table says."""

    def resolve(host: str, port: int) -> asyncio.Future[list[Address]]:
        future: asyncio.Future[list[Address]] = asyncio.get_running_loop().create_future()
        future.set_result([ipaddress.ip_address(address) for address in hosts[host]])
        return future

    return resolve


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout])
def test_every_address_of_a_host_is_tried_in_the_time_there_is(
    monkeypatch: pytest.MonkeyPatch, failure: type[httpx.TransportError]
) -> None:
    asked: list[tuple[str, dict[str, float | None]]] = []

    def site(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.extensions["timeout"]))
        if request.url.host == "192.0.2.1":
            raise failure("")
        return httpx.Response(200, stream=httpx.ByteStream(RECORDING))

    monkeypatch.setattr(media, "_client", lambda: httpx.AsyncClient(transport=httpx.MockTransport(site)))
    resolve = answers_of({"two.example": ["192.0.2.1", "192.0.2.2"]})

    async def fetched() -> bytes:
        reader = MediaReader(ServerSettings(media_timeout=40), resolve=resolve, is_allowed=lambda _: True)
        return await reader.inline_or_fetched("http://two.example/recording", "audio")

    assert asyncio.run(fetched()) == RECORDING
    timeout = {"connect": 20, "read": None, "write": None, "pool": None}
    assert asked == [("192.0.2.1", timeout), ("192.0.2.2", timeout)]


def test_the_checked_address_is_the_one_connected_to(site: Site) -> None:
    """A name that answers with a public address when it is checked and a private one afterwards gains nothing."""
    answers: list[list[Address]] = [[ipaddress.ip_address("127.0.0.1")], [ipaddress.ip_address("127.0.0.9")]]
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> asyncio.Future[list[Address]]:
        asked.append((host, port))
        future: asyncio.Future[list[Address]] = asyncio.get_running_loop().create_future()
        future.set_result(answers[len(asked) - 1])
        return future

    async def fetched() -> bytes:
        reader = MediaReader(ServerSettings(), resolve=resolve, is_allowed=lambda address: str(address) == "127.0.0.1")
        return await reader.inline_or_fetched(f"http://Voice.example:{site.server_port}/recording", "audio")

    assert asyncio.run(fetched()) == RECORDING
    assert asked == [("voice.example", site.server_port)]
    assert site.asked[-1] == (f"voice.example:{site.server_port}", "/recording")


def test_tls_is_checked_against_the_name_and_not_the_address(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    monkeypatch.setattr(media, "_client", lambda: httpx.AsyncClient(verify=trusted, trust_env=False))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(*certificate)

    def resolve(host: str, port: int) -> asyncio.Future[list[Address]]:
        future: asyncio.Future[list[Address]] = asyncio.get_running_loop().create_future()
        future.set_result([ipaddress.ip_address("127.0.0.1")])
        return future

    async def fetched(host: str, port: int) -> bytes:
        reader = MediaReader(ServerSettings(), resolve=resolve, is_allowed=lambda _: True)
        return await reader.inline_or_fetched(f"https://{host}:{port}/recording", "audio")

    with Site() as secure:
        secure.socket = own.wrap_socket(secure.socket, server_side=True)
        thread = threading.Thread(target=secure.serve_forever, kwargs={"poll_interval": 0.01}, name="site")
        thread.start()
        try:
            assert asyncio.run(fetched("localhost", secure.server_port)) == RECORDING
            with pytest.raises(RequestError, match="cannot be fetched"):
                asyncio.run(fetched("voice.example", secure.server_port))
        finally:
            secure.shutdown()
            thread.join()


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    def resolve(host: str, port: int) -> asyncio.Future[list[Address]]:
        future: asyncio.Future[list[Address]] = asyncio.get_running_loop().create_future()
        future.set_result([ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")])
        return future

    async def fetched() -> bytes:
        return await MediaReader(ServerSettings(), resolve=resolve).inline_or_fetched("http://two.example/", "audio")

    with pytest.raises(RequestError, match="not on the public internet"):
        asyncio.run(fetched())


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.0.1", "172.16.0.1", "192.168.0.1"),
        *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fc00::1", "ff02::1", "ff0e::1", "2001:db8::1", "::ffff:10.0.0.1", "::10.0.0.1"),
        *("64:ff9b::a00:1", "64:ff9b:1::808:808", "2002:a00:1::", "2001:0:a00:1::1"),
    ],
)
def test_addresses_of_no_public_host(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_addresses_of_public_hosts(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_cover_makes_an_inner_address_public(address: ipaddress.IPv4Address) -> None:
    for prefix in (0xFFFF << 32, 0x64FF9B << 96):
        assert is_public(ipaddress.IPv6Address(prefix | int(address))) == is_public(address)


@pytest.mark.parametrize("route", ["/clone_voice", "/v1/audio/speech"])
def test_the_server_clones_from_an_allowed_host(
    site: Site, start: Callable[..., LiveServer], client: httpx.Client, route: str
) -> None:
    server = start(server_settings=ServerSettings(allowed_media_hosts="127.0.0.1", media_timeout=5))
    text, url = "one two three four five", f"{site.url}/to-recording"

    def speak(url: str) -> httpx.Response:
        if route == "/clone_voice":
            form = {"text": text, "reference_audio": url, "response_format": "pcm"}
            return client.post(server.url + route, data=form)
        body = {"model": "tts-1", "input": text, "voice": url, "response_format": "pcm", "sample_rate": 16_000}
        return client.post(server.url + route, json=body)

    answer = speak(url)
    assert answer.status_code == 200, answer.text
    assert np.abs(np.fft.rfft(np.frombuffer(answer.content, "<i2"))).argmax() == pytest.approx(330, abs=3)
    refused = speak(f"http://localhost:{site.server_port}/recording")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_request")
