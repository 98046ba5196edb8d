"""What is logged and counted: a line a request with its id, never the words; gaps that a listener would hear."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.client import connect

from flashtts_core.testing import ToneSettings
from flashtts_server.player import GAP, Player
from flashtts_server.records import logging_to
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

Start = Callable[..., LiveServer]
SPEAK = {"text": "my secret words", "response_format": "pcm", "stream": True}


def logged(start: Start, settings: ServerSettings, tone: ToneSettings | None = None) -> list[str]:
    """Return the lines that a few requests leave in the log."""
    server = start(tone, settings)
    stream = io.StringIO()
    with logging_to(stream, settings):
        mine = {"x-request-id": "mine-1"}
        httpx.post(f"{server.url}/speak", json=SPEAK, headers=mine)
        httpx.post(f"{server.url}/speak", json={**SPEAK, "name": "my secret friend"})
        httpx.get(f"{server.url}/health")
        server.close()
    return [line for line in stream.getvalue().splitlines() if "httpx" not in line]  # the client's own log


def test_a_line_of_json_tells_about_each_request(start: Start) -> None:
    records = [json.loads(line) for line in logged(start, ServerSettings(log_format="json"))]
    spoken, unknown = [record for record in records if record.get("event") == "request"]
    assert (spoken["request_id"], spoken["route"], spoken["method"], spoken["status"]) == (
        "mine-1",
        "/speak",
        "POST",
        200,
    )
    assert (spoken["level"], spoken["audio_seconds"], spoken["gaps"]) == ("info", 0.6, 0)
    assert 0 <= spoken["queue_ms"] <= spoken["first_audio_ms"] <= spoken["ms"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", spoken["time"])
    assert unknown["status"] == 404
    assert "secret" not in str(records)


def test_the_line_of_a_session_adds_up_what_it_spoke(start: Start) -> None:
    settings = ServerSettings(log_format="json")
    server = start(server_settings=settings)
    stream = io.StringIO()
    with logging_to(stream, settings):
        with connect(f"{server.url.replace('http', 'ws', 1)}/v1/audio/speech/stream") as session:
            for text in ("One two. Three.", "Four five six."):
                session.send(json.dumps({"type": "input.text", "text": text}))
                session.send(json.dumps({"type": "input.done"}))
            done = 0
            while done < 2:
                done += "session.done" in str(session.recv(timeout=30))
        server.close()
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    (spoken,) = [record for record in records if record.get("event") == "request"]
    assert (spoken["method"], spoken["audio_seconds"], spoken["gaps"]) == ("WEBSOCKET", pytest.approx(1.2), 0)


def test_a_line_of_text_tells_the_same(start: Start) -> None:
    lines = logged(start, ServerSettings())
    (spoken,) = [line for line in lines if "request=mine-1" in line]
    assert spoken.startswith("INFO flashtts_server.records: POST /speak answered 200 after ")
    assert "audio_seconds=0.6" in spoken
    assert "secret" not in "".join(lines)
    assert "/health" not in "".join(lines)


def test_probes_are_logged_where_everything_is(start: Start) -> None:
    assert any("/health" in line for line in logged(start, ServerSettings(log_level="debug")))
    assert logged(start, ServerSettings(log_level="error")) == []


def test_an_error_is_logged_once_with_traceback_and_id(start: Start) -> None:
    settings = ServerSettings(log_format="json")
    records = [json.loads(line) for line in logged(start, settings, ToneSettings(fail_on="my"))]
    (error,) = [record for record in records if record["level"] == "error"]
    assert error["request_id"] == "mine-1"
    assert "EngineError" in error["traceback"]


def test_the_log_is_as_before_when_the_server_has_ended() -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    with logging_to(io.StringIO(), ServerSettings(log_level="error")):
        assert root.level == logging.ERROR
    assert (list(root.handlers), root.level) == before


def test_a_player_that_is_fed_in_time_hears_no_gap() -> None:
    player = Player()
    for waited in (5.0, 0.9, 1.0, 1.0, 1.1):  # the wait for the first sound is no gap; 0.1 s were saved up
        player.hear(waited, 1.0)
    assert (player.gaps, player.silent_seconds, player.played_seconds) == (0, 0.0, 5.0)


def test_a_player_that_runs_dry_hears_gaps() -> None:
    player = Player()
    for waited in (0.1, 1.5, 1.0, 1.25):
        player.hear(waited, 1.0)
    assert player.gaps == 2
    assert player.silent_seconds == pytest.approx(0.75)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 3)), max_size=30))
def test_a_player_hears_a_gap_if_the_sound_so_far_ends_before_the_next_comes(pieces: list[tuple[float, float]]) -> None:
    player = Player()
    clock = ends = 0.0
    silence = 0.0
    for number, (waited, sound) in enumerate(pieces):
        clock += waited
        if number and clock - ends > GAP:
            silence += clock - ends
        ends = max(clock, ends) + sound
        player.hear(waited, sound)
    assert player.silent_seconds == pytest.approx(silence, abs=0.021 * len(pieces) + 1e-6)


def test_gaps_of_a_slow_model_are_counted(start: Start) -> None:
    server = start(ToneSettings(real_time_factor=2.0))
    text = "one two three"
    assert httpx.post(f"{server.url}/speak", json={**SPEAK, "text": text}, timeout=30).status_code == 200
    metrics = httpx.get(f"{server.url}/metrics").text
    values = dict(re.findall(r'^(flashtts_\w+)\{backend="none",engine="tone"\} (\S+)', metrics, re.MULTILINE))
    assert float(values["flashtts_underruns_total"]) == 2
    assert float(values["flashtts_uneven_streams_total"]) == 1
    assert float(values["flashtts_underrun_seconds_total"]) >= 0.35
    assert float(values["flashtts_real_time_factor_sum"]) >= 1.9
