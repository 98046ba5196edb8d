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
SESSION = "get-v1-audio-speech-stream"


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


def examples(page: Page) -> list[str]:
    """Every operation in the order of the page, but for the WebSocket."""
    anchors = page.locator("article").evaluate_all("(articles) => articles.map((article) => article.id)")
    assert len(anchors) > 15
    return [anchor for anchor in anchors if anchor != SESSION]


def answered(article: Locator, words: str = "200 OK") -> None:
    expect(article.locator(".output strong")).to_have_text(words)


def test_every_endpoint_and_field_is_shown_and_described(page: Page, server: LiveServer) -> None:
    description = httpx.get(f"{server.url}/openapi.json").json()
    shown = page.locator("article .path > code").all_inner_texts()
    assert len(shown) == page.locator("article").count()
    short = {path for path in description["paths"] if path.removeprefix("/v1") not in description["paths"]}
    assert set(shown) == short | {path for path in description["paths"] if not path.startswith("/v1/")}
    session = page.locator(f"#{SESSION}")
    for schema in ("SessionConfig", "InputText", "AudioStart", "SessionDone"):
        for name in description["components"]["schemas"][schema]["properties"]:
            row = session.locator("tbody tr", has=page.locator(f"th code:text-is('{name}')")).first
            expect(row.locator("td").last).not_to_be_empty()
    for name in description["components"]["schemas"]["SpeakBody"]["properties"]:
        row = page.locator("#post-speak tbody tr", has=page.locator(f"th code:text-is('{name}')"))
        expect(row.locator("td").last).not_to_be_empty()


def test_every_example_runs_as_a_form(page: Page) -> None:
    for _ in range(2):
        for anchor in examples(page):
            article = page.locator(f"#{anchor}")
            article.get_by_role("button", name="Send").click()
            answered(article)


@pytest.mark.parametrize("language", ["curl", "Python"])
def test_every_example_runs_as_code(page: Page, tmp_path: Path, language: str) -> None:
    (tmp_path / "recording.wav").write_bytes(tone_reference().audio)
    for anchor in examples(page):
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
    article = page.locator(f"#{SESSION}")
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
    article = page.locator(f"#{SESSION}")
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


def test_a_field_that_has_to_be_filled_in_is_asked_for(page: Page) -> None:
    article = page.locator("#get-v1-models-name-")
    expect(article.locator("pre").first).to_contain_text("/v1/models/tts-1'")
    article.locator("[id$=-name]").fill("")
    expect(article.locator("pre").first).to_have_text("Fill in name first.")
    deletion = page.locator("#post-delete-speaker")
    deletion.locator("[id$=-name]").fill("")
    for each in (article, deletion):
        each.get_by_role("button", name="Send").click()
        expect(each.locator(".output")).to_have_text("Fill in name first.")
        expect(each.locator("[id$=-name]")).to_be_focused()


def test_a_model_that_cannot_clone_says_so_where_it_would(
    english: LiveServer, server: LiveServer, page: Page, open_page: Open
) -> None:
    anchors = {"post-clone-voice", "post-add-speaker", "post-v1-audio-voices"}
    unable = open_page(english.url, "/docs")
    shown = unable.locator("article", has=unable.get_by_text("cannot clone voices").locator("visible=true"))
    assert set(shown.evaluate_all("(articles) => articles.map((article) => article.id)")) == anchors
    expect(page.get_by_text("cannot clone voices").locator("visible=true")).to_have_count(0)


def test_other_colours_words_and_keys_leave_what_was_typed_and_answered(page: Page, server: LiveServer) -> None:
    speak, session = page.locator("#post-speak"), page.locator(f"#{SESSION}")
    typed = '{"text": "my own", "response_format": "wav"}'
    speak.locator("textarea").fill(typed)
    speak.get_by_role("button", name="Send").click()
    expect(speak.locator("audio")).to_be_visible()
    session.get_by_role("button", name="Send").click()
    expect(session.get_by_role("log")).to_contain_text('"reason":"completed"')
    page.click("#theme")
    page.get_by_role("button", name="Enter API key").click()
    page.get_by_role("textbox", name="API key").fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    page.get_by_role("button", name="Switch to Chinese").click()
    expect(speak.locator("textarea")).to_have_value(typed)
    expect(speak.locator("audio")).to_be_visible()
    expect(speak.get_by_role("button", name="发送")).to_be_visible()
    expect(session.get_by_role("log")).to_contain_text("字节音频")
    session.get_by_role("button", name="关闭会话").click()
    expect(session.get_by_role("log")).to_contain_text("会话已关闭")


def test_the_form_of_a_session_comes_before_the_tables(page: Page) -> None:
    session = page.locator(f"#{SESSION}")
    form, table = session.locator("form"), session.locator("table").first
    assert form.evaluate("(form, table) => form.compareDocumentPosition(table)", table.element_handle()) == 4
    expect(table).to_be_hidden()
    session.get_by_text("Messages to the server").click()
    expect(session.locator("table").first).to_be_visible()
