"""Cloning: a recording is uploaded or spoken, trimmed, listened to, tried and kept; roles are renamed and deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from browser.conftest import write_recording
from browser.hearing import heard, wait_until_it_sounds
from browser.servers import LatentEngine
from engines.spark.serving import spark_server
from flashtts_core.audio.decode import decode
from flashtts_core.testing import tone_reference
from flashtts_server.testing import LiveServer

Serve = Callable[..., LiveServer]
Open = Callable[..., Page]
SHORT = "60"
"""Most tokens for a try with the small checkpoint: about a second of speech."""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The small Spark-TTS checkpoint on torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with spark_server(tmp_path_factory.mktemp("voices")) as server:
        yield server
    torch.set_num_threads(before)


def status(page: Page, words: str) -> None:
    expect(page.locator("#status")).to_have_text(words)


def shorten(page: Page) -> None:
    page.locator("summary").click()
    page.get_by_label("Most tokens").fill(SHORT)


def roles(server: LiveServer) -> list[str]:
    return list(httpx.get(f"{server.url}/audio_roles").json()["roles"])


def name_it(page: Page, name: str) -> None:
    page.get_by_label("Name of the voice").fill(name)
    page.get_by_role("button", name="Save voice").click()


def test_a_voice_is_cloned_tried_kept_used_renamed_and_deleted(
    spark: LiveServer, open_page: Open, tmp_path: Path
) -> None:
    write_recording(tmp_path / "anna.wav", seconds=4)
    page = open_page(spark.url, "/#voices")
    shorten(page)
    page.set_input_files("#recording-file", tmp_path / "anna.wav")
    expect(page.locator("#trimmer [role=status]")).to_have_text("0.0 s to 4.0 s: 4.0 s are used.")
    page.get_by_label("What is said in it").fill("Ah.")

    page.get_by_role("button", name="Listen to it").click()
    wait_until_it_sounds(page)
    page.get_by_role("button", name="Stop listening").click()

    page.get_by_label("A text to try the voice with").fill("Hello there.")
    page.get_by_role("button", name="Try it").click()
    status(page, "Done.")
    wait_until_it_sounds(page)
    assert roles(spark) == ["female", "male"], "trying a voice does not keep it"

    name_it(page, "anna")
    status(page, "anna was saved and can be chosen everywhere.")
    assert roles(spark) == ["female", "male", "anna"]

    page.get_by_role("link", name="Speak", exact=True).click()
    page.check("input[value=anna]")
    page.fill("#text", "Hello.")
    with page.expect_request("**/speak") as asked:
        page.click("#speak")
    assert (asked.value.post_data_json or {})["name"] == "anna"
    status(page, "Done.")

    page.get_by_role("link", name="Voices").click()
    page.get_by_role("button", name="Rename anna").click()
    page.get_by_label("New name of anna").fill("béa")
    page.keyboard.press("Enter")
    status(page, "anna is now called béa.")
    assert roles(spark) == ["female", "male", "béa"]

    page.get_by_role("button", name="Delete béa").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("This cannot be undone.")
    page.get_by_role("button", name="Cancel").click()
    assert roles(spark) == ["female", "male", "béa"], "nothing is deleted without a yes"
    page.get_by_role("button", name="Delete béa").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    status(page, "béa was deleted.")
    assert roles(spark) == ["female", "male"]


def test_a_voice_is_recorded_with_the_microphone(spark: LiveServer, open_page: Open) -> None:
    page = open_page(spark.url, "/#voices")
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#recorded")).to_have_text("Recording: 0:02")
    expect(page.locator("#meter")).to_have_attribute("aria-valuenow", re.compile(r"^([6-9]|\d{2,})$"))  # it follows
    expect(page.locator("#quiet")).to_be_empty()
    page.get_by_role("button", name="Finish recording").click()
    page.get_by_role("button", name="Listen to it").click()
    wait_until_it_sounds(page)
    page.get_by_role("button", name="Stop listening").click()
    frequency = np.abs(np.fft.rfft(heard(page).samples[48_000:96_000])).argmax()
    assert frequency == pytest.approx(330, abs=5), "what is heard is what the microphone heard"
    name_it(page, "spoken")
    status(page, "spoken was saved and can be chosen everywhere.")
    assert "spoken" in roles(spark)
    httpx.post(f"{spark.url}/delete_speaker", json={"name": "spoken"})


@pytest.mark.parametrize("how", ["Escape", "Dialogue"])
def test_a_recording_ends_and_is_kept_when_one_leaves(start: Serve, open_page: Open, how: str) -> None:
    page = open_page(start().url, "/#voices")
    page.evaluate(
        """() => {
          const { getUserMedia } = MediaDevices.prototype;
          MediaDevices.prototype.getUserMedia = async function (...given) {
            window.stream = await getUserMedia.apply(this, given);
            return window.stream;
          };
        }"""
    )
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#recorded")).to_have_text("Recording: 0:01")
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("link", name=how).click()
    page.wait_for_function("() => stream.getTracks().every((track) => track.readyState === 'ended')")
    page.get_by_role("link", name="Voices").click()
    expect(page.locator("#trimmer [role=status]")).to_contain_text("are used.")


def test_the_part_that_was_chosen_outlives_other_colours_and_words(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, "/#voices")
    audio = tone_reference(seconds=3).audio
    page.set_input_files("#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": audio})
    page.get_by_label("Start of the part").fill("1")
    page.click("#theme")
    page.click("#language")
    expect(page.locator("#trimmer [role=status]")).to_have_text("1.0 秒至 3.0 秒：使用 2.0 秒。")


def test_long_recordings_are_trimmed_to_what_the_server_takes(start: Serve, open_page: Open, speech_file: Path) -> None:
    engine = LatentEngine()
    page = open_page(start(engine).url, "/#voices")
    page.set_input_files("#recording-file", speech_file)
    words = page.locator("#trimmer [role=status]")
    expect(words).to_have_text("0.0 s to 30.0 s: 30.0 s are used.")
    page.get_by_label("End of the part").fill("40")
    expect(words).to_have_text("10.0 s to 40.0 s: 30.0 s are used.")
    page.get_by_label("Start of the part").fill("36")
    expect(words).to_have_text("36.0 s to 40.0 s: 4.0 s are used.")
    page.get_by_label("Start of the part").press("ArrowRight")
    expect(words).to_have_text("36.1 s to 40.0 s: 3.9 s are used.")

    name_it(page, "trimmed")
    expect(page.get_by_role("alert")).to_contain_text("This model needs the latent")
    page.get_by_label("Latent of the recording").set_input_files(
        {"name": "a.npy", "mimeType": "application/octet-stream", "buffer": b"latent"}
    )
    page.get_by_role("button", name="Save voice").click()
    status(page, "trimmed was saved and can be chosen everywhere.")
    (reference,) = engine.references
    assert reference.latent == b"latent"
    assert decode(reference.audio).seconds == pytest.approx(3.9, abs=0.01)


def test_a_whole_file_is_sent_as_it_is(start: Serve, open_page: Open) -> None:
    engine = LatentEngine()
    page = open_page(start(engine).url, "/#voices")
    recording = tone_reference(pitch=300).audio
    page.set_input_files("#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": recording})
    page.get_by_label("Latent of the recording").set_input_files(
        {"name": "a.npy", "mimeType": "application/octet-stream", "buffer": b"latent"}
    )
    page.get_by_label("What is said in it").fill("a tone")
    name_it(page, "whole")
    status(page, "whole was saved and can be chosen everywhere.")
    (reference,) = engine.references
    assert (reference.audio, reference.transcript) == (recording, "a tone")


def test_a_name_in_use_is_replaced_only_on_purpose(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, "/#voices")
    for pitch in (300, 400):
        page.set_input_files(
            "#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": tone_reference(pitch=pitch).audio}
        )
        name_it(page, "anna")
        if pitch == 300:
            status(page, "anna was saved and can be chosen everywhere.")
    expect(page.get_by_role("alertdialog")).to_contain_text("Replace it with the new one?")
    page.get_by_role("button", name="Replace").click()
    status(page, "anna was saved and can be chosen everywhere.")
    page.locator("#roles").get_by_role("button", name="Hear anna").click()
    wait_until_it_sounds(page)
    assert np.abs(np.fft.rfft(heard(page).samples[:16_000])).argmax() == pytest.approx(400, abs=4)
    name_it(page, "female")
    expect(page.get_by_role("alert")).to_contain_text("'female' is a built-in voice")


def test_what_is_no_recording_is_refused_in_words(start: Serve, open_page: Open) -> None:
    page = open_page(start().url, "/#voices")
    page.set_input_files("#recording-file", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    expect(page.get_by_role("alert")).to_contain_text("a.txt is not a recording")
    page.set_input_files("#recording-file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"no wav"})
    expect(page.locator("#trimmer")).to_contain_text("the server decodes it")
    name_it(page, "broken")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Take another").click()
    expect(page.locator("#take")).to_be_visible()


def test_a_model_that_cannot_clone_says_so(english: LiveServer, open_page: Open) -> None:
    page = open_page(english.url, "/#voices")
    expect(page.locator("#unable")).to_contain_text("cannot learn others")
    expect(page.locator("#clone")).to_be_hidden()
    expect(page.locator("#roles li")).to_have_count(1)
