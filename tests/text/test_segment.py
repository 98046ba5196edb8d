"""Sentences: tables for eight languages, and what holds for any text."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.text.segment import sentences

LANGUAGES = ["en", "zh", "fr", "de", "es", "it", "ko", "hi"]

# language, then the sentences with the boundaries as ¦
TABLE = [
    ("en", "Dr. Smith paid $3.14. ¦He left at once."),
    ("en", "Then Dr. Who came. ¦It was vitamin C. ¦She took it. ¦The author J. Smith did not."),
    ("en", "Mr. and Mrs. Brown met Prof. Green, e.g. on Sunday. ¦Fine."),
    ("en", "He lives in the U.S. army base. ¦She left the U.S. ¦The end."),
    ("en", "We met at 5 p.m. on Monday. ¦It rained."),
    ("en", "He left at 5 p.m. ¦She stayed."),
    ("en", "J. R. R. Tolkien wrote it. ¦George W. Bush read it."),
    ("en", "See https://example.com/a.b?c=d&e=f! ¦Or write to John.Smith@Example.Com. ¦Bye."),
    ("en", "Version 1.2.3 of Node.js runs on 192.168.0.1. ¦So does .NET today."),
    ("en", "Hmm... ¦Yes. ¦Wait… what?"),
    ("en", "What?! ¦No!! ¦Really?!"),
    ("en", "1. Wash it. ¦2. Dry it."),
    ("en", '"Stop!" he cried. ¦He ran.'),
    ("en", "He said, “Go.” ¦Then he went."),
    ("en", "See No. 5, Vol. 2, and Fig. 3. ¦It costs approx. 5 euros."),
    ("en", "i like it. ¦you like it. ¦we do!"),
    ("en", "Chapter one\n¦The sea was calm.\n\n¦It stayed so."),
    ("en", "one\r\n¦two\r\n\r\n¦three"),
    ("zh", "“真的吗？”她问。¦“你好。”¦“再见。”"),
    ("zh", "他说：“好。走吧。”¦然后走了。"),
    ("zh", "「真的？」她問。¦『好。』他說。"),
    ("zh", "圆周率是3.14。¦价格：12.5元！¦谢谢……再见。¦什么？！¦好；不好。"),
    ("zh", "《你好？》是书。¦请看https://example.com/a?b=c。¦谢谢。"),
    ("zh", "他是Dr. Wang。¦U.S.的。¦OK.¦好的。"),
    ("zh", "第一段\n¦第二段。\n¦第三段"),
    ("fr", "M. Dupont est là. ¦Mme. Curie aussi. ¦Voir p. 3 et art. 5."),
    ("fr", "Le Dr. Petit vit bd. Voltaire. ¦Jules César est né en 100 av. J.-C. à Rome. ¦Oui."),
    ("fr", "« Bonjour. Ça va ? » dit-il. ¦Il part ! ¦Vraiment ?! ¦Oui."),
    ("fr", "Il est 15h30. ¦C'est le no. 5. ¦Cela coûte 3,50 €."),
    ("de", "Er kam am 3. März. ¦Er wohnt im 3. Stock. ¦Er wurde 5. ¦Dann ging er."),
    ("de", "Das ist z. B. gut. ¦Dr. med. Müller, d. h. er, sagt usw. nichts. ¦Preis inkl. MwSt. beachten."),
    ("de", "„Wirklich?“, fragte sie. ¦„Komm her!“ ¦Er ging."),
    ("de", "Pi ist 3,14. ¦Es kostet 1.234,56 Euro. ¦Gut."),
    ("es", "El Sr. García y la Dña. Ana viven en EE. UU. desde 1990. ¦Vea la pág. 3."),
    ("es", "¿Qué tal? ¦¡Hola! ¦¿Vienes?—preguntó. ¦—Sí. ¦—No."),
    ("es", "Son las 5 p. m. en Lima. ¦Nació en el 44 a. C. en Roma. ¦Es el n.º 5."),
    ("it", "Vedi pag. 3 e pagg. 4-5. ¦Il dott. Rossi è qui. ¦La dott.ssa Bianchi no."),
    ("it", "Cesare morì nel 44 a.C. a Roma. ¦Il sig. Verdi vive in via S. Marco. ¦Art. 5 e n. 6."),
    ("it", "Il navigatore C. Colombo partì. ¦Poi tornò."),
    ("es", "El autor M. Cervantes vino. ¦Luego se fue."),
    ("it", "«Ciao. Come va?» disse. ¦Poi uscì. ¦Alle 15.30 tornò."),
    ("ko", "안녕하세요. ¦파이는 3.14입니다. ¦정말?! ¦음… 그래요."),
    ("ko", "“정말요?”라고 물었다. ¦'네.'라고 했다. ¦\"정말요?\" 그녀가 물었다."),
    ("ko", "1. 첫째입니다. ¦2. 둘째입니다. ¦오늘은 2025. 3. 5. 수요일입니다."),
    ("ko", "그는 갔다.¦그녀는 왔다. ¦Dr. Kim은 왔다."),
    ("hi", "मैं घर जा रहा हूँ। ¦तुम कहाँ हो? ¦ठीक है।¦चलो॥ ¦अच्छा!"),
    ("hi", "डॉ. शर्मा आए। ¦ए. पी. जे. अब्दुल कलाम आए। ¦मूल्य रु. 500 है। ¦कि.मी. दूर है। ¦3.14 है।"),
    ("hi", 'ठीक है| ¦हाँ| ¦"क्या सच में?" उसने पूछा।'),
    ("de", "Die Fa. Meier liefert. ¦Fam. Weiß, geb. Klein, und Frl. Schmidt zahlen z. Hd. Herrn Groß."),
    ("it", "L'on. Rossi parla. ¦Poi esce."),
    ("en", "Messrs. Smith live in Ft. Worth, Apt. 5, Rm. 3. ¦Fine."),
    ("fr", "La Sté. Martin et le Gal. Leclerc. ¦Oui."),
    ("hi", "पेज नं. 12 देखें। ¦ठीक है।"),
    ("ja", "「本当？」と聞いた。¦はい。¦彼は「そう。」と言った。"),
]


@pytest.mark.parametrize(("language", "row"), TABLE, ids=[f"{language}-{row[:24]}" for language, row in TABLE])
def test_sentences_end_where_a_reader_pauses(language: str, row: str) -> None:
    expected = row.split("¦")
    assert sentences("".join(expected), language) == expected


def test_a_region_or_case_of_the_language_tag_does_not_matter() -> None:
    text = "M. Dupont est là. Oui."
    assert sentences(text, "fr-CA") == sentences(text, "FR_ca") == sentences(text, "fr")


@pytest.mark.parametrize("language", ["", "xx", "tlh-Latn"])
def test_an_unknown_language_is_cut_at_its_marks(language: str) -> None:
    assert sentences("Dr. Who came. He left. 好。是？", language) == ["Dr. Who came. ", "He left. ", "好。", "是？"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u202f", "\u3000"])
def test_exotic_spaces_between_marks_do_no_harm(language: str, space: str) -> None:
    text = f"Z{space}.\t\u200d1{space}! A.{space}.{space}? B"
    assert "".join(sentences(text, language)) == text


def test_an_empty_text_has_no_sentence() -> None:
    assert sentences("", "en") == []


@pytest.mark.parametrize("text", [" \n ", "...", "***\n\n---\n"])
def test_a_text_without_words_is_one_piece(text: str) -> None:
    assert sentences(text, "en") == [text]


def test_marks_by_themselves_belong_to_a_neighbour() -> None:
    assert sentences("***\nOne.\n***\nTwo. ...\n", "en") == ["***\nOne.\n***\n", "Two. ...\n"]


def test_blocks_do_not_show_in_a_long_paragraph() -> None:
    sentence = "“今天天气真的很好吗？”她问。"
    assert sentences(sentence * 500, "zh") == [sentence] * 500
    assert sentences("word " * 2000 + "end. Then more.", "en") == ["word " * 2000 + "end. ", "Then more."]


MARKS = " \n\r\t\u2028.!?…。！？|।,;:—-\"'“”‘’«»「」『』()（）《》aZéß1９你ねア가한कि्\u0301\u200d\u200b\ufeff😀👩🇫א"
NASTY = st.text(st.one_of(st.sampled_from(MARKS), st.characters(exclude_categories=["Cs"])), max_size=120)


@given(NASTY, st.sampled_from(LANGUAGES))
def test_nothing_is_lost(text: str, language: str) -> None:
    assert "".join(sentences(text, language)) == text


@given(NASTY, st.sampled_from(LANGUAGES))
def test_every_sentence_has_a_word_if_the_text_has_one(text: str, language: str) -> None:
    pieces = sentences(text, language)
    if any(character.isalnum() for character in text):
        assert all(any(character.isalnum() for character in piece) for piece in pieces)
    else:
        assert pieces == ([text] if text else [])


@given(st.lists(NASTY.map(lambda text: "".join(text.split())), min_size=1, max_size=5), st.sampled_from(LANGUAGES))
def test_a_newline_always_ends_a_sentence(lines: list[str], language: str) -> None:
    spoken = ["a" + line for line in lines]
    pieces = sentences("\n".join(spoken), language)
    assert all("\n" not in piece.rstrip() for piece in pieces)


@pytest.mark.parametrize("unit", ["你好。", "“好。", "Hi. ", "a\n", "! ", "M. ", "(", "你"])
def test_time_grows_with_the_length_only(unit: str) -> None:
    def cost(length: int) -> float:
        text = (unit * length)[:length]
        start = thread_time()
        sentences(text, "zh")
        return thread_time() - start

    cost(1000)
    assert cost(80_000) < 40 * max(cost(10_000), 0.002)  # 8 times the text; quadratic would be 64 times
