"""English, French, German, Spanish and Italian: golden sentences, prose left alone, tags, threads, hostile input."""

from __future__ import annotations

import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flashtts_core.text.normalize import normalize

LANGUAGES = ("en", "fr", "de", "es", "it")
GOLDEN = Path(__file__).parent / "golden"
TAGS = ("<laugh>", "</laugh>", "[laugh]", "<|speaker_1|>", "<|x|>", "[S1]", '<break time="500ms"/>', "[pause 500ms]")
PROSE = {
    "en": "It's a well-known fact — isn't it? — that mother-in-law's café “naïve” résumé doesn't matter… No. I "
    "don't. Yes! 'Twas fun; rock 'n' roll, the students' books, e-mail, U.S. and U.K. troops, NASA's I X "
    "V may March Miss Jones saw (most of) the others: second, third, one-third; AM, PM, OK, Ph.D. am is. "
    "He left.",
    "fr": "C'est aujourd'hui l'été : « Où es-tu ? », dit-elle… Peut-être qu'il n'y a plus d'œufs ! Grand-mère, "
    "c'est-à-dire la cœur-de-lion, rendez-vous, jusqu'à l'Haÿ-les-Roses ; presqu'île, quelqu’un. Non. Le "
    "sien, nos, son, mai, un, I.",
    "de": "„Wie geht's?“, fragte er – und größer, über, schön, süß; die Groß- und Kleinschreibung, "
    "E-Mail-Adresse, U-Bahn. Ach so! Na ja… Der Mai, die Mo, das So, am Sonntag: einige, ein, eine, zwei."
    " Nein. Es war's. Ich sah's so.",
    "es": "¿Qué tal? —preguntó él—. ¡Muy bien, señor! El niño comió piñas; la cigüeña voló… «Sí», dijo. "
    "Teórico-práctico, un, una, uno, el mar, sólo, más, qué, dónde. No. Mi D y S; así fue: e incluso y o "
    "u. El pingüino.",
    "it": "L'amico dell'uomo: «Perché no?», disse… C'è un po' d'acqua, dov'è? Città, più, così, né, sé! "
    "Porta-finestra; quest’anno, un'altra, gli anni, il mar, la gen, prof, sig, no. No. È vero – sì. "
    "D'altronde, cent'anni, c'era.",
}
FRAGMENTS = """
0 1 2 12 007 2025 13800138000 1,234 1.234 3.5 3,5 . , : ; - – — / % + = × ( ) £ € $ ¥ °C °F ° kg km/h m² GB h
min am p.m. Uhr st 1st 2nd 3e 1er 1º 3ª 21. ' ’ " “ ” « » Dr. St. No. z. B. M. p. ej. ecc. IV XIV Louis Chapter
GPT- iPhone v1.2.3 @ .com www. https:// # & < > | <laugh> [S1] 1/2 ½ ² ٣ ५ ３ － … January mars März de enero
maggio thousand Mio. k M Million millones
"""
WRITTEN = st.sampled_from([*FRAGMENTS.split(), " ", "\n", "\t", "\u00a0", "\u202f", "\u200b", "\ud800", "\x00"])
NUMBERS = """
1 12 2025 1,234 1.234,5 3:45 10-12 5% $5 5€ 1/2 9/0 v1.2 A4 1st 2e 3. 4º 7kg 8h30 000 1.2.3 5-6-7 90s 12/05/2020
+49170123 1e9 0x1F
"""

FIRST_USE = settings(deadline=None)  # the first sentence in a language compiles its rules


def golden_sentences() -> list[tuple[str, str, str]]:
    sentences = []
    for language in LANGUAGES:
        for line in (GOLDEN / f"normalize_{language}.tsv").read_text("utf-8").splitlines():
            written, spoken = line.split("\t")
            sentences.append((language, written, spoken))
    return sentences


@pytest.mark.parametrize(("language", "written", "spoken"), golden_sentences())
def test_a_sentence_is_written_out_as_it_is_read(language: str, written: str, spoken: str) -> None:
    assert normalize(written, language) == spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_out_stays_as_it_is(language: str) -> None:
    spoken = [sentence[2] for sentence in golden_sentences() if sentence[0] == language]
    assert [normalize(sentence, language) for sentence in spoken] == spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_many_golden_sentences(language: str) -> None:
    assert sum(sentence[0] == language for sentence in golden_sentences()) >= 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_prose_is_returned_identical(language: str) -> None:
    assert normalize(PROSE[language], language) == PROSE[language]


@FIRST_USE
@given(st.data())
def test_any_order_of_plain_words_is_returned_identical(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    words = [word for word in PROSE[language].split() if word[-1] not in ".;"]
    text = " ".join(data.draw(st.lists(st.sampled_from(words), max_size=20)))
    assert normalize(text, language) == text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_passes_through(language: str, tag: str) -> None:
    spoken = normalize(f"2 {tag} 3{tag}", language)
    assert spoken.count(tag) == 2
    assert not any(character.isdigit() for character in spoken.replace(tag, ""))


@FIRST_USE
@given(st.data())
def test_no_input_breaks_it_or_brings_up_control_characters(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    text = data.draw(
        st.text() | st.lists(WRITTEN, max_size=12).map("".join) | st.lists(WRITTEN, max_size=12).map(" ".join)
    )
    spoken = normalize(text, language)
    added = {character for character in set(spoken) - set(text) if unicodedata.category(character).startswith("C")}
    assert not added
    assert normalize(text, language) == spoken


@FIRST_USE
@given(st.data())
def test_no_ascii_digit_is_left_outside_tags(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    pieces = st.sampled_from(NUMBERS.split())
    text = data.draw(st.lists(pieces, min_size=1, max_size=6).map(" ".join))
    assert not set(normalize(text, language)) & set("0123456789")


@pytest.mark.parametrize("language", LANGUAGES)
def test_threads_get_what_one_thread_gets(language: str) -> None:
    written = [sentence[1] for sentence in golden_sentences() if sentence[0] == language]
    expected = [normalize(text, language) for text in written]
    with ThreadPoolExecutor(8) as pool:
        for spoken in pool.map(lambda _: [normalize(text, language) for text in written], range(8)):
            assert spoken == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1-",
        "1.",
        "1x",
        "1 x ",
        "1-1 ",
        "1.-",
        "1 1 ",
        "800 ",
        "1,111",
        "1111 ",
        "1/1 ",
        "+1 ",
        "1 h ",
        "a.",
        "a@",
        "a",
        "1 ",
        "1/",
        "<",
        "[a",
        "x1",
        "IV ",
        "St. ",
        "-",
        "«",
        "1:0",
    ],
)
def test_a_long_text_takes_time_in_proportion(language: str, piece: str) -> None:
    started = time.perf_counter()
    normalize(piece * (20_000 // len(piece)), language)
    assert time.perf_counter() - started < 2
