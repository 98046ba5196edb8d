"""Chinese, Korean and Hindi normalisation: golden sentences, plain text left alone, tags, threads and hostile input."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.text.normalize import chinese, hindi, korean
from flashtts_core.text.normalize.chinese_numerals import cardinal as chinese_cardinal
from flashtts_core.text.normalize.hindi_numerals import cardinal as hindi_cardinal
from flashtts_core.text.normalize.korean_numerals import cardinal as korean_cardinal
from flashtts_core.text.normalize.korean_numerals import with_particle

Normalize = Callable[[str], str]

GOLDEN = Path(__file__).parent / "golden"
LANGUAGES: dict[str, Normalize] = {"zh": chinese.normalize, "ko": korean.normalize, "hi": hindi.normalize}
TAGS = [
    "<laugh>",
    "</laugh>",
    "<嬉笑>",
    "<|x1|>",
    "<|start_2|>",
    "[笑]",
    "[laugh]",
    "[pause 500ms]",
    "[웃음]",
    "[हँसी]",
    "[S1]",
]
PROSE = {
    "zh": "今天 天气 很好 我们 一起 去 公园 散步 吧 他说 “真的吗？” 她问 《红楼梦》 第一 两个 三点半 百分之五 "
    "万一 十分 一点 ，， 。 ！ …… —— · OpenAI hello C++ Node.js e-mail R&D （笑） 老师 （a） 's 行 元 公斤 年",
    "ko": "오늘은 날씨가 정말 좋네요. “진짜?” 그가 물었다. 세 개 스물다섯 살 열두 시 만 원 이천이십오년 유월 시월 "
    "일요일 ~ · … ( ) meeting은 Zoom에서 C++ Node.js it's R&D 월 일 원 명 개 번째 대 도 퍼센트를 서울-부산 "
    "제일 조각 ㅋㅋㅋ ㅠㅠ",
    "hi": "आज मौसम बहुत अच्छा है। “सच में?” उसने पूछा। तीन बजे साढ़े नौ पाँच लाख रुपये पहला दूसरी वर्ष सन् में से तक का की "
    "हज़ारों लोग, धीरे-धीरे चलो! meeting Zoom पर है C++ Node.js it's R&D डॉक्टर किलोमीटर प्रतिशत … – ( ) कि वह है. था.",
}
WRITTEN_FORMS = """
    0 1 2 12 007 2025 13800138000 1,234 3,50,000 3.5 . , : - – ~ / % ‰ + = × ( ) ￥ ₹ ₩ $ € ℃ °C kg km/h m² GB
    ٣ ५ ３ ． ： 年 月 日 点 个 万 亿 第 年前 月 월 일 시 개 원 만 억 제 번째 대
    कि.मी. रु. वीं बजे लाख ई. सन् डॉ. Rs. AM pm v
    GPT- iPhone @ .com www. https:// <laugh> [笑]
