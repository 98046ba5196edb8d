"""The voice store: what is saved comes back, whatever its name, whoever else writes, whatever became of its files."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flashtts_core.errors import RequestError, UnknownVoice, VoiceExists, VoiceStoreError
from flashtts_core.types import Reference, Voice
from flashtts_core.voices import FolderStore
from flashtts_core.voices import folder as folder_module
from flashtts_core.voices.names import checked_name, folder_name
from flashtts_core.voices.stored import Content
from voices.disks import QuickDisk

REFERENCE = Reference(b"RIFF...", "what is said", b"latent")


def voice(name: str = "anna", audio: bytes = REFERENCE.audio, value: float = 1.0) -> Voice:
    codes: dict[str, NDArray[Any]] = {"pitch": np.array([value], np.float32), "ids": np.arange(5, dtype=np.int64)}
    return Voice(name, "tone", codes=codes, reference=Reference(audio, REFERENCE.transcript, REFERENCE.latent))


def pitch(store: FolderStore, encoding: str = "tone", name: str = "anna") -> float | None:
    codes = store.load(name, encoding).codes
    return None if codes is None else float(codes["pitch"][0])


def content(store: FolderStore, name: str = "anna") -> Content:
    return store.load(name, "tone").content


def test_a_voice_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    FolderStore(tmp_path).save(voice(), "tone", overwrite=False)
    found = FolderStore(tmp_path).load("anna", "tone")
    assert found.codes is not None
    assert found.codes.keys() == {"pitch", "ids"}
    np.testing.assert_array_equal(found.codes["ids"], np.arange(5))
    assert found.codes["ids"].dtype == np.int64
    assert found.reference is None, "a recording is read only when it is needed"
    assert FolderStore(tmp_path).names() == ["anna"]


def test_another_encoder_finds_the_recording_and_adds_its_own_codes(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    found = store.load("anna", "other")
    assert found.codes is None
    assert found.reference == REFERENCE
    store.save_codes(voice(value=2.0), "other", found.content)
    assert (pitch(store, "other"), pitch(store, "tone")) == (2.0, 1.0)


def test_codes_of_a_recording_that_was_replaced_meanwhile_are_not_kept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    before = content(store)
    store.save(voice(audio=b"new"), "tone", overwrite=True)
    store.save_codes(voice(value=2.0), "other", before)
    assert pitch(store, "other") is None
    store.remove("anna")
    store.save_codes(voice(value=2.0), "other", before)
    assert store.names() == []


def test_saving_over_a_voice_needs_to_be_asked_for(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    with pytest.raises(VoiceExists, match="overwrite"):
        store.save(voice(audio=b"new"), "tone", overwrite=False)
    store.save(voice(audio=b"new"), "tone", overwrite=True)
    reference = store.load("anna", "none").reference
    assert reference is not None
    assert reference.audio == b"new"


def test_replacing_a_voice_leaves_no_old_files(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    store.save(voice(audio=b"new", value=3.0), "tone", overwrite=True)
    assert len(list((tmp_path / folder_name("anna")).iterdir())) == 4  # voice.json, recording, latent, codes


def test_removing_forgets_a_voice(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    store.remove("anna")
    assert store.names() == []
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    with pytest.raises(UnknownVoice):
        store.remove("anna")
    with pytest.raises(UnknownVoice):
        store.load("anna", "tone")


def test_a_store_that_is_only_asked_makes_no_folder(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "voices")
    assert store.names() == []
    assert store.find("anna") is None
    with pytest.raises(UnknownVoice):
        store.remove("anna")
    assert list(tmp_path.iterdir()) == []


def test_a_renamed_voice_keeps_all_it_has(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    store.rename("anna", "béa")
    assert FolderStore(tmp_path).names() == ["béa"]
    found = FolderStore(tmp_path).load("béa", "tone")
    assert found.codes is not None
    assert FolderStore(tmp_path).load("béa", "other").reference == REFERENCE
    store.save(voice(value=2.0), "tone", overwrite=False)
    assert store.names() == ["anna", "béa"]
    with pytest.raises(VoiceExists):
        store.rename("anna", "béa")
    with pytest.raises(UnknownVoice):
        store.rename("nobody", "new")


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_damaged_codes_are_as_good_as_none(tmp_path: Path, damage: str) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    hurt(next(tmp_path.rglob("codes-*")), damage)
    found = store.load("anna", "tone")
    assert found.codes is None
    assert found.reference == REFERENCE
    store.save_codes(voice(), "tone", found.content)
    assert pitch(store) == 1.0


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
@pytest.mark.parametrize("kind", ["reference", "latent"])
def test_a_damaged_recording_is_said_and_hinders_only_who_needs_it(tmp_path: Path, kind: str, damage: str) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    hurt(next(tmp_path.rglob(f"{kind}-*")), damage)
    assert pitch(store) == 1.0
    with pytest.raises(VoiceStoreError, match="damaged"):
        store.load("anna", "other")
    store.save(voice(), "tone", overwrite=True)
    assert store.load("anna", "other").reference == REFERENCE


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b'{"name": 5}', b'{"name":"anna","format":2}'])
def test_a_damaged_description_hides_no_other_voice_and_can_be_mended(tmp_path: Path, damage: bytes) -> None:
    store = FolderStore(tmp_path)
    for name in ("anna", "berta"):
        store.save(voice(name), "tone", overwrite=False)
    (tmp_path / folder_name("anna") / "voice.json").write_bytes(damage)
    store = FolderStore(tmp_path)
    assert store.names() == ["berta"]
    with pytest.raises(VoiceStoreError, match="damaged"):
        store.load("anna", "tone")
    with pytest.raises(VoiceExists):
        store.save(voice(), "tone", overwrite=False)
    assert next((tmp_path / folder_name("anna")).glob("reference-*")).read_bytes() == REFERENCE.audio
    store.save(voice(value=2.0), "tone", overwrite=True)
    assert pitch(store) == 2.0


def test_a_damaged_voice_can_be_removed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    (tmp_path / folder_name("anna") / "voice.json").write_bytes(b"{")
    store.remove("anna")
    assert not (tmp_path / folder_name("anna")).exists()


def hurt(path: Path, damage: str) -> None:
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if damage == "cut" else b"something else")


def test_leftovers_of_a_crash_are_cleared_away_and_nothing_else_is(tmp_path: Path) -> None:
    FolderStore(tmp_path).save(voice(), "tone", overwrite=False)
    anna, half = tmp_path / folder_name("anna"), tmp_path / folder_name("half")
    trash = tmp_path / ".removed-0"
    for folder in (half, trash):
        folder.mkdir()
        (folder / f"reference-{'0' * 32}").write_bytes(b"half")
    for leftover in (".0.partial", f"codes-{'0' * 32}.safetensors"):
        (anna / leftover).write_bytes(b"half")
    mine = [tmp_path / "notes.txt", tmp_path / "holiday" / "sea.jpg", anna / "notes.txt", tmp_path / ".kept.json"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"mine")
    store = FolderStore(tmp_path)
    assert store.names() == ["anna"]
    store.save(voice("berta"), "tone", overwrite=False)
    assert not half.exists()
    assert not trash.exists()
    assert len(list(anna.iterdir())) == 5
    assert all(path.read_bytes() == b"mine" for path in mine)


def test_a_copy_made_by_hand_is_no_voice_and_stays(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    copy = tmp_path / ("0" * 32)
    copy.mkdir()
    for path in (tmp_path / folder_name("anna")).iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert store.names() == ["anna"]
    assert len(list(copy.iterdir())) == 4


@pytest.mark.parametrize("root", ["file", "file/voices"])
def test_a_voice_folder_that_is_none_is_said(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / root)
    with pytest.raises(VoiceStoreError, match="--voice_dir"):
        store.save(voice(), "tone", overwrite=False)


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "LOCK_SECONDS", 0.05)
    with (
        FileLock(tmp_path / ".lock", thread_local=False),
        pytest.raises(VoiceStoreError, match="another process"),
    ):
        FolderStore(tmp_path).save(voice(), "tone", overwrite=False)


def test_threads_may_replace_and_read_a_voice_at_the_same_time(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), "tone", overwrite=False)
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            try:
                recording = store.load("anna", "none").reference
                assert recording is not None
                assert recording.audio in {REFERENCE.audio, b"odd", b"even"}
            except BaseException as error:  # noqa: BLE001  # told to the test's own thread
                wrong.append(error)
                return

    readers = [threading.Thread(target=read, name=f"reader-{number}") for number in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(40):
        store.save(voice(audio=b"odd" if turn % 2 else b"even"), "tone", overwrite=True)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "  ",
            "a" * 129,
            "a\x00b",
            "line\nbreak",
            "line\u2028break",
            "a<b",
            "a,b",
            "role:x",
            "a\u202eb",
            "\ud800",
        ),
        *(".", "..", "/", "../.."),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(RequestError):
        checked_name(name)


@settings(deadline=None)
@given(name=st.text(min_size=1, max_size=60))
def test_any_other_name_is_kept_and_never_leaves_the_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    try:
        checked = checked_name(name)
    except RequestError:
        return
    root = tmp_path_factory.mktemp("voices")
    store = FolderStore(root / "inside", QuickDisk())
    store.save(voice(checked), "tone", overwrite=False)
    assert store.names() == [checked]
    assert pitch(store, name=name) == 1.0
    assert [path.name for path in root.iterdir()] == ["inside"]


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/passwd", "/etc/passwd", "..", ".", "C\\x", "名字", "a/b", "~", "$HOME", "CON", "nul.wav", ".lock"),
        *("voice.json", "x" * 128, "名" * 128, "-rf", "%2e%2e%2f", "*", "?", "a" * 32, "0" * 32),
    ],
)
def test_path_like_and_reserved_names_are_only_names(tmp_path: Path, name: str) -> None:
    store = FolderStore(tmp_path / "inside")
    store.save(voice(name), "tone", overwrite=False)
    assert store.names() == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert all(len(path.name) < 100 and path.name.isascii() for path in (tmp_path / "inside").rglob("*"))
    store.remove(name)
    assert store.names() == []


def test_names_that_differ_by_case_are_two_voices_on_any_file_system(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for value, name in enumerate(("anna", "Anna", "ANNA")):
        store.save(voice(name, value=value), "tone", overwrite=False)
    assert [pitch(store, name=name) for name in ("anna", "Anna", "ANNA")] == [0.0, 1.0, 2.0]
    folders = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    assert len({name.casefold() for name in folders}) == 3


def test_two_spellings_of_one_name_are_one_voice(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(checked_name("Zo\u00eb")), "tone", overwrite=False)
    found = store.find(" Zoe\u0308 ")
    assert found is not None
    assert found.name == "Zo\u00eb"
