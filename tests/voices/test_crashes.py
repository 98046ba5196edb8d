"""Crashes of the voice store: killed, out of room or without power at any moment, it has the old or the new state."""

from __future__ import annotations

import errno
import json
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flashtts_core.errors import UnknownVoice, VoiceStoreError
from flashtts_core.types import Reference, Voice
from flashtts_core.voices import FolderStore
from flashtts_core.voices.names import folder_name
from voices.disks import CachedDisk, Death, DyingDisk, FullDisk, QuickDisk

HERE = Path(__file__).parent

Action = Callable[[FolderStore], None]
State = tuple[bytes, float] | None
"""The recording and the codes of a voice, or that there is none."""


def voice(mark: int, name: str = "anna") -> Voice:
    codes: dict[str, Any] = {"mark": np.full(50, mark, np.float32)}
    return Voice(
        name, "tone", codes=codes, reference=Reference(b"%d " % mark * 50, f"said {mark}", b"latent %d" % mark)
    )


def state(root: Path, name: str = "anna") -> State:
    """Return what a process that starts now finds; what it finds belongs together."""
    store = FolderStore(root, QuickDisk())
    try:
        codes, reference = store.load(name, "tone").codes, store.load(name, "none").reference
    except UnknownVoice:
        assert name not in store.names()
        return None
    assert name in store.names()
    assert codes is not None
    assert reference is not None
    mark = float(codes["mark"][0])
    assert reference.transcript == f"said {reference.audio.split()[0].decode()}"
    assert reference.latent == b"latent " + reference.audio.split()[0]
    return reference.audio, mark


def leftovers(root: Path) -> list[str]:
    """Return what no voice needs, after the next writer has been there."""
    FolderStore(root, QuickDisk()).save(voice(0, "next"), "tone", overwrite=True)
    needed = {root / ".lock"}
    for name in ("anna", "next", "renamed"):
        folder = root / folder_name(name)
        if (folder / "voice.json").exists():
            meta = json.loads((folder / "voice.json").read_text())
            files = ("voice.json", meta["reference"], meta["latent"], *meta["codes"].values())
            needed |= {folder, *(folder / file for file in files)}
    return [str(path) for path in root.rglob("*") if path not in needed]


def add(store: FolderStore) -> None:
    store.save(voice(2), "tone", overwrite=False)


def replace(store: FolderStore) -> None:
    store.save(voice(2), "tone", overwrite=True)


def encode(store: FolderStore) -> None:
    store.save_codes(voice(2), "tone", store.load("anna", "none").content)


def remove(store: FolderStore) -> None:
    store.remove("anna")


def rename(store: FolderStore) -> None:
    store.rename("anna", "renamed")


OLD = (b"1 " * 50, 1.0)
NEW = (b"2 " * 50, 2.0)
OTHER = (b"5 " * 50, 5.0)
CASES: dict[str, tuple[Action, State, State]] = {
    "add": (add, None, NEW),
    "replace": (replace, OLD, NEW),
    "encode": (encode, OLD, (OLD[0], 2.0)),
    "remove": (remove, OLD, None),
    "rename": (rename, OLD, None),
}
every_case = pytest.mark.parametrize("case", CASES)


def prepared(root: Path, old: State) -> Path:
    store = FolderStore(root, QuickDisk())
    store.save(voice(5, "other"), "tone", overwrite=False)
    if old is not None:
        store.save(voice(1), "tone", overwrite=False)
    return root


def effects(tmp_path: Path, action: Action, old: State) -> int:
    """Return how many effects on the disk an action has."""
    disk = DyingDisk(10_000, half=False)
    action(FolderStore(prepared(tmp_path / "counted", old), disk))
    return disk.effects


@every_case
@pytest.mark.parametrize("half", [False, True], ids=["before", "halfway"])
def test_a_process_that_dies_at_any_effect_leaves_the_old_or_the_new_voice(
    tmp_path: Path, case: str, half: bool
) -> None:
    action, old, new = CASES[case]
    count = effects(tmp_path, action, old)
    assert count >= 3
    found = []
    for last in range(1, count + 1):
        root = prepared(tmp_path / str(last), old)
        with pytest.raises(Death):
            action(FolderStore(root, DyingDisk(last, half=half)))
        found.append(state(root))
        assert found[-1] in (old, new), f"died at effect {last} of {count}"
        assert state(root, "other") == OTHER
        leftovers(root)
        assert state(root) == found[-1], "clearing away what is left changes no voice"
        FolderStore(root, QuickDisk()).remove("other")
        assert leftovers(root) == []
    assert found == [old] * found.count(old) + [new] * found.count(new), "once it is new it stays so"


