"""Languages by the names of folders, voices and tags, and what becomes of tags in a text."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from flashtts_core.engines.orpheus.languages import (
    ALL_TAGS,
    LANGUAGES,
    choose_language,
    language_in_name,
    spanish_or_italian,
)
from flashtts_core.engines.orpheus.tags import settle_tags
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Language
from flashtts_core.text.markers import neutralize
from flashtts_core.text.normalize import normalize
from flashtts_core.text.split import split
from flashtts_core.types import SplitLimits

SAMPLES = {
    "en": "It cost $3.50 on 3 May",
    "zh": "今天是2024年3月5日，花了3.5元",
    "fr": "Il a payé 3,50 € le 3 mai",
    "de": "Es kostet 3,50 € am 3. Mai",
    "ko": "3월 5일에 3개를 샀어요",
    "hi": "उसने 3 मई को 50 रुपये दिए",
    "es": "Cuesta 3,50 € el 3 de mayo",
    "it": "Costa 3,50 € il 3 maggio",
}


def test_the_languages_are_those_that_the_flag_takes() -> None:
    assert set(LANGUAGES) == set(get_args(Language))


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("orpheus-3b-0.1-ft", None),
        ("3b-zh-ft-research_release", "mandarin"),
        ("3b-hi-ft-research_release", "hindi"),
        ("3b-ko-ft-research_release", "korean"),
        ("3b-fr-ft-research_release", "french"),
        ("3b-de-ft-research_release", "german"),
        ("3b-es_it-ft-research_release", "spanish_italian"),
        ("Orpheus.DE", "german"),
        ("orpheus_spanish", "spanish"),
        ("orpheus-italian-spanish", "spanish"),
        ("my-model", None),
        ("whisper", None),
        ("this-one", None),
        ("china-zhou", None),
        ("orpheus-3b-it", None),
        ("orpheus-tiny", None),
    ],
)
def test_a_language_is_told_by_whole_parts_of_the_name(name: str, language: str | None) -> None:
    assert language_in_name(name) == language
    assert choose_language(Path("/models-fr") / name, None) == LANGUAGES[language or "english"]


def test_a_given_language_wins_over_the_name() -> None:
    assert choose_language(Path("3b-de-ft"), "french") == LANGUAGES["french"]
    assert choose_language(Path("3b-es_it-ft"), "italian") == LANGUAGES["italian"]


def test_a_snapshot_in_a_hub_s_cache_goes_by_the_name_of_its_model() -> None:
    folder = Path("/cache/models--canopylabs--3b-ko-ft-research_release/snapshots/0de1f2")
    assert choose_language(folder, None) == LANGUAGES["korean"]


def test_the_working_directory_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "3b-hi-ft").mkdir()
    monkeypatch.chdir(tmp_path / "3b-hi-ft")
    assert choose_language(Path(), None) == LANGUAGES["hindi"]


def test_an_unknown_language_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"--lang klingon .*mandarin, french"):
        choose_language(Path("model"), "klingon")


def test_the_default_voices_are_the_first() -> None:
    firsts = {name: next(iter(language.voices)) for name, language in LANGUAGES.items()}
    assert firsts == {
        "english": "tara",
        "mandarin": "长乐",
        "french": "pierre",
        "german": "jana",
        "korean": "유나",
        "hindi": "ऋतिका",
        "spanish": "javi",
        "italian": "pietro",
        "spanish_italian": "javi",
    }
    both = LANGUAGES["spanish_italian"]
    assert list(both.voices) == ["javi", "carlo", "giulia", "maria", "pietro", "sergio"]
    assert both.tags == LANGUAGES["spanish"].tags | LANGUAGES["italian"].tags


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hola, ¿cómo estás? Hoy hace muy buen tiempo.", "es"),
        ("El niño come pan con mantequilla.", "es"),
        ("Ciao, come stai? Oggi è una bella giornata.", "it"),
        ("Il bambino mangia il pane con il burro, ma non l'uva.", "it"),
        ("Madrid", "es"),
    ],
)
def test_spanish_and_italian_are_told_apart(text: str, language: str) -> None:
    assert spanish_or_italian(text) == language


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("<laugh> So funny! <sigh>", "<laugh> So funny! <sigh>"),
        ("Oh <Laugh> no", "Oh <laugh> no"),
        ("Oh <resoplido> no", "Oh no"),
        ("Oh <resoplido>.", "Oh."),
        ("Oh <whimper>no", "Oh no"),
        ("Oh<whimper> no", "Oh no"),
        ("<大笑> Hello", "Hello"),
        ("I <really> mean it", "I really mean it"),
        ("a < b and c > d", "a < b and c > d"),
        ("<laugh>", "<laugh>"),
        ("<whimper>", "whimper"),
        ("<whimper> <resoplido>!", "whimper resoplido!"),
    ],
)
def test_english_keeps_its_tags_drops_those_of_others_and_reads_the_rest(text: str, settled: str) -> None:
    assert settle_tags(text, LANGUAGES["english"].tags) == settled


def test_a_tag_of_two_words_is_kept() -> None:
    assert settle_tags("네 <작은 웃음> 좋아요", LANGUAGES["korean"].tags) == "네 <작은 웃음> 좋아요"


def test_hindi_knows_no_tags() -> None:
    assert settle_tags("नमस्ते <laugh> दुनिया", LANGUAGES["hindi"].tags) == "नमस्ते दुनिया"


@pytest.mark.parametrize("name", sorted(set(LANGUAGES) - {"hindi"}))
def test_every_tag_comes_through_neutralising_normalising_and_splitting(name: str) -> None:
    language = LANGUAGES[name]
    for code in language.codes:
        text = " ".join(f"{SAMPLES[code]} <{tag}> {SAMPLES[code]}." for tag in sorted(language.tags))
        written = normalize(neutralize(text), code)
        assert not any(character.isdigit() for character in written)
        pieces = split(written, language=code, count_tokens=len, limits=SplitLimits(1, 12))
        assert len(pieces) > 2 * len(language.tags)
        spoken = " ".join(settle_tags(piece, language.tags) for piece in pieces)
        for tag in language.tags:
            assert f"<{tag}>" in spoken, tag


def test_all_tags_are_those_of_the_languages() -> None:
    assert {"laugh", "嬉笑", "작은 웃음", "resoplido", "gemito"} <= ALL_TAGS
