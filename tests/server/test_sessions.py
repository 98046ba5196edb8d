"""Speech over a WebSocket: sentences as they are written, events in order, flush and cancel, limits, refusals."""

from __future__ import annotations

import asyncio
import base64
import json
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from flashtts_core.audio.decode import decode
from flashtts_core.testing import ToneEngine, ToneSettings, tone_reference
from flashtts_server.messages import parse
from flashtts_server.sessions import MOST_HELD
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

PATH = "/v1/audio/speech/stream"
WORD = 2 * 4800  # bytes of a word of the tone engine: 0.2 s at 24 kHz
PACED = ToneSettings(real_time_factor=0.5)

ROW: dict[str, tuple[str, dict[str, str]]] = {
    "t": ("input.text", {"text": "One two. Three "}),
    "d": ("input.done", {}),
    "c": ("input.cancel", {}),
    "f": ("session.config", {"voice": "female"}),
    "n": ("session.config", {"voice": "nobody"}),
}
"""Messages, by a letter."""

Start = Callable[..., LiveServer]
Eventually = Callable[[LiveServer, Callable[[], bool]], None]
Message = dict[str, Any]


class Client:
    """A session with a server, as a client keeps it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, kind: str, **fields: object) -> None:
        self.connection.send(json.dumps({"type": kind, **fields}))

    def say(self, *pieces: str) -> None:
        for piece in pieces:
            self.send("input.text", text=piece)

    def next(self) -> Message | bytes:
        frame = self.connection.recv(timeout=60)
        return frame if isinstance(frame, bytes) else json.loads(frame)

    def event(self) -> Message:
        """Return the next event; what sounds before it is dropped."""
        while isinstance(frame := self.next(), bytes):
            pass
        return frame

    def until(self, kind: str) -> list[Message | bytes]:
        """Return all frames up to the first event of a kind."""
        frames: list[Message | bytes] = []
        while not (frames and isinstance(frames[-1], dict) and frames[-1]["type"] == kind):
            frames.append(self.next())
        return frames


@contextmanager
def session(server: LiveServer, **headers: str) -> Iterator[Client]:
    """Open a session and take its first event."""
    with connect(server.url.replace("http", "ws", 1) + PATH, additional_headers=headers) as connection:
        client = Client(cast("ClientConnection", connection))
        assert client.event()["type"] == "session.created"
        yield client


def kinds(frames: Sequence[Message | bytes]) -> list[str]:
    """Name the frames, several of audio in a row once."""
    names = ["audio" if isinstance(frame, bytes) else frame["type"] for frame in frames]
    return [name for at, name in enumerate(names) if name != "audio" or at == 0 or names[at - 1] != "audio"]


def sound(frames: Sequence[Message | bytes]) -> bytes:
    return b"".join(frame for frame in frames if isinstance(frame, bytes))


def events(frames: Sequence[Message | bytes], kind: str) -> list[Message]:
    return [frame for frame in frames if isinstance(frame, dict) and frame["type"] == kind]


def idle(server: LiveServer) -> bool:
    assert isinstance(server.engine, ToneEngine)
    return server.service.admission.running == 0 and server.engine.running == 0


def test_sentences_are_spoken_while_the_text_is_written(tones: LiveServer) -> None:
    with session(tones) as client:
        client.say("One two", " three. Fo", "ur five. ", "Six")
        first = client.until("audio.done")  # nobody has said yet that the text is complete
        client.send("input.done")
        frames = [*first, *client.until("session.done")]
    assert kinds(frames) == ["audio.start", "audio", "audio.done"] * 3 + ["session.done"]
    starts, ends, (done,) = (events(frames, kind) for kind in ("audio.start", "audio.done", "session.done"))
    assert [start["sentence_text"] for start in starts] == ["One two three.", "Four five.", "Six"]
    assert [start["sentence_index"] for start in starts] == [0, 1, 2]
    assert [start["start"] for start in starts] == pytest.approx([0.0, 0.6, 1.0])
    assert [end["end"] for end in ends] == pytest.approx([0.6, 1.0, 1.2])
    assert {(start["format"], start["sample_rate"]) for start in starts} == {("pcm", 24_000)}
    assert sum(end["total_bytes"] for end in ends) == len(sound(frames)) == pytest.approx(6 * WORD, rel=0.01)
    assert done["usage"] == {"input_tokens": 6, "output_tokens": 60, "total_tokens": 66}
    assert (done["reason"], done["total_sentences"], done["utterance_index"]) == ("completed", 3, 0)


def test_a_message_may_end_within_a_character(tones: LiveServer) -> None:
    """JavaScript cuts a text between the halves of a character, and its JSON says so."""
    with session(tones) as client:
        client.say("One \ud842", "\udfb7 two \ud83d", " three")
        client.send("input.done")
        frames = client.until("session.done")
    assert [start["sentence_text"] for start in events(frames, "audio.start")] == ["One 𠮷 two \ufffd three"]


def test_the_sound_is_that_of_a_request(tones: LiveServer, client: httpx.Client) -> None:
    fields = {"voice": "male", "pitch": "high", "seed": 5}
    body = {"model": "tts-1", "input": "One two three. Four five.", "response_format": "pcm", **fields}
    expected = client.post(f"{tones.url}/v1/audio/speech", json={**body, "sample_rate": 16_000}).content
    with session(tones) as speaker:
        speaker.send("session.config", **fields, sample_rate=16_000)
        speaker.say("One two three. Four five.")
        speaker.send("input.done")
        assert sound(speaker.until("session.done")) == expected


def test_clauses_and_flushes_cut_sooner(tones: LiveServer) -> None:
    with session(tones) as client:
        client.send("session.config", split_granularity="clause")
        client.say("This is the first of the clauses, and this")
        assert client.event()["sentence_text"] == "This is the first of the clauses,"
        client.send("input.flush")
        client.until("audio.done")
        assert client.event()["sentence_text"] == "and this"
        client.say(" goes on")
        client.send("input.done")
        frames = client.until("session.done")
    assert events(frames, "audio.start")[-1]["sentence_text"] == "goes on"


def test_utterances_follow_each_other_and_may_be_written_ahead(tones: LiveServer) -> None:
    with session(tones) as client:
        for text in ("One.", "Two two.", "", "🙂"):
            client.say(text)
            client.send("input.done")
        frames = [frame for _ in range(4) for frame in client.until("session.done")]
        done = events(frames, "session.done")
        assert [(each["utterance_index"], each["total_sentences"]) for each in done] == [(0, 1), (1, 1), (2, 0), (3, 0)]
        client.send("input.done")  # also without any text
        assert client.event()["utterance_index"] == 4


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "flac", "aac"])
def test_every_sentence_is_a_file_in_the_other_formats(tones: LiveServer, name: str) -> None:
    with session(tones) as client:
        client.send("session.config", response_format=name)
        client.say("One two three. Four five.")
        client.send("input.done")
        frames = client.until("session.done")
    starts = [at for at, frame in enumerate(frames) if isinstance(frame, dict) and frame["type"] == "audio.start"]
    for begin, end, seconds in zip(starts, [*starts[1:], len(frames)], (0.6, 0.4), strict=True):
        recording = decode(sound(frames[begin:end]), sample_rate=16_000)
        assert len(recording.samples) / 16_000 == pytest.approx(seconds, abs=0.12)
        assert np.abs(recording.samples).max() > 0.1


def test_a_recording_can_be_the_voice(tones: LiveServer, as_base64: Callable[[bytes], str]) -> None:
    with session(tones) as client:
        client.send("session.config", voice=as_base64(tone_reference(500).audio), sample_rate=16_000)
        client.say("One two three four five six.")
        client.send("input.done")
        samples = np.frombuffer(sound(client.until("session.done")), "<i2")[:16_000]
    assert abs(int(np.abs(np.fft.rfft(samples)).argmax()) - 500) <= 10


def test_cancel_stops_the_model_and_the_session_goes_on(start: Start, eventually: Eventually) -> None:
    server = start(PACED)
    with session(server) as client:
        client.say("word " * 500 + "end. Next", " one")
        client.until("audio.start")
        assert isinstance(client.next(), bytes)
        client.send("input.cancel")
        done = events(client.until("session.done"), "session.done")[0]
        assert done["reason"] == "cancelled"
        assert idle(server)  # when the client hears of it, the model has stopped
        client.say("Again.")
        client.send("input.done")
        frames = client.until("session.done")
        assert events(frames, "session.done")[0]["reason"] == "completed"
        assert len(sound(frames)) == pytest.approx(WORD, rel=0.02)
    assert 'flashtts_cancelled_total{backend="none",engine="tone"} 1.0' in httpx.get(f"{server.url}/metrics").text


def test_a_cancel_lets_every_utterance_tell_its_end_in_order(start: Start) -> None:
    server = start(PACED)
    with session(server) as client:
        for text in ("word " * 500 + "end.", "Two.", "Three."):
            client.say(text)
            client.send("input.done")
        client.until("audio.start")
        client.send("input.cancel")
        done = [events(client.until("session.done"), "session.done")[0] for _ in range(3)]
        assert [(each["utterance_index"], each["reason"]) for each in done] == [(n, "cancelled") for n in range(3)]
        client.say("Four.")
        client.send("input.done")
        assert events(client.until("session.done"), "session.done")[0]["utterance_index"] == 3


def test_a_cancel_that_comes_along_with_the_text_is_answered(tones: LiveServer) -> None:
    with session(tones) as client:
        protocol = client.connection.protocol
        for message in ({"type": "input.text", "text": "One. Two. "}, {"type": "input.cancel"}):
            protocol.send_text(json.dumps(message).encode())
        client.connection.socket.sendall(b"".join(protocol.data_to_send()))  # both before its task can begin
        done = client.event()
    assert (done["type"], done["utterance_index"], done["reason"]) == ("session.done", 0, "cancelled")
    assert (done["total_sentences"], done["usage"]["total_tokens"]) == (0, 0)


def test_a_cancel_is_heard_while_a_voice_is_fetched(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(PACED)
    waiting: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def fetch(given: str, *, transcript: str | None) -> str:
        fetched = asyncio.Event()
        waiting.put((asyncio.get_running_loop(), fetched))
        await fetched.wait()
        return "male"

    monkeypatch.setattr(server.service, "voice", fetch)
    with session(server) as client:
        client.say("word " * 500 + "end.")
        client.send("input.done")
        client.until("audio.start")
        client.send("session.config", voice="http://slow.example/a.wav", sample_rate=16_000)
        loop, fetched = waiting.get(timeout=60)
        client.say("Two.")
        client.send("input.done")
        client.send("input.cancel")
        done = events(client.until("session.done"), "session.done")[0]  # though nothing has been fetched yet
        assert (done["utterance_index"], done["reason"]) == (0, "cancelled")
        loop.call_soon_threadsafe(fetched.set)
        done = events(client.until("session.done"), "session.done")[0]
        assert (done["utterance_index"], done["reason"], done["total_sentences"]) == (1, "cancelled", 0)
        client.say("Three.")
        client.send("input.done")
        frames = client.until("session.done")
    assert events(frames, "session.done")[0]["reason"] == "completed"
    assert events(frames, "audio.start")[0]["sample_rate"] == 16_000


def test_messages_wait_in_order_for_a_voice_that_is_fetched(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()

    async def fetch(given: str, *, transcript: str | None) -> str:
        for _ in range(1000):  # turns of the event loop, in which messages come in
            await asyncio.sleep(0)
        return given

    monkeypatch.setattr(server.service, "voice", fetch)
    with session(server) as client:
        client.send("session.config", voice="female", sample_rate=8000)
        for number in range(2 * MOST_HELD):
            client.say(f"{number}. ")
        client.send("input.done")
        client.send("session.config", voice="male", sample_rate=16_000)
        client.say("Last.")
        client.send("input.done")
        first, last = (client.until("session.done") for _ in range(2))
    assert {start["sample_rate"] for start in events(first, "audio.start")} == {8000}
    assert "".join(start["sentence_text"] for start in events(first, "audio.start")).count(".") == 2 * MOST_HELD
    assert [start["sample_rate"] for start in events(last, "audio.start")] == [16_000]


def test_a_config_that_is_refused_leaves_the_utterance_one(start: Start) -> None:
    with session(start(PACED)) as client:
        client.say("One ")
        client.send("session.config", voice="male")
        client.say("two. ")
        client.send("input.cancel")
        client.say("Three.")
        client.send("input.done")
        frames = client.until("session.done") + client.until("session.done")
    ends = events(frames, "session.done")
    assert [(end["utterance_index"], end["reason"]) for end in ends] == [(0, "cancelled"), (1, "completed")]


def test_cancels_and_configs_in_a_row_take_what_came_before_them_and_nothing_after(start: Start) -> None:
    """What is held while a voice is looked up, and what is handled at once, meet in any order: hence so many rounds."""
    server = start(ToneSettings(real_time_factor=0.05))
    for _ in range(20):
        with session(server) as client:
            for script in ("t d d t d", "f t n c", "t t d c c", "t t d c", "t t c", "t t d"):
                for letter in script.split():
                    kind, fields = ROW[letter]
                    client.send(kind, **fields)
            frames: list[Message | bytes] = []
            while not any(end["utterance_index"] >= 7 for end in events(frames, "session.done")):
                frames += client.until("session.done")
            client.send("input.done")  # what it ends is the next
            frames += client.until("session.done")
        assert [end["utterance_index"] for end in events(frames, "session.done")] == list(range(9))


def test_a_place_is_not_held_for_words_that_do_not_come(start: Start) -> None:
    server = start(server_settings=ServerSettings(request_timeout=0.5, session_idle_timeout=3))
    with session(server) as client:
        client.say("One. And more")
        client.until("audio.done")
        error, done = client.event(), client.event()
        assert (error["utterance_index"], error["error"]["code"]) == (0, "request_timeout")
        assert (done["type"], done["reason"], done["total_sentences"]) == ("session.done", "failed", 1)
        assert idle(server)
        client.send("input.done")
        client.say("Two.")
        client.send("input.done")
        assert events(client.until("session.done"), "session.done")[0]["reason"] == "completed"


def test_a_text_that_is_refused_begins_nothing(tones: LiveServer) -> None:
    with session(tones) as client:
        client.say("x" * 21_000)
        assert client.event()["error"]["code"] == "too_large"
        client.send("session.config", voice="male")  # refused within an utterance
        client.say("One.")
        client.send("input.done")
        frames = client.until("session.done")
    assert kinds(frames) == ["audio.start", "audio", "audio.done", "session.done"]
    assert events(frames, "session.done")[0]["utterance_index"] == 0


def test_leaving_stops_the_model(start: Start, eventually: Eventually) -> None:
    server = start(PACED)
    with session(server) as client:
        client.say("word " * 500 + "end. Next", " one. And", " more")
        client.until("audio.start")
    eventually(server, lambda: idle(server) and server.service.sessions == 0)
    with session(server) as client:
        client.say("word " * 500 + "end. Next", " one. And", " more")
        client.until("audio.start")
        client.connection.socket.close()  # as a cable that is pulled out
    eventually(server, lambda: idle(server) and server.service.sessions == 0)


def test_a_text_frame_that_is_no_text_closes_the_session_and_is_a_line_in_the_log(
    tones: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    with session(tones) as client:
        client.connection.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            client.event()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    (record,) = [record for record in caplog.records if "UTF-8" in record.getMessage()]
    assert (record.levelname, record.exc_info) == ("WARNING", None)


def test_closing_is_answered(tones: LiveServer) -> None:
    with session(tones) as client:
        client.send("session.close")
        with pytest.raises(ConnectionClosed) as closed:
            client.event()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


@pytest.mark.parametrize(
    ("message", "param", "says"),
    [
        ("no json", None, "not valid JSON"),
        ("[" * 100_000, None, "not valid JSON"),
        ("5", "type", "input.text"),
        ('{"type": 5}', "type", "input.text"),
        ('{"type": "response.create"}', "type", "input.text"),
        ('{"type": "input.text"}', "text", "missing"),
        ('{"type": "input.text", "text": 5}', "text", "must be text"),
        ('{"type": "input.text", "text": "a", "more": 1}', "more", "no field more"),
        ('{"type": "input.flush", "text": "a"}', "text", "no field text here; it takes none."),
        (json.dumps({"type": "input.text", "text": "x" * 65_537}), "text", "65536"),
        (json.dumps({"type": "input.text", "text": "x" * 21_000}), "text", "20000"),
        ('{"type": "session.config", "speed": 9}', "speed", "from 0.25 to 4"),
        ('{"type": "session.config", "voice": "nobody"}', "voice", "female, male"),
        ('{"type": "session.config", "model": "gpt-2"}', "model", "tone"),
        ('{"type": "session.config", "voice": "http://127.0.0.1/x"}', "voice", "not on the public internet"),
        ('{"type": "session.config", "response_format": "ogg"}', "response_format", "opus"),
        (b"\x00", None, "binary"),
    ],
)
def test_a_bad_message_is_refused_in_the_shape_of_all_errors_and_the_session_goes_on(
    tones: LiveServer, message: str | bytes, param: str | None, says: str
) -> None:
    with session(tones) as client:
        client.connection.send(message)
        refusal = client.event()
        assert (refusal["type"], refusal.get("utterance_index")) == ("error", None)
        error = refusal["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["param"] == param
        assert says in error["message"]
        client.send("input.done")
        client.say("One.")
        client.send("input.done")
        assert sound(client.until("session.done") + client.until("session.done"))


def test_the_manner_of_an_utterance_is_settled_when_it_begins(tones: LiveServer) -> None:
    with session(tones) as client:
        client.say("One")
        client.send("session.config", voice="male")
        assert "within an utterance" in client.event()["error"]["message"]


def test_an_error_of_the_engine_ends_the_utterance_after_what_was_good(start: Start) -> None:
    server = start(ToneSettings(fail_on="bad"))
    with session(server) as client:
        client.say("One two. This is bad. Three. ")
        frames = client.until("session.done")
        assert kinds(frames) == ["audio.start", "audio", "audio.done", "audio.start", "audio", "error", "session.done"]
        (error,) = events(frames, "error")
        assert (error["utterance_index"], error["error"]["code"]) == (0, "engine_error")
        assert events(frames, "session.done")[0]["reason"] == "failed"
        client.say("This is lost. ")
        client.send("input.done")
        client.say("Good.")
        client.send("input.done")
        done = events(client.until("session.done"), "session.done")[0]
        assert (done["utterance_index"], done["reason"]) == (1, "completed")
    assert idle(server)


def test_a_full_server_says_so_and_when_to_come_back(start: Start) -> None:
    server = start(PACED, ServerSettings(max_concurrency=1))
    with session(server) as first, session(server) as second:
        first.say("word " * 500 + "end. Next", " one")
        first.until("audio.start")
        second.say("One. ", "Two three")
        refusal = second.event()
        assert (refusal["error"]["code"], refusal["utterance_index"]) == ("overloaded", 0)
        assert refusal["retry_after"] >= 1
        assert second.event()["reason"] == "failed"


def test_a_session_that_is_silent_is_closed_but_not_while_it_listens(start: Start) -> None:
    server = start(PACED, ServerSettings(session_idle_timeout=0.3))
    with session(server) as client:
        client.say("word " * 10 + "end. ")  # sounds for 2.2 s, made in 1.1 s
        client.send("input.done")
        frames = client.until("session.done")
        assert len(sound(frames)) == pytest.approx(11 * WORD, rel=0.01)
        assert "0.3 s" in client.event()["error"]["message"]
        with pytest.raises(ConnectionClosed) as closed:
            client.event()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "idle")


def refused(server: LiveServer, **headers: str) -> tuple[int, Message, Any]:
    with pytest.raises(InvalidStatus) as refusal, session(server, **headers):
        pass
    response = refusal.value.response
    return response.status_code, json.loads(response.body or b"{}"), response.headers


def test_the_key_is_asked_for(start: Start) -> None:
    server = start(server_settings=ServerSettings(api_key="geheim"))
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        status, body, answered = refused(server, **headers)
        assert (status, body["error"]["code"]) == (401, "invalid_api_key")
        assert answered["www-authenticate"] == "Bearer"
        assert answered["x-request-id"]
    with session(server, Authorization="Bearer geheim") as client:
        client.say("One.")
        client.send("input.done")
        assert sound(client.until("session.done"))
    assert httpx.get(server.url + PATH).status_code == 401


def test_a_page_brings_the_key_as_a_subprotocol(start: Start) -> None:
    key = "ge/h+eim\N{SNOWMAN}"
    server = start(server_settings=ServerSettings(api_key=key))
    encoded = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    address = server.url.replace("http", "ws", 1) + PATH
    with connect(address, subprotocols=[Subprotocol("flashtts"), Subprotocol(f"flashtts-key.{encoded}")]) as connection:
        assert connection.subprotocol == "flashtts"
    for offered in ("flashtts", "flashtts-key.", "flashtts-key.a", f"flashtts-key.{encoded[1:]}", f"key.{encoded}"):
        with pytest.raises(InvalidStatus, match="401"), connect(address, subprotocols=[Subprotocol(offered)]):
            pass


@pytest.mark.parametrize("path", ["/nowhere", "/v1/models", "/speak"])
def test_an_address_without_a_websocket_is_answered_as_any_that_does_not_exist(tones: LiveServer, path: str) -> None:
    with pytest.raises(InvalidStatus) as refusal, connect(tones.url.replace("http", "ws", 1) + path):
        pass
    response = refusal.value.response
    assert response.status_code == 404
    error = json.loads(response.body or b"{}")["error"]
    assert (error["code"], error["type"], path in error["message"]) == ("not_found", "invalid_request_error", True)
    assert response.headers["x-request-id"]


def test_pages_of_other_sites_are_kept_out(start: Start) -> None:
    server = start()
    status, body, _ = refused(server, Origin="https://evil.example")
    assert (status, body["error"]["code"]) == (403, "forbidden")
    with session(server, Origin=server.url):
        pass


def test_sessions_are_counted_and_bounded(start: Start, eventually: Eventually) -> None:
    server = start(server_settings=ServerSettings(max_sessions=1))
    with session(server):
        status, body, answered = refused(server)
        assert (status, body["error"]["code"], answered["retry-after"]) == (429, "overloaded", "1")
        assert "flashtts_sessions 1.0" in httpx.get(f"{server.url}/metrics").text
    eventually(server, lambda: server.service.sessions == 0)
    with session(server):
        pass


def test_a_server_that_stops_or_is_dead_takes_no_sessions(start: Start) -> None:
    server = start()
    server.service.drain()
    assert refused(server)[0] == 503
    dead = start()
    assert isinstance(dead.engine, ToneEngine)
    dead.engine._stop.set()
    status, body, _ = refused(dead)
    assert (status, body["error"]["code"]) == (503, "backend_died")


def test_an_utterance_that_has_begun_is_finished_while_the_server_stops(start: Start) -> None:
    server = start(PACED)
    with session(server) as client:
        client.send("session.config", response_format="pcm")
        client.say("One two. And ")
        while isinstance(client.next(), dict):
            pass
        server.service.drain()
        client.say("three four. ", "Five")
        client.send("input.done")
        frames = client.until("session.done")
        assert kinds(frames).count("audio.done") == 3
        assert [frame for frame in frames if isinstance(frame, dict) and frame["type"] == "error"] == []
        client.say("Six. ")
        assert client.event()["error"]["code"] == "not_ready"


def test_a_plain_request_is_told_what_speaks_here(tones: LiveServer, client: httpx.Client) -> None:
    answer = client.get(tones.url + PATH)
    assert (answer.status_code, answer.json()["error"]["code"]) == (426, "upgrade_required")
    assert answer.headers["upgrade"] == "websocket"


def test_the_messages_are_described(tones: LiveServer, client: httpx.Client) -> None:
    description = client.get(f"{tones.url}/openapi.json").json()
    operation = description["paths"][PATH]["get"]
    sides = operation["x-websocket"]
    named = {ref["$ref"].rsplit("/", 1)[1] for side in ("client", "server") for ref in sides[side]["oneOf"]}
    assert named >= {"SessionConfig", "InputText", "AudioStart", "SessionDone", "ErrorMessage"}
    assert named <= set(description["components"]["schemas"])
    assert [parse(json.dumps(message)) for message in sides["client"]["example"]]
    assert set(operation["responses"]) >= {"101", "401", "426", "429", "503"}
