"""The documentation of the API: every endpoint and field is there, and every example runs, as form and as code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from flashtts_core.testing import tone_reference
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]
KEY = "geheim"
EXAMPLES = [
    "post-speak", "post-multi-speak", "post-clone-voice", "post-add-speaker", "get-audio-roles", "post-rename-speaker",
    "post-v1-audio-voices", "post-delete-speaker", "get-v1-models", "get-v1-audio-models", "post-v1-audio-speech",
    "get-v1-audio-voices", "get-health", "get-ready", "get-metrics", "get-server-info",
]  # fmt: skip
"""Every operation in an order in which each finds what it needs, but for the two that need a name and the WebSocket."""


@pytest.fixture
def server(start: Serve) -> LiveServer:
    return start(None, ServerSettings(api_key=KEY))


@pytest.fixture
def page(server: LiveServer, open_page: Open) -> Page:
    page = open_page(server.url, "/docs")
    page.get_by_role("button", name="Enter API key").click()
    page.get_by_role("textbox", name="API key").fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#post-multi-speak pre").first).to_contain_text("role:female")
    return page


def answered(article: Locator, words: str = "200 OK") -> None:
    expect(article.locator(".output strong")).to_have_text(words)


def test_every_endpoint_and_field_is_shown_and_described(page: Page, server: LiveServer) -> None:
    description = httpx.get(f"{server.url}/openapi.json").json()
    shown = page.locator("article .path > code").all_inner_texts()
    assert len(shown) == page.locator("article").count()
    short = {path for path in description["paths"] if path.removeprefix("/v1") not in description["paths"]}
    assert set(shown) == short | {path for path in description["paths"] if not path.startswith("/v1/")}
    assert len(EXAMPLES) + 3 == page.locator("article").count()
    session = page.locator("#get-v1-audio-speech-stream")
    for schema in ("SessionConfig", "InputText", "AudioStart", "SessionDone"):
        for name in description["components"]["schemas"][schema]["properties"]:
            row = session.locator("tbody tr", has=page.locator(f"th code:text-is('{name}')")).first
            expect(row.locator("td").last).not_to_be_empty()
    for name in description["components"]["schemas"]["SpeakBody"]["properties"]:
        row = page.locator("#post-speak tbody tr", has=page.locator(f"th code:text-is('{name}')"))
        expect(row.locator("td").last).not_to_be_empty()


def test_every_example_runs_as_a_form(page: Page) -> None:
    for anchor in EXAMPLES:
        article = page.locator(f"#{anchor}")
        article.get_by_role("button", name="Send").click()
        answered(article)
    article = page.locator("#post-v1-audio-voices")
    article.get_by_role("button", name="Send").click()
    answered(article)
    article = page.locator("#get-v1-models-name-")
    article.locator("[id$=-name]").fill("tts-1")
    article.get_by_role("button", name="Send").click()
    answered(article)
    article = page.locator("#delete-v1-audio-voices-voice-id-")
    article.get_by_label("voice_id").fill("anna")
    article.get_by_role("button", name="Send").click()
    answered(article)


@pytest.mark.parametrize("language", ["curl", "Python"])
def test_every_example_runs_as_code(page: Page, tmp_path: Path, language: str) -> None:
    (tmp_path / "recording.wav").write_bytes(tone_reference().audio)
    for anchor in EXAMPLES:
        article = page.locator(f"#{anchor}")
        article.get_by_role("button", name=language, exact=True).click()
        code = article.locator("pre").first.inner_text()
        command = ["bash", "-c", code.replace("curl ", "curl -sS --fail ", 1)]
        if language == "Python":
            command = [sys.executable, "-c", code]
        environment = {"FLASHTTS_API_KEY": KEY, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (anchor, code, done.stderr)
        audio = tmp_path / "speech.mp3"
        assert audio.exists() == ("speech.mp3" in code), anchor
        assert len(audio.read_bytes()) > 1000 if audio.exists() else done.stdout
        audio.unlink(missing_ok=True)


def test_a_session_is_held(page: Page) -> None:
    article = page.locator("#get-v1-audio-speech-stream")
    article.get_by_role("button", name="Send").click()
    log = article.get_by_role("log")
    expect(log).to_contain_text('"reason":"completed"')
    assert '"type":"session.done"' in log.locator("p").all_inner_texts()[-1]
    expect(log).to_contain_text("bytes of audio")
    expect(article.locator("audio")).to_have_count(2)
    expect(article.locator("audio").first).to_have_js_property("readyState", 4)
    assert article.locator("audio").first.evaluate("audio => audio.duration") == pytest.approx(0.2, abs=0.01)  # a word
    article.locator("textarea").fill('{"type": "input.text"}')
    article.get_by_role("button", name="Send").click()
    expect(log).to_contain_text('"param":"text"')
    article.get_by_role("button", name="Close the session").click()
    expect(log).to_contain_text("The session is closed")
    expect(article.get_by_role("button", name="Close the session")).to_be_hidden()
    article.locator("textarea").fill("{")
    article.get_by_role("button", name="Send").click()
    expect(log).to_contain_text("JSON")


def test_the_example_of_a_session_runs_as_code(page: Page, tmp_path: Path) -> None:
    article = page.locator("#get-v1-audio-speech-stream")
    code = article.locator("pre").first
    environment = {"FLASHTTS_API_KEY": KEY, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code.inner_text()]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "session.done" in done.stdout
    assert len((tmp_path / "speech.pcm").read_bytes()) > 1000
    article.get_by_role("button", name="JavaScript", exact=True).click()
    with page.expect_console_message(lambda message: "session.done" in message.text):
        page.evaluate(f"API_KEY => {{ {code.inner_text()} }}", KEY)


def test_fields_are_found(page: Page) -> None:
    page.fill("#search", "new_name")
    expect(page.locator("article:visible")).to_have_count(1)
    page.fill("#search", "no such thing")
    expect(page.locator("#nothing")).to_have_text("Nothing here matches “no such thing”.")


def test_a_form_follows_what_is_filled_in_and_shows_errors(page: Page) -> None:
    article = page.locator("#post-rename-speaker")
    article.get_by_label("new_name").fill("it's new")
    expect(article.locator("pre").first).to_contain_text("-F 'new_name=it'\\''s new'")
    article.locator("[id$=-name]").fill("nobody")
    article.get_by_role("button", name="Send").click()
    answered(article, "404 Not Found")
    expect(article.locator(".output pre")).to_contain_text("There is no voice 'nobody'")
