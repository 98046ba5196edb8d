"""What a voice can say, and tidying: pictures and control characters go, prose stays as it is."""

from __future__ import annotations

import unicodedata
from time import thread_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flashtts_core.text.alphabet import speakable, tidy, unreadable_scripts

LATIN = frozenset({"Latin"})
EVERY = frozenset[str]()


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "Latin"),
        ("Straße, crème brûlée, ŋ, ｆｕｌｌ, ﬁ, ª, 𝐛", "Latin"),
        ("e\u0301", "Latin"),
        ("你好々〇", "Han"),
        ("豈", "Han"),
        ("𠀀", "Han"),
        ("안녕 ㄱ", "Hangul"),
        ("नमस्ते", "Devanagari"),
        ("१२", "Devanagari"),
        ("Привет", "Cyrillic"),
        ("ひらがな", "Hiragana"),
        ("カタカナー ｶﾀ", "Katakana"),
        ("Ωμέγα", "Greek"),
        ("سلام ٣ ۴", "Arabic"),
        ("שלום", "Hebrew"),
        ("ไทย", "Thai"),
    ],
)
def test_letters_belong_to_their_script(text: str, script: str) -> None:
    other = frozenset({"Cherokee"})
    assert unreadable_scripts(text, other) == {script}
    assert unreadable_scripts(text, frozenset({script})) == frozenset()
    assert speakable(text, frozenset({script}))


@pytest.mark.parametrize(
    "text", ["", " \n", "...!?", "😀👍🏽❤️🇫🇷", "—«»“”", "$ % & + = €", "ʼ ˈ", "\u0301\u200d", "♥ → ✓", "µ"]
)
def test_marks_and_pictures_alone_are_nothing_to_say(text: str) -> None:
    assert not speakable(text, LATIN)
    assert unreadable_scripts(text, LATIN) == frozenset()


@pytest.mark.parametrize("text", ["5", "$5", "50 %", "1 + 1 = 2", "½", "²", "①", "Ⅳ", "５"])
def test_digits_can_be_said_by_every_voice(text: str) -> None:
    assert speakable(text, frozenset({"Han"}))
    assert unreadable_scripts(text, frozenset({"Han"})) == frozenset()


def test_a_mixed_text_is_speakable_and_names_what_is_not() -> None:
    text = "Hello 世界, привет!"
    assert speakable(text, LATIN)
    assert unreadable_scripts(text, LATIN) == {"Han", "Cyrillic"}
    assert not speakable("世界!", LATIN)


def test_a_voice_without_a_list_of_scripts_reads_them_all() -> None:
    assert speakable("世界", EVERY)
    assert not speakable("😀!", EVERY)
    assert unreadable_scripts("世界", EVERY) == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x0bf\x85g", "a\nb\nc\nd\n\ne\nf\ng"),
        ("a \n \n\n\n b", "a\n\nb"),
        ("  a \t b\u00a0\u3000c\u2009 ", "a b c"),
        ("\ufeffHe\u00adl\u200blo\u200e \u202eyou\u202c\x00\x07", "Hello you"),
        ("e\u0301 e\u200b\u0301", "é é"),
        ("a\ue000\U000f0000\uffffb", "ab"),
        ("Great 😀! Yes 👍🏽👍🏽 , no", "Great! Yes, no"),
        ("Hi😀there ❤️ you 👨‍👩‍👧 and 🇫🇷.", "Hi there you and."),
        ("1️⃣ first 2️⃣ second", "1 first 2 second"),
        ("你好😀世界", "你好 世界"),
        ("★ ■ ✓ ♪ one \ufffd two", "one two"),
        ("😀", ""),
        ("a\n😀\nb", "a\n\nb"),
        ("What!!!!!!!! No???? Well...... ------ ____ $$$$$", "What!!! No??? Well... --- ___ $$$"),
        ("क\u200dष a\u200db \u200cम", "क\u200dष ab म"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_tidying(text: str, expected: str) -> None:
    assert tidy(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'Dr. Smith – “Bob” – paid $3.50 (50 %) & left... "Really?!" she asked; ok: [yes] <laugh>.',
        "#1 @home *now* ~5°C ©™ 1000000.",
        "L’été, « oui » ! Œuvre: n° 5, 3 × 4 = 12, x² ≠ y, a → b, 5 − 3, ½ kg, €, £, ₹.",
        "“真的吗？”她问。——是的……《书》、二○二五年，①②㈱℃№。",
        "안녕하세요! ‘네’ 하하하하하하.",
        "नमस्ते। क्या हाल है? ₹500 श्री॥",
        "Ähm, „ja“ – §5, Straße.",
        "¿Qué? ¡Sí! 1.º",
        "One line\nnext line\n\nparagraph",
        "Nooooooo, hmmmmmm, www.example.com/a_b__c",
        "C♯ and B♭",
    ],
)
def test_ordinary_prose_stays_as_it_is(text: str) -> None:
    assert tidy(text) == text


CHARACTERS = (
    " \n\r\t\u00a0\u2028\u2029\u200b\u200c\u200d\u00ad\ufe0f\u20e3\u0301\u0338\u0345ae!.,;\u037e=<_😀👩🏽🇫é你가कि्1"
    "\ue000\ufffd\u1100\u1161\u11a8\u212b\u0344\u09c7\u09be"
)
TEXTS = st.text(st.one_of(st.sampled_from(CHARACTERS), st.characters()), max_size=60)


@given(TEXTS)
@example("!!\u037e;;;;!!")
@example("a\u0301\u0301\u0301\u0301\u0301")
@example("a 😀 \n 😀 , b")
def test_what_is_tidy_stays_as_it_is(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once


@given(TEXTS)
def test_a_tidy_text_has_nothing_odd_in_it(text: str) -> None:
    once = tidy(text)
    assert once == once.strip()
    assert unicodedata.is_normalized("NFC", once)
    categories = {unicodedata.category(character) for character in once if character not in "\n\u200c\u200d"}
    assert categories.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert all(character in " \n" for character in once if character.isspace())
    assert not any(run in once for run in ("  ", " \n", "\n ", "\n\n\n", "!!!!"))


@given(TEXTS)
def test_tidying_loses_no_letter_and_no_digit(text: str) -> None:
    def spoken(written: str) -> list[str]:
        return [character for character in unicodedata.normalize("NFD", written) if character.isalnum()]

    assert spoken(tidy(text)) == spoken(text)
    assert speakable(tidy(text), EVERY) == speakable(text, EVERY)


@pytest.mark.parametrize(
    "unit", ["The quick brown fox. ", "今天天气很好，", "😀 ", "😀", " ", "!", "\n ", "\u200d", "e\u0301"]
)
def test_a_long_text_takes_milliseconds(unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    start = thread_time()
    speakable(text, LATIN)
    unreadable_scripts(text, LATIN)
    tidy(text)
    assert thread_time() - start < 0.2  # some 5 ms; quadratic time would be seconds
