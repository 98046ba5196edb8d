"""The Esperanto engine passes the contract of engines, reads as the language is written, and sounds as it reads."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from flashtts_core import Backend, Engine, EngineContext, Line, Settings, Style
from flashtts_core.errors import BadCheckpoint, RequestError
from flashtts_core.testing import CountingModel, counting_backend
from flashtts_core.testing.conformance import EngineContract, run
from flashtts_engine_esperanto import flashtts_engines, is_checkpoint
from flashtts_engine_esperanto.engine import EsperantoEngine
from flashtts_engine_esperanto.reading import Role, Word, read
from flashtts_engine_esperanto.sound import SAMPLE_RATE, SOUNDS, Score, Timbre, perform

(SPEC,) = flashtts_engines()


async def open_on(folder: Path, model: CountingModel | None = None) -> EsperantoEngine:
    """Open a checkpoint on a fake backend: any that writes ids will do."""
    (folder / "llm").mkdir(exist_ok=True)
    if not (folder / "voice.toml").exists():
        (folder / "voice.toml").write_text("[karlo]\npitch = 120\n[lucia]\npitch = 210\ntube = 0.86\n")

    async def open_backend(path: Path) -> Backend:
        assert path == folder / "llm"
        return counting_backend(model)

    engine = await SPEC.open(EngineContext(folder, Settings(), open_backend))
    assert isinstance(engine, EsperantoEngine)
    return engine


class TestEsperanto(EngineContract):
    text = "Ĉiuj homoj estas denaske liberaj. Ili posedas racion kaj konsciencon."
    folder: Path

    @pytest.fixture(autouse=True)
    def _use(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    async def open_engine(self) -> Engine:
        return await open_on(self.folder)


def spell(text: str) -> str:
    return " ".join("-".join(word.syllables) for word in read(text))


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Saluton!", "sa-lu-ton"),
        ("Cxu vi parolas?", "ĉu vi pa-ro-las"),
        ("E\u0302 C\u0302iu", "e ĉi-u"),
        ("Yvonne, 27", "i-vo-nne du sep"),
        ("ŭ kg", "ŭ kg"),
        ("¿— 你好 !", ""),
    ],
)
def test_letters_are_sounds(text: str, spelled: str) -> None:
    assert spell(text) == spelled


def test_marks_give_words_their_role_and_pauses() -> None:
    roles = [(word.role, word.pause) for word in read("Jes, mi venos. Ĉu vi? Bone")]
    assert roles == [
        (Role.HOLDING, True),
        (Role.INNER, False),
        (Role.STATING, True),
        (Role.OPENING, False),
        (Role.ASKING, True),
        (Role.STATING, True),
    ]


def test_every_letter_has_a_sound() -> None:
    assert set("aâbcĉdefgĝhĥijĵklmnoprsŝtuŭvz") - {"â"} == set(SOUNDS)


@pytest.mark.parametrize(("vowel", "low", "high"), [("a", 750, 1250), ("i", 290, 2250), ("o", 480, 900)])
def test_vowels_have_their_formants(vowel: str, low: float, high: float) -> None:
    sound = perform(Score(Word((vowel * 8,), Role.INNER), (0,), Timbre(100), 1.0, (0,)))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)

    def level(center: float) -> float:
        return float(spectrum[np.abs(frequencies - center) < 60].max())

    valley = (low + high) / 2 + 200 if vowel == "i" else high + 500
    assert level(low) > 4 * level(valley)
    assert level(high) > 1.5 * level(valley)


def test_a_pitch_of_twelve_semitones_is_an_octave() -> None:
    def fundamental(semitone: int) -> float:
        sound = perform(Score(Word(("aaaaaaaa",), Role.INNER), (semitone,), Timbre(120), 1.0, (0,)))
        middle = sound[4000:8000] - sound[4000:8000].mean()
        likeness = np.correlate(middle, middle, "full")[len(middle) :]
        return SAMPLE_RATE / (40 + int(likeness[40:200].argmax()) + 1)

    # The only syllable is stressed, which is one semitone more.
    assert fundamental(0) == pytest.approx(120 * 2 ** (1 / 12), rel=0.02)
    assert fundamental(12) == pytest.approx(240 * 2 ** (1 / 12), rel=0.02)


def test_max_tokens_ends_the_line_after_so_many_syllables(tmp_path: Path) -> None:
    async def count(limit: int) -> int:
        engine = await open_on(tmp_path)
        try:
            sampling = msgspec.structs.replace(engine.defaults, max_tokens=limit)
            line = Line("r", 0, "Saluton al vi", "eo", engine.voices["karlo"], Style(), sampling)
            return sum([chunk.usage.output_tokens async for chunk in engine.speak(line)])
        finally:
            await engine.aclose()

    assert [run(count(limit)) for limit in (1, 4, 100)] == [1, 4, 5]


def test_text_without_a_sound_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        engine = await open_on(tmp_path)
        try:
            line = Line("r", 0, "ß", "eo", engine.voices["karlo"], Style(), engine.defaults)
            with pytest.raises(RequestError, match="Esperanto"):
                await anext(engine.speak(line))
        finally:
            await engine.aclose()

    run(check())


def test_a_checkpoint_is_known_by_its_files(tmp_path: Path) -> None:
    assert not is_checkpoint(tmp_path, Settings())
    run(open_and_close(tmp_path))
    assert is_checkpoint(tmp_path, Settings())


@pytest.mark.parametrize("content", ["", "[karlo]", "[karlo]\npitch = 'low'", "karlo"])
def test_a_voice_file_that_describes_no_voice_is_refused_with_its_path(tmp_path: Path, content: str) -> None:
    (tmp_path / "voice.toml").write_text(content)
    with pytest.raises(BadCheckpoint, match=r"voice\.toml"):
        run(open_and_close(tmp_path))


def test_a_language_model_that_cannot_write_pitches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="needs 18"):
        run(open_and_close(tmp_path, CountingModel(vocab_size=10)))


async def open_and_close(folder: Path, model: CountingModel | None = None) -> None:
    await (await open_on(folder, model)).aclose()