"""
WRITTEN = st.sampled_from([*WRITTEN_FORMS.split(), " ", "\n", "\u200b", "\ud800"])
FORMS = [
    "{}",
    "-{}.5",
    "₹{}.50",
    "￥{}K",
    "${}-{}",
    "{}개",
    "{}번",
    "{}.5 लाख",
    "{}वीं",
    "{}年",
    "第{}",
    "{}/{}",
    "{}:{}",
]


def golden_sentences() -> list[tuple[str, str, str]]:
    sentences = []
    for language in LANGUAGES:
        for line in (GOLDEN / f"normalize_{language}.tsv").read_text("utf-8").splitlines():
            written, spoken = line.split("\t")
            sentences.append((language, written, spoken))
    return sentences


@pytest.mark.parametrize(("language", "written", "spoken"), golden_sentences())
def test_a_sentence_is_written_as_it_is_read_aloud(language: str, written: str, spoken: str) -> None:
    assert LANGUAGES[language](written) == spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_aloud_is_not_rewritten_again(language: str) -> None:
    for golden_language, _, spoken in golden_sentences():
        if golden_language == language:
            assert LANGUAGES[language](spoken) == spoken


@pytest.mark.parametrize("language", LANGUAGES)
@given(data=st.data())
def test_plain_words_pass_unchanged(language: str, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(PROSE[language].split()), max_size=12))
    text = data.draw(st.sampled_from([" ", "", ", ", "，", "\n"])).join(words)
    # Joining words may spell an address (Node.js + in); such text is no longer plain.
    if not re.search(r"[a-z]\.[a-z]+[A-Za-z]", text.replace("Node.js", "")):
        assert LANGUAGES[language](text) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_prose_passes_unchanged_beside_a_number(language: str) -> None:
    prose = PROSE[language]
    spoken = LANGUAGES[language](f"{prose} | 7")
    assert spoken.startswith(f"{prose} | ")
    assert not spoken.endswith("7")


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_tags_pass_untouched_between_numbers(language: str, tag: str) -> None:
    normalize = LANGUAGES[language]
    assert normalize(tag) == tag
    assert normalize(f"3{tag}12") == f"{normalize('3')}{tag}{normalize('12')}"


def test_brackets_around_prose_are_not_tags() -> None:
    assert chinese.normalize("[3月新品]") == "[三月新品]"
    assert korean.normalize("[오전 10시 회의]") == "[오전 열 시 회의]"
    assert hindi.normalize("3 < 5 और 7 > 2").count("पाँच") == 1


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_accepted(language: str, text: str) -> None:
    assert isinstance(LANGUAGES[language](text), str)


@pytest.mark.parametrize("language", LANGUAGES)
@given(pieces=st.lists(WRITTEN, max_size=16))
def test_no_written_digit_is_left_outside_tags(language: str, pieces: list[str]) -> None:
    spoken = LANGUAGES[language]("".join(pieces))
    assert re.search("[0-9]", re.sub(r"<[^<>]*>|\[[^\[\]]*\]", "", spoken)) is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_of_five_thousand_digits_is_spelled(language: str, form: str) -> None:
    number = "9" * 5000  # beyond the length that int() accepts
    assert re.search("[0-9]", LANGUAGES[language](form.format(number, number))) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_eight_threads_agree_with_one(language: str) -> None:
    normalize = LANGUAGES[language]
    texts = [written for _, written, _ in golden_sentences()] * 4
    serial = [normalize(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(normalize, texts)) == serial


@pytest.mark.parametrize(
    "piece",
    [
        "0",
        "1 ",
        "1111-",
        "1.1",
        "1、",
        "$1-",
        "1½",
        "1",
        "1,111",
        "1-",
        "a1-",
        "1:",
        "1억",
        "a.",
        "a@b.",
        "<a",
        "(02)",
        "12:30:",
        "番号1",
        "编号1a",
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_repetition_takes_linear_time(language: str, piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length] + "1x"
        started = time.thread_time()
        LANGUAGES[language](text)
        return time.thread_time() - started

    seconds(10)
    assert seconds(12_000) < 1.0  # a linear table takes a tenth of that, one quadratic rule more than all of it


def test_chinese_counts_follow_the_groups_of_ten_thousand() -> None:
    spoken = {
        "0": "零", "10": "十", "19": "十九", "110": "一百一十", "202": "二百零二", "1001": "一千零一", "2000": "两千",
        "10010": "一万零一十",
        "20000": "两万", "22222": "两万二千二百二十二", "100000": "十万", "10000050": "一千万零五十",
        "200000000": "两亿",
        "1000005000": "十亿零五千", "1234500000000": "一万二千三百四十五亿", "2000000000000": "两万亿",
    }  # fmt: skip
    assert {number: chinese_cardinal(number) for number in spoken} == spoken


def test_korean_counts_leave_out_the_one_of_ten_thousand_only() -> None:
    spoken = {
        "0": "영", "10": "십", "11": "십일", "100": "백", "1111": "천백십일", "10000": "만",
        "11000": "만 천", "110000": "십일만",
        "100000000": "일억", "1000010000": "십억 만", "1000000000000": "일조", "20304": "이만 삼백사",
    }  # fmt: skip
    assert {number: korean_cardinal(number) for number in spoken} == spoken


def test_hindi_counts_follow_lakh_and_crore() -> None:
    spoken = {
        "0": "शून्य", "100": "सौ", "101": "एक सौ एक", "1000": "एक हज़ार", "100000": "एक लाख",
        "99999": "निन्यानवे हज़ार नौ सौ निन्यानवे",
        "10000000": "एक करोड़", "1000000000": "एक अरब", "12345678": "एक करोड़ तेईस लाख पैंतालीस हज़ार छह सौ अठहत्तर",
    }  # fmt: skip
    assert {number: hindi_cardinal(number) for number in spoken} == spoken


@pytest.mark.parametrize("cardinal", [chinese_cardinal, korean_cardinal, hindi_cardinal])
@given(first=st.integers(0, 10**13 - 1), second=st.integers(0, 10**13 - 1))
def test_different_numbers_sound_different(cardinal: Callable[[str], str], first: int, second: int) -> None:
    assert (cardinal(str(first)) == cardinal(str(second))) == (first == second)


@pytest.mark.parametrize("cardinal", [chinese_cardinal, korean_cardinal, hindi_cardinal])
def test_the_first_ten_thousand_numbers_all_sound_different(cardinal: Callable[[str], str]) -> None:
    assert len({cardinal(str(number)) for number in range(10_001)}) == 10_001


def test_hindi_words_are_in_composed_normal_form() -> None:
    spoken = " ".join(hindi_cardinal(str(number)) for number in range(100))
    assert unicodedata.normalize("NFC", spoken) == spoken


def test_a_korean_particle_takes_the_form_of_the_last_sound() -> None:
    words = [
        ("킬로그램", "를"),
        ("미터", "을"),
        ("달러", "은"),
        ("원", "와"),
        ("와트", "으로"),
        ("그램", "로"),
        ("도", "이나"),
        ("볼", "으로"),
    ]
    assert [with_particle(*word) for word in words] == [
        "킬로그램을", "미터를", "달러는", "원과", "와트로", "그램으로", "도나", "볼로",
    ]  # fmt: skip
