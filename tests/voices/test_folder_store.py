"""The voice store: what is saved comes back, a crash leaves the old or the new, and a name is never a path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flashtts_core.errors import RequestError, UnknownVoice, VoiceExists
from flashtts_core.types import Reference, Voice
from flashtts_core.voices import FolderStore
from flashtts_core.voices import folder as folder_module


def voice(name: str = "anna", engine: str = "tone", audio: bytes = b"RIFF...", value: float = 1.0) -> Voice:
    codes: dict[str, NDArray[Any]] = {"pitch": np.array([value], np.float32), "ids": np.arange(5, dtype=np.int64)}
    return Voice(name, engine, codes=codes, reference=Reference(audio, "what is said", b"latent"))


def test_a_voice_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    FolderStore(tmp_path).save(voice(), overwrite=False)
    found = FolderStore(tmp_path).load("anna", "tone")
    assert found.reference == voice().reference
    assert found.codes.keys() == {"pitch", "ids"}
    np.testing.assert_array_equal(found.codes["ids"], np.arange(5))
    assert FolderStore(tmp_path).names() == ["anna"]


def test_another_engine_finds_the_recording_and_adds_its_own_codes(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), overwrite=False)
    found = store.load("anna", "other")
    assert not found.codes
    assert found.reference == voice().reference
    store.save_codes(voice(engine="other", value=2.0))
    assert store.load("anna", "other").codes["pitch"][0] == 2.0
    assert store.load("anna", "tone").codes["pitch"][0] == 1.0


def test_saving_over_a_voice_needs_to_be_asked_for(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), overwrite=False)
    with pytest.raises(VoiceExists, match="overwrite"):
        store.save(voice(audio=b"new"), overwrite=False)
    store.save(voice(audio=b"new"), overwrite=True)
    reference = store.load("anna", "tone").reference
    assert reference is not None
    assert reference.audio == b"new"


def test_replacing_a_voice_leaves_no_old_files(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), overwrite=False)
    store.save(voice(audio=b"new", value=3.0), overwrite=True)
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 4  # voice.json, recording, latent, codes


def test_removing_forgets_a_voice(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), overwrite=False)
    store.remove("anna")
    assert store.names() == []
    assert list(tmp_path.iterdir()) == []
    for action in (store.remove, lambda name: store.load(name, "tone")):
        with pytest.raises(UnknownVoice):
            action("anna")


def test_a_renamed_voice_keeps_all_it_has(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), overwrite=False)
    store.rename("anna", "béa")
    assert FolderStore(tmp_path).names() == ["béa"]
    found = FolderStore(tmp_path).load("béa", "tone")
    assert found.reference == voice().reference
    np.testing.assert_array_equal(found.codes["ids"], np.arange(5))
    store.save(voice(value=2.0), overwrite=False)
    assert store.names() == ["anna", "béa"]
    with pytest.raises(VoiceExists):
        store.rename("anna", "béa")
    with pytest.raises(UnknownVoice):
        store.rename("nobody", "new")


@pytest.mark.parametrize("crash_at", range(1, 12))
def test_a_crash_while_renaming_leaves_the_old_or_the_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(), overwrite=False)
    steps = 0

    def crashing(action: str) -> None:
        original = getattr(Path, action)

        def act(*given: Any, **named: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == crash_at:
                raise OSError("the power is gone")
            return original(*given, **named)

        monkeypatch.setattr(Path, action, act)

    for action in ("open", "replace", "rename", "unlink"):
        crashing(action)
    try:
        store.rename("anna", "béa")
    except OSError:
        assert steps == crash_at
    monkeypatch.undo()
    again = FolderStore(tmp_path)
    (name,) = again.names()
    assert name in {"anna", "béa"}
    assert again.load(name, "tone").reference == voice().reference
    if name == "anna":
        again.rename("anna", "carla")
        assert again.names() == ["carla"]


@pytest.mark.parametrize("crash_at", range(1, 8))
def test_a_crash_while_saving_leaves_the_old_or_the_new_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    store = FolderStore(tmp_path)
    store.save(voice(audio=b"old"), overwrite=False)
    steps = 0

    class Crash(BaseException):
        pass

    real = folder_module._flush

    def dying(path: Path, content: bytes) -> None:
        nonlocal steps
        steps += 1
        if steps == crash_at:
            path.write_bytes(content[: len(content) // 2])
            raise Crash
        real(path, content)

    monkeypatch.setattr(folder_module, "_flush", dying)
    crashed = False
    try:
        store.save(voice(audio=b"new", value=9.0), overwrite=True)
    except Crash:
        crashed = True
    found = FolderStore(tmp_path).load("anna", "tone")
    assert found.reference is not None
    assert (found.reference.audio, found.codes["pitch"][0]) == ((b"old", 1.0) if crashed else (b"new", 9.0))


@pytest.mark.parametrize("name", ["", "  ", "a" * 129, "a\x00b", "line\nbreak", "a<b", "a,b", "role:x"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError):
        FolderStore(tmp_path).save(voice(name), overwrite=False)


@given(name=st.text(st.characters(exclude_categories=["C"], exclude_characters="<>,:"), min_size=1, max_size=40))
def test_any_other_name_is_kept_and_never_leaves_the_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.mktemp("voices")
    store = FolderStore(root / "inside")
    try:
        checked = folder_module.checked_name(name)
    except RequestError:
        assert not name.strip()
        return
    store.save(voice(checked), overwrite=False)
    assert store.names() == [checked]
    assert [path.name for path in root.iterdir()] == ["inside"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "C:\\x".replace(":", ""), "名字", "a/b"])
def test_path_like_names_are_only_names(tmp_path: Path, name: str) -> None:
    store = FolderStore(tmp_path / "inside")
    store.save(voice(name), overwrite=False)
    assert store.names() == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_two_spellings_of_one_name_are_one_voice(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.save(voice("Zo\u00eb"), overwrite=False)
    assert store.load(" Zoe\u0308 ", "tone").name == "Zo\u00eb"