@pytest.mark.parametrize("half", [False, True], ids=["before", "halfway"])
def test_a_voice_that_is_being_renamed_is_there_under_one_of_its_names(tmp_path: Path, half: bool) -> None:
    for last in range(1, effects(tmp_path, rename, OLD) + 1):
        root = prepared(tmp_path / str(last), OLD)
        with pytest.raises(Death):
            rename(FolderStore(root, DyingDisk(last, half=half)))
        found = [name for name in ("anna", "renamed") if state(root, name) == OLD]
        assert FolderStore(root).names() == sorted([*found, "other"]), f"died at effect {last}"
        assert len(found) == 1
        FolderStore(root).rename(found[0], "again")
        assert state(root, "again") == OLD


def complaint(action: Action, store: FolderStore) -> str | None:
    """Return what the store says of the disk, if it has to say something."""
    try:
        action(store)
    except VoiceStoreError as error:
        return str(error)
    return None


@every_case
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
def test_a_full_disk_at_any_effect_leaves_the_old_voice_and_is_said(tmp_path: Path, case: str, code: int) -> None:
    action, old, new = CASES[case]
    refused = 0
    for room in range(effects(tmp_path, action, old) + 1):
        root = prepared(tmp_path / str(room), old)
        disk = FullDisk(room, code)
        said = complaint(action, FolderStore(root, disk))
        if said is None:
            assert state(root) == new
        else:
            refused += 1
            assert "--voice_dir" in said
            assert str(tmp_path) not in said, "a stranger does not learn where the files are"
            assert state(root) in (old, new)
        disk.room = 10_000
        FolderStore(root, QuickDisk()).remove("other")
        assert leftovers(root) == []
    assert refused >= 2


@every_case
@pytest.mark.parametrize("seed", range(6))
def test_a_loss_of_power_at_any_moment_leaves_the_old_or_the_new_voice(tmp_path: Path, case: str, seed: int) -> None:
    action, old, new = CASES[case]
    disk = CachedDisk(tmp_path / "real")
    (tmp_path / "real").mkdir()
    store = FolderStore(tmp_path / "real" / "voices", disk)
    store.save(voice(5, "other"), "tone", overwrite=False)
    if old is not None:
        store.save(voice(1), "tone", overwrite=False)
    before = len(disk.moments)
    action(store)
    rng = random.Random(seed)
    for number, moment in enumerate(disk.moments[before - 1 :]):
        root = tmp_path / str(number)
        root.mkdir()
        moment.restore(root, rng)
        found = state(root / "voices")
        assert found in ((old, new) if number else (old,)), f"moment {number}"
        leftovers(root / "voices")
        assert state(root / "voices") == found
    for number in range(10):
        root = tmp_path / f"after-{number}"
        root.mkdir()
        disk.moments[-1].restore(root, rng)
        assert state(root / "voices") == new, "what was answered lasts"


def test_the_model_of_a_loss_of_power_finds_a_store_that_does_not_wait(tmp_path: Path) -> None:
    class Hasty(CachedDisk):
        def sync_folder(self, folder: Path) -> None:
            if folder.name == "voices":
                super().sync_folder(folder)

    (tmp_path / "real").mkdir()
    disk = Hasty(tmp_path / "real")
    disk.make_folder(tmp_path / "real" / "voices")
    CachedDisk.sync_folder(disk, tmp_path / "real")
    add(FolderStore(tmp_path / "real" / "voices", disk))
    wrong = 0
    for seed in range(20):
        root = tmp_path / str(seed)
        root.mkdir()
        disk.moments[-1].restore(root, random.Random(seed))
        try:
            wrong += state(root / "voices") != NEW
        except (AssertionError, VoiceStoreError):
            wrong += 1
    assert wrong


@pytest.mark.parametrize("seed", [1, 2])
def test_writers_killed_at_random_points_leave_whole_voices(tmp_path: Path, seed: int) -> None:
    """Half die by a signal from outside at a random time, half by their own hand at a random effect; 300 in all."""
    command = [sys.executable, str(HERE / "killing.py"), str(tmp_path), str(seed), "150"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    killed, replaced = (int(word) for word in done.stdout.split())
    assert killed == 150
    assert replaced >= 20, "some writers got somewhere before they died"
    assert leftovers(tmp_path) == []


def test_what_the_kernel_refuses_to_write_leaves_the_old_voice(tmp_path: Path) -> None:
    """A limit on the size of files is the one full disk that needs no privileges: writes end half-way with an error."""
    store = FolderStore(tmp_path)
    store.save(voice(1), "tone", overwrite=False)
    large = Voice("anna", "tone", codes=voice(2).codes, reference=Reference(b"x" * 3_000_000, "said", b"latent"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        with pytest.raises(VoiceStoreError, match="File too large"):
            store.save(large, "tone", overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert state(tmp_path) == OLD
    assert leftovers(tmp_path) == []
    store.save(large, "tone", overwrite=True)
    found = store.load("anna", "none").reference
    assert found is not None
    assert len(found.audio) == 3_000_000
