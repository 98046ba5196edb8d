"""Type and hear: playing while it arrives, stopping, the file, the history, and what may be set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browser.hearing import heard, wait_until_it_sounds
from browser.servers import GatedEngine
from e2e.conftest import hear  # noqa: F401  # the ear is a fixture
from e2e.ear import Hear, word_error_rate
from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS
from flashtts_core.testing import ToneEngine, ToneSettings, tone_reference
from flashtts_server.testing import LiveServer

TEXT = "The weather is lovely today. Shall we go for a walk in the park?"
TEN = "one two three four five six seven eight nine ten"

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]
Eventually = Callable[[Page, Callable[[], bool]], None]


def status(page: Page, words: str) -> None:
    expect(page.locator("#status")).to_have_text(words)


def speak(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.click("#speak")
    status(page, "Done.")


def saved(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_typed_text_is_heard_word_for_word(
    english: LiveServer,
    open_page: Open,
    hear: Hear,  # noqa: F811
    tmp_path: Path,
) -> None:
    page = open_page(english.url)
    page.check("input[value=wav]", force=True)
    page.fill("#text", TEXT)
    page.press("#text", "Control+Enter")
    wait_until_it_sounds(page)
    status(page, "Done.")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()  # it has played to its end
    sound = heard(page)
    assert set(sound.gaps) <= {0}, "pieces follow each other without a gap"
    assert word_error_rate(TEXT, hear((sound.samples / 32768).astype(np.float32), sound.rate)) < 0.2
    file = decode(saved(page, "#download", tmp_path).read_bytes())
    np.testing.assert_array_equal(sound.samples, np.round(file.samples * 32768).astype(np.int32))


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_is_heard_and_saved_in_full(start: Serve, open_page: Open, tmp_path: Path, name: str) -> None:
    page = open_page(start(ToneEngine(ToneSettings(real_time_factor=0.1))).url)
    page.check(f"input[value={name}]", force=True)
    speak(page, "one two three four five")
    wait_until_it_sounds(page)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    sound = heard(page)
    assert set(sound.gaps) <= {0}
    assert len(sound.samples) / sound.rate == pytest.approx(1.0, abs=0.1)
    path = saved(page, "#download", tmp_path)
    assert path.suffix == f".{name}"
    content = path.read_bytes()
    if name == "pcm":
        assert len(content) == 2 * 16_000
    else:
        assert decode(content).seconds == pytest.approx(1.0, abs=0.1)
    if name == "wav":
        assert int.from_bytes(content[40:44], "little") == len(content) - 44, "the sizes of a saved wav are true"


def test_it_plays_while_the_rest_is_being_made_and_stopping_reaches_the_server(
    start: Serve, open_page: Open, eventually: Eventually
) -> None:
    engine = GatedEngine(free=3)
    server = start(engine)
    page = open_page(server.url)
    page.fill("#text", TEN)
    page.click("#speak")
    wait_until_it_sounds(page)
    assert server.service.admission.running == 1, "the server is still at it"
    status(page, "Speaking, while the rest is being made …")
    expect(page.locator("#figures")).to_contain_text("First sound after")
    page.click("#view-speak .stop")
    status(page, "Stopped.")
    eventually(page, lambda: server.service.admission.running == 0 and engine.running == 0)
    expect(page.locator("#history li")).to_contain_text("stopped early")


def test_speaking_again_takes_the_place_of_what_was_being_spoken(
    start: Serve, open_page: Open, eventually: Eventually
) -> None:
    engine = GatedEngine(free=2)
    server = start(engine)
    page = open_page(server.url)
    page.fill("#text", TEN)
    page.click("#speak")
    wait_until_it_sounds(page)
    page.fill("#text", "one two")
    page.click("#speak")
    status(page, "Done.")
    eventually(page, lambda: server.service.admission.running == 0)


def test_escape_stops(start: Serve, open_page: Open, eventually: Eventually) -> None:
    server = start(GatedEngine(free=2))
    page = open_page(server.url)
    page.fill("#text", TEN)
    page.press("#text", "Control+Enter")
    wait_until_it_sounds(page)
    page.keyboard.press("Escape")
    status(page, "Stopped.")
    eventually(page, lambda: server.service.admission.running == 0)


def test_the_figures_of_the_run_are_shown(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.check("input[value=wav]", force=True)
    speak(page, TEN)
    figures = page.locator("#figures")
    expect(figures).to_contain_text("First sound after")
    expect(figures).to_contain_text("2.0 s of speech made in")
    expect(figures).to_contain_text("real-time factor")


def test_the_player_pauses_seeks_and_plays_on(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.check("input[value=wav]", force=True)
    speak(page, " ".join([TEN] * 5))
    wait_until_it_sounds(page)
    page.click("#toggle")
    expect(page.locator("#toggle")).to_have_accessible_name("Play")
    page.locator("#position").focus()
    page.locator("#position").fill("4")
    expect(page.locator("#time")).to_have_text("0:04 of 0:10")
    heard(page)
    page.click("#toggle")
    wait_until_it_sounds(page)
    assert len(heard(page).samples) == 6 * 16_000
    page.keyboard.press("Escape")


def test_the_text_is_counted_and_estimated(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.fill("#text", "x" * 1400)
    expect(page.locator("#count")).to_have_text("1,400 of 20,000 characters")
    expect(page.locator("#estimate")).to_have_text("about 1 min 40 s of speech")
    page.fill("#text", "字" * 45)
    expect(page.locator("#estimate")).to_have_text("about 10 s of speech")
    page.fill("#text", "x" * 20_001)
    expect(page.locator("#count")).to_contain_text("Too long by 1: the server takes 20,000 characters.")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text("Too long by 1: the server takes 20,000 characters.")
    assert not sent, "it is not sent"
    page.fill("#text", "  ")
    page.click("#speak")
    expect(page.get_by_role("alert")).to_contain_text("There is nothing to say yet")


def test_the_history_plays_saves_reuses_and_forgets(start: Serve, open_page: Open, tmp_path: Path) -> None:
    page = open_page(start().url)
    for text in ("first words", "second words"):
        speak(page, text)
    rows = page.locator("#history li")
    expect(rows.locator(".title")).to_have_text(["second words", "first words"])
    assert decode(
        saved(page, "text=first words >> xpath=../.. >> [aria-label^=Download]", tmp_path).read_bytes()
    ).seconds
    page.get_by_role("button", name="Play “first words”").click()
    expect(page.locator("#dock-title")).to_have_text("first words")
    wait_until_it_sounds(page)
    page.get_by_role("button", name="Use the text “first words” again").click()
    expect(page.locator("#text")).to_have_value("first words")
    page.get_by_role("button", name="Remove “second words” from the list").click()
    expect(rows.locator(".title")).to_have_text(["first words"])


def test_only_what_the_engine_honours_is_offered(english: LiveServer, start: Serve, open_page: Open) -> None:
    plain = open_page(english.url)
    plain.locator("summary").click()
    expect(plain.locator("#pitch")).to_have_count(0)
    expect(plain.locator("#controls input[type=number]")).to_have_count(1)
    expect(plain.get_by_role("spinbutton", name="Seed")).to_be_visible()
    rich = open_page(start().url)
    rich.locator("summary").click()
    expect(rich.locator("#pitch")).to_be_visible()
    expect(rich.locator("#controls input[type=number]")).to_have_count(2)
    expect(rich.get_by_label("Temperature")).to_be_visible()


def test_what_is_set_is_what_is_sent(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.locator("summary").click()
    page.check("input[value=male]")
    page.locator("#pitch").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#speed").focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Steady").click()
    expect(page.get_by_role("button", name="Steady")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Temperature")).to_have_value("0.54")
    page.get_by_role("spinbutton", name="Seed").fill("7")
    page.check("input[value=flac]", force=True)
    page.fill("#text", "one")
    with page.expect_request("**/speak") as asked:
        page.click("#speak")
    assert asked.value.post_data_json == {
        "text": "one", "name": "male", "stream": True, "pitch": "high", "speed": "very_low",
        "temperature": 0.54, "seed": 7, "response_format": "flac",
    }  # fmt: skip
    status(page, "Done.")


def test_a_number_out_of_its_range_is_not_sent(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.locator("summary").click()
    page.get_by_label("Temperature").fill("3")
    page.click("#speak")
    expect(page.get_by_label("Temperature")).to_be_focused()
    status(page, "Ready.")


def test_a_voice_is_found_and_previewed(start: Serve, open_page: Open) -> None:
    server = start()
    page = open_page(server.url)
    expect(page.locator("#voice-search")).to_be_hidden()
    for name in ("anna", "béa", "carl", "dora"):
        files = {"audio_file": ("a.wav", tone_reference(pitch=330).audio)}
        assert httpx.post(f"{server.url}/add_speaker", data={"name": name}, files=files).status_code == 200
    page.reload()
    expect(page.locator(".voice")).to_have_count(6)
    page.fill("#voice-search", "BÉ")
    expect(page.locator(".voice:visible")).to_have_text(["béaadded"])
    page.get_by_role("button", name="Hear béa").click()
    wait_until_it_sounds(page)
    frequency = np.abs(np.fft.rfft(heard(page).samples[:16_000])).argmax()
    assert frequency == pytest.approx(330, abs=4), "the preview speaks with the voice"
    page.fill("#voice-search", "nobody")
    expect(page.locator("#picker [role=status]")).to_contain_text("No voice has")


def test_files_are_dropped_anywhere(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    drop(page, "note.txt", "text/plain", "dropped words")
    expect(page.locator("#text")).to_have_value("dropped words")
    drop(page, "talk.txt", "text/plain", "<role:female>Hi.<role:male,speed:low>Ho.")
    expect(page.locator("#turns .turn")).to_have_count(2)
    drop(page, "sheet.xls", "application/vnd.ms-excel", "x")
    expect(page.get_by_role("alert")).to_contain_text("sheet.xls is neither a text nor a recording")


def drop(page: Page, name: str, kind: str, content: str) -> None:
    transfer = page.evaluate_handle(
        """([name, type, content]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([content], name, { type }));
          return transfer;
        }""",
        [name, kind, content],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def test_a_text_survives_a_reload(start: Serve, open_page: Open) -> None:
    page = open_page(start().url)
    page.fill("#text", "still here")
    page.reload()
    expect(page.locator("#text")).to_have_value("still here")
