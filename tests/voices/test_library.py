"""The library of voices: loaded when they are used, kept while they are true, made anew for another engine."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flashtts_core.disk import Disk
from flashtts_core.engines import Abilities
from flashtts_core.errors import ConfigError, NotSupported, RequestError, UnknownVoice, VoiceStoreError
from flashtts_core.types import Reference, Voice
from flashtts_core.voices import FolderStore, VoiceLibrary, library
from flashtts_core.voices.roles import RoleFolder
from voices.disks import FullDisk, QuickDisk


class Encoder:
    """An engine that takes the number in a recording for its code, and counts how often it is asked."""

    def __init__(self, name: str = "tone", *, encoding: str = "", cloning: bool = True) -> None:
        self.name = name
        self.abilities = Abilities(languages=("en",), cloning=cloning, encoding=encoding)
        self.voices: Mapping[str, Voice] = {"female": Voice("female", name, builtin=True)}
        self.encoded: list[str] = []

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        self.encoded.append(name)
        await asyncio.sleep(0)
        if not reference.audio.isdigit():
            raise RequestError("The recording says nothing.", param="reference_audio")
        codes = {"number": np.array([int(reference.audio)])}
        return Voice(name, self.name, codes=codes, reference=reference)


def using(root: Path, encoder: Encoder, disk: Disk | None = None, roles: RoleFolder | None = None) -> VoiceLibrary:
    return VoiceLibrary(encoder, FolderStore(root, disk or QuickDisk()), roles, io=ThreadPoolExecutor(1))


def number(voice: Voice) -> int:
    return int(voice.codes["number"][0])


def run(check: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await check()

    asyncio.run(main())


def test_a_kept_voice_needs_no_encoding_after_a_restart(tmp_path: Path) -> None:
    async def check() -> None:
        await using(tmp_path, Encoder()).add("anna", Reference(b"1"))
        encoder = Encoder()
        voice = await using(tmp_path, encoder).get("anna")
        assert (number(voice), voice.engine, voice.reference) == (1, "tone", None)
        assert encoder.encoded == []

    run(check)


@pytest.mark.parametrize("other", [Encoder("other"), Encoder("tone", encoding="another-codebook")])
def test_a_voice_survives_another_engine_and_another_model_of_the_same(tmp_path: Path, other: Encoder) -> None:
    async def check() -> None:
        other.encoded.clear()
        await using(tmp_path, Encoder()).add("anna", Reference(b"1", "one", b"latent"))
        assert number(await using(tmp_path, other).get("anna")) == 1
        assert number(await using(tmp_path, other).get("anna")) == 1
        assert other.encoded == ["anna"], "made from the recording once, and kept"
        first = Encoder()
        assert number(await using(tmp_path, first).get("anna")) == 1
        assert first.encoded == [], "the codes of the first engine are still there"

    run(check)


def test_a_recording_that_the_other_engine_cannot_use_is_told_of_the_voice(tmp_path: Path) -> None:
    async def check() -> None:
        store = FolderStore(tmp_path, QuickDisk())
        store.save(Voice("anna", "x", reference=Reference(b"no number")), "x", overwrite=False)
        with pytest.raises(
            RequestError, match=r"'anna' cannot be used with the engine 'tone'.*says nothing"
        ) as refused:
            await using(tmp_path, Encoder()).get("anna")
        assert refused.value.param == "voice"

    run(check)


def test_a_voice_is_kept_under_the_name_that_was_asked_for_whatever_its_engine_calls_it(tmp_path: Path) -> None:
    class Stubborn(Encoder):
        async def encode_voice(self, name: str, reference: Reference) -> Voice:
            return await super().encode_voice("cloned", reference)

    async def check() -> None:
        voices = using(tmp_path, Stubborn())
        for name in ("anna", "berta"):
            assert (await voices.add(name, Reference(b"1"))).name == name
        assert await voices.names() == ["female", "anna", "berta"]
        assert (await voices.get("berta")).name == "berta"

    run(check)


def test_two_requests_for_one_voice_encode_it_once(tmp_path: Path) -> None:
    async def check() -> None:
        await using(tmp_path, Encoder("other")).add("anna", Reference(b"1"))
        encoder = Encoder()
        voices = using(tmp_path, encoder)
        found = await asyncio.gather(*(voices.get("anna") for _ in range(5)))
        assert [number(voice) for voice in found] == [1] * 5
        assert encoder.encoded == ["anna"]

    run(check)


def test_what_another_process_replaced_or_removed_is_not_spoken_with(tmp_path: Path) -> None:
    async def check() -> None:
        here, there = using(tmp_path, Encoder()), using(tmp_path, Encoder())
        await here.add("anna", Reference(b"1"))
        assert (number(await here.get("anna")), number(await there.get("anna"))) == (1, 1)
        await there.add("anna", Reference(b"2"), overwrite=True)
        assert (number(await here.get("anna")), number(await there.get("anna"))) == (2, 2)
        await there.remove("anna")
        with pytest.raises(UnknownVoice):
            await here.get("anna")
        assert await here.names() == ["female"]

    run(check)


def test_memory_holds_the_voices_used_last_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        monkeypatch.setattr(library, "CACHE_SIZE", 3)
        store = FolderStore(tmp_path, QuickDisk())
        for value in range(6):
            store.save(Voice(f"v{value}", "x", reference=Reference(b"%d" % value)), "x", overwrite=False)
        voices = using(tmp_path, encoder := Encoder())
        assert encoder.encoded == [], "nothing is loaded before it is used"
        for value in (0, 1, 2, 0, 3, 4):
            assert number(await voices.get(f"v{value}")) == value
        assert list(voices._cache) == ["v0", "v3", "v4"]
        assert all(voice.reference is None for _, voice in voices._cache.values()), "recordings stay on disk"

    run(check)


@pytest.mark.parametrize("name", ["Zoe\u0308", " Zo\u00eb "])
def test_a_voice_is_found_however_its_name_is_spelled(tmp_path: Path, name: str) -> None:
    async def check() -> None:
        voices = using(tmp_path, Encoder())
        await voices.add(name, Reference(b"1"))
        for spelling in ("Zoe\u0308", "Zo\u00eb", " Zo\u00eb"):
            assert number(await voices.get(spelling)) == 1
        await voices.remove(name)
        assert await voices.names() == ["female"]

    run(check)


def test_a_full_disk_keeps_a_voice_from_being_added_and_none_from_speaking(tmp_path: Path) -> None:
    async def check() -> None:
        await using(tmp_path, Encoder("other")).add("anna", Reference(b"1"))
        for code in (errno.ENOSPC, errno.EROFS):
            voices = using(tmp_path, Encoder(), FullDisk(0, code))
            assert number(await voices.get("anna")) == 1, "its codes are made, though they cannot be kept"
            with pytest.raises(VoiceStoreError, match="--voice_dir"):
                await voices.add("berta", Reference(b"2"))
            with pytest.raises(UnknownVoice):
                await voices.get("berta")

    run(check)


def test_an_engine_that_cannot_clone_has_its_own_voices_only(tmp_path: Path) -> None:
    async def check() -> None:
        await using(tmp_path, Encoder()).add("anna", Reference(b"1"))
        voices = using(tmp_path, Encoder(cloning=False))
        assert await voices.names() == ["female"]
        with pytest.raises(UnknownVoice, match="female"):
            await voices.get("anna")
        with pytest.raises(UnknownVoice):
            await voices.remove("anna")
        with pytest.raises(NotSupported):
            await voices.add("berta", Reference(b"1"))
        assert FolderStore(tmp_path).names() == ["anna"]

    run(check)


def test_an_unknown_voice_among_very_many_is_answered_shortly(tmp_path: Path) -> None:
    async def check() -> None:
        store = FolderStore(tmp_path, QuickDisk())
        for value in range(60):
            store.save(Voice(f"v{value}", "x", reference=Reference(b"1")), "x", overwrite=False)
        with pytest.raises(UnknownVoice, match="and 21 more"):
            await using(tmp_path, Encoder()).get("nobody")

    run(check)


def role(root: Path, name: str, files: Mapping[str, bytes]) -> None:
    (root / name).mkdir(parents=True)
    for file, content in files.items():
        (root / name / file).write_bytes(content)


def test_roles_bring_their_text_and_latent(tmp_path: Path) -> None:
    role(
        tmp_path,
        "anna",
        {
            "a.WAV": b"1",
            "._a.WAV": b"macOS",
            "a.npy": b"latent",
            "._a.npy": b"macOS",
            "reference_text.txt": "\ufeff said \r\n".encode(),
        },
    )
    role(tmp_path, "Zoe\u0308", {"b.flac": b"2"})
    role(tmp_path, ".hidden", {})
    roles = RoleFolder(tmp_path)
    assert roles.names() == ["Zo\u00eb", "anna"]
    assert roles.reference("anna") == Reference(b"1", "said", b"latent")
    assert roles.reference("Zo\u00eb") == Reference(b"2")


@pytest.mark.parametrize(
    ("name", "files", "says"),
    [
        ("anna", {}, "holds 0 recordings"),
        ("anna", {"a.wav": b"1", "b.wav": b"2"}, "holds 2 recordings"),
        ("anna", {"a.wav": b"1", "a.npy": b"1", "b.npy": b"2"}, "holds 2 .npy"),
        ("anna", {"a.wav": b"1", "reference_text.txt": b"\xff\xfe"}, "not UTF-8"),
        ("a,b", {"a.wav": b"1"}, "cannot be the name"),
    ],
)
def test_a_role_folder_that_does_not_fit_stops_the_start(
    tmp_path: Path, name: str, files: dict[str, bytes], says: str
) -> None:
    role(tmp_path, name, files)
    with pytest.raises(ConfigError, match=says):
        RoleFolder(tmp_path)


def test_a_role_whose_recording_vanished_is_said(tmp_path: Path) -> None:
    async def check() -> None:
        role(tmp_path / "roles", "anna", {"a.wav": b"1"})
        voices = using(tmp_path / "voices", encoder := Encoder(), roles=RoleFolder(tmp_path / "roles"))
        (tmp_path / "roles" / "anna" / "a.wav").unlink()
        with pytest.raises(VoiceStoreError, match="'anna'"):
            await voices.get("anna")
        (tmp_path / "roles" / "anna" / "a.wav").write_bytes(b"1")
        for _ in range(2):
            assert number(await voices.get("anna")) == 1
        assert encoder.encoded == ["anna"]

    run(check)
