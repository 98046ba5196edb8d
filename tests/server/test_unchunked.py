"""HTTP/1.0: answers whose length is not known end with the connection."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from flashtts_server.testing import LiveServer

WORDS = "one two three"


def asked(server: LiveServer, path: str, body: dict[str, object] | None) -> tuple[bytes, bytes]:
    """Return head and body of an answer to HTTP/1.0."""
    content = b"" if body is None else json.dumps(body).encode()
    method = b"GET" if body is None else b"POST"
    with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=60) as connection:
        connection.sendall(
            b"%b %b HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (method, path.encode(), len(content), content)
        )
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, rest = received.partition(b"\r\n\r\n")
    return head.lower(), rest


@pytest.mark.parametrize("name", ["pcm", "wav", "mp3"])
def test_a_streamed_answer_comes_without_chunks(tones: LiveServer, client: httpx.Client, name: str) -> None:
    body: dict[str, object] = {"text": WORDS, "stream": True, "response_format": name}
    head, sound = asked(tones, "/speak", body)
    assert b"200 ok" in head
    assert b"connection: close" in head
    assert b"transfer-encoding" not in head
    assert sound == client.post(f"{tones.url}/speak", json=body).content


def test_events_and_answers_of_known_length_come_as_ever(tones: LiveServer) -> None:
    _, events = asked(tones, "/v1/audio/speech", {"model": "m", "voice": "v", "input": "x"})
    assert b"unknown_model" in events
    speech: dict[str, object] = {"model": "tts-1", "voice": "alloy", "input": WORDS, "stream_format": "sse"}
    head, events = asked(tones, "/v1/audio/speech", speech)
    assert all(event.startswith(b"data: {") for event in events.strip().split(b"\n\n"))
    head, whole = asked(tones, "/speak", {"text": WORDS, "response_format": "pcm"})
    assert b"content-length: %d" % len(whole) in head
    assert asked(tones, "/health", None)[1] == b'{"status":"ok"}'
