"""Normalise Korean text for speech: native counters, dates, prices, codes, and units with the right particle.

Own rules rather than a package: the ones measured (docs/log.md) misread prices, decimals, telephones and native
counters, and took longer than the event loop allows. Sino-Korean numbers keep the spacing of the text (삼층); native
counts, money and units get a space (세 개, 만 원). Text without digits or the symbols of `_SYMBOL` returns unchanged.
"""

from __future__ import annotations

import re
from typing import Final

from .korean_codes import CODE_RULES, LATIN_RULES
from .korean_numerals import (
    AMOUNT,
    PARTICLE,
    RANGE_MARK,
    SCALED,
    adjoining,
    approximate,
    cardinal,
    counted,
    quantity,
    scaled,
    shifted,
    telephone,
    with_particle,
)
from .korean_time import DATE_RULES, TIME_RULES
from .rewriting import HARD_SPACE_RULE, NUMBER, STAMP, Rule, one_of, plain, rewrite, rule, spell_stamp

_CURRENCIES: Final = {
    "₩": "원", "￦": "원", "KRW": "원", "US$": "달러", "USD": "달러", "$": "달러", "＄": "달러", "€": "유로",
    "EUR": "유로", "£": "파운드", "GBP": "파운드", "¥": "엔", "￥": "엔", "JPY": "엔", "CNY": "위안", "₹": "루피",
}  # fmt: skip
_UNITS: Final = {
    "kg": "킬로그램", "KG": "킬로그램", "Kg": "킬로그램", "㎏": "킬로그램", "g": "그램", "mg": "밀리그램",
    "㎎": "밀리그램", "t": "톤", "km": "킬로미터", "KM": "킬로미터", "㎞": "킬로미터", "m": "미터",
    "cm": "센티미터", "㎝": "센티미터", "mm": "밀리미터", "㎜": "밀리미터", "nm": "나노미터", "m²": "제곱미터",
    "m2": "제곱미터", "㎡": "제곱미터", "km²": "제곱킬로미터", "km2": "제곱킬로미터", "㎢": "제곱킬로미터",
    "m³": "세제곱미터", "m3": "세제곱미터", "㎥": "세제곱미터", "L": "리터", "ℓ": "리터", "ml": "밀리리터",
    "mL": "밀리리터", "㎖": "밀리리터", "KB": "킬로바이트", "MB": "메가바이트", "GB": "기가바이트",
    "TB": "테라바이트", "Mbps": "메가비피에스", "Gbps": "기가비피에스", "Hz": "헤르츠", "kHz": "킬로헤르츠",
    "MHz": "메가헤르츠", "GHz": "기가헤르츠", "W": "와트", "kW": "킬로와트", "MW": "메가와트", "kWh": "킬로와트시",
    "V": "볼트", "mAh": "밀리암페어시", "dB": "데시벨", "kcal": "킬로칼로리", "m/s": "미터 퍼 세컨드",
    "ms": "밀리초", "%p": "퍼센트포인트", "%P": "퍼센트포인트", "%": "퍼센트", "％": "퍼센트", "‰": "퍼밀",
    "°": "도", "ha": "헥타르", "min": "분", "h": "시간", "mg/dL": "밀리그램 퍼 데시리터",
}  # fmt: skip
_WORD_UNITS: Final = (
    r"원|달러|유로|엔(?![진드])|위안(?!부)|파운드|퍼센트|분(?![기의야류석식양실])|초(?![등과반복])|톤|그램|킬로"
    r"|미터|리터|센티|밀리|평(?![균면양])"
)
_COUNTERS: Final = (
    r"개(?![월국년소사혁발정별])|명(?![절품])|살(?!인)|마리|권(?![역한])|병(?![원동실])|잔|벌(?![금써])|켤레|송이"
    r"|그루|채(?![널용])|척|대(?![학회표륙강통한책비기중째양주]| (?:과제|보험|강국|명절|원칙|요소|의혹|핵심|악재"
    r"|그룹|발명"
    r"|도시|뉴스|영양소|성인병|사업|과업|전략|은행|백화점|편의점))|장(?![관군학소애기]| ?[0-9]+ ?[절쪽페])|곳|가지"
    r"|달(?!러)|시간|사람|군데|그릇|접시|자루|쌍|줄|봉지|상자|조각|포기|바퀴|걸음|집(?!단)|방울|편(?!의)|곡"
    r"|건(?![물강설])|과목|문제|골(?!프)|컵|스푼|큰술|작은술|배(?!럴)|살배기|끼|모금|마디|박스|통(?![신계화])|번째"
    r"|번(?![호길역지])"
)
_LABEL_NUMBER: Final = (
    r"(?= ?번 ?(?:출구|버스|문제|선수|타자|타석|홈|트랙|방|창구|게이트|국도|지|마을|승강장|플랫폼|채널|좌석|테이블"
    r"|교향|을? ?누르|을? ?눌|[이가] ?정답))"
)
_SYMBOL: Final = re.compile(r"[0-9０-９℃℉㎡@½¼¾⅓⅔]|[a-z]\.[a-z]", re.ASCII)
_WIDE: Final = str.maketrans("０１２３４５６７８９％", "0123456789%")
_MINUS: Final = r"(?<![0-9A-Za-z가-힣)\]])[-−－–]"
_FRACTION_SIGNS: Final = {"½": "이분의 일", "¼": "사분의 일", "¾": "사분의 삼", "⅓": "삼분의 일", "⅔": "삼분의 이"}
_RANKS: Final = {"1": "첫", "2": "둘", "3": "셋", "4": "넷"}
_ENGLISH_DIGITS: Final = {"1": "원", "2": "투", "3": "쓰리"}
_OPERATORS: Final = {"+": "더하기", "×": "곱하기", "*": "곱하기", "x": "곱하기", "X": "곱하기", "÷": "나누기"}


def _span(first: str, last: str | None) -> str:
    return quantity(first) + (f"에서 {quantity(last)}" if last else "")


def _unit(match: re.Match[str]) -> str:
    sign, unit = {"": "", "+": "플러스 "}.get(match[1], "마이너스 "), _UNITS[match[4]]
    return f"{sign}{_span(match[2], match[3])} {with_particle(unit, match[5])}"


def _speed(match: re.Match[str]) -> str:
    return f"시속 {_span(match[1], match[2])} {with_particle('킬로미터', match[3])}"


def _temperature(match: re.Match[str]) -> str:
    named, sign, scale = match[1], match[2], match[5]
    head = named or ("영하" if sign else "화씨" if scale in ("℉", "°F") else "섭씨")
    return f"{head} {_span(match[3], match[4])} {with_particle('도', match[6])}"


def _money(match: re.Match[str]) -> str:
    sign, currency, scale = match[1], _CURRENCIES[match[2]], (match[5] or match[6] or "")[:1].upper()
    ends = [_sum(number, scale) for number in (match[3], match[4]) if number]
    return f"{'마이너스 ' if sign else ''}{'에서 '.join(ends)} {with_particle(currency, match[7])}"


def _sum(number: str, scale: str) -> str:
    """Read an amount of money; an English scale becomes Korean groups, $1.5B is 십오억 달러."""
    if scale and re.fullmatch(NUMBER, number):
        return quantity(shifted(number, {"K": 3, "M": 6, "B": 9, "T": 12}[scale]))
    return scaled(number.removesuffix(".00"))


def _counted_span(match: re.Match[str]) -> str:
    first, last, counter = match[1], match[2], match[3]
    if float(plain(first)) >= float(plain(last)):
        return f"{quantity(first)} 다시 {quantity(last)} {counter}"
    word = approximate(first, last)
    if word is None and (counter == "번" or (counter == "대" and first[-1] == last[-1] == "0")):
        return f"{quantity(first)}에서 {quantity(last)} {counter}"  # labels and ages: 1~10번, 20~30대
    return f"{word} {counter}" if word else f"{counted(first)} {counter}에서 {counted(last)} {counter}"


def _counted(match: re.Match[str]) -> str:
    number, counter = match[1], match[2]
    if counter == "번째" and number == "1":
        return "첫 번째"
    many = {"대": 0 if number.endswith("0") and len(number) == 2 else 99, "번": 20, "시간": 20}.get(counter, 999)
    # A longer count than three digits is Sino-Korean in any case.
    native = len(number) <= 3 and number.isdigit() and int(number) <= many
    return f"{counted(number) if native else quantity(number)} {counter}"


def _hyphen(match: re.Match[str]) -> str:
    """A rising span before a counter is a range, any other hyphen is a house or door number."""
    first, last, rising = match[1], match[2], float(plain(match[1])) < float(plain(match[2]))
    between = "에서" if match[3] and rising else " 다시"
    return f"{quantity(first)}{between} {quantity(last)}"


def _fraction(match: re.Match[str]) -> str:
    over, under = match[1], match[2]
    if int(over) >= int(under):
        return f"{cardinal(over)}에 {cardinal(under)}"  # 120/80: two readings, not a part of something
    return f"{cardinal(under)}분의 {cardinal(over)}"


_RULES: Final[tuple[Rule, ...]] = (
    HARD_SPACE_RULE,
    rule(r"(?<=[0-9])：(?=[0-9])", ":"),
    rule(STAMP, lambda m: spell_stamp(m, " ", " 점 ", telephone, ("플러스", "마이너스"))),
    *DATE_RULES,
    *CODE_RULES,
    *TIME_RULES,
    # Money.
    rule(
        rf"({_MINUS})?(US\$|[₩￦$＄€£¥￥₹]|\b(?:KRW|USD|EUR|GBP|JPY|CNY)(?= ?[0-9])) ?({SCALED}"
        rf"|{AMOUNT})(?:[-–~～][$＄€£¥￥₩]?({NUMBER}(?![0-9.]| ?[개명만천억])))?"
        r"(?:([KMBT])(?![A-Za-z0-9])| ?(million|billion|trillion)\b)?"
        rf"(?: ?(?:원|달러|유로|엔))?({PARTICLE})",
        _money,
    ),
    # Fractions, arithmetic.
    rule(r"[½¼¾⅓⅔]", lambda m: _FRACTION_SIGNS[m[0]]),
    rule(r"(?<![0-9.,/])([1-4])[/·]4(?= ?분기)", lambda m: f"{cardinal(m[1])}사"),
    rule(r"(?<![0-9.,/])([0-9]{1,4})/([1-9][0-9]{0,3})(?![0-9/.]| ?[A-Za-z])", _fraction),
    rule(
        r"(?<![0-9])([123])\+([123])(?= ?(?:행사|이벤트|할인|증정|상품|으로))",
        lambda m: f"{_ENGLISH_DIGITS[m[1]]} 플러스 {_ENGLISH_DIGITS[m[2]]}",
    ),
    rule(r"(?<=[0-9]) ?[+×*÷xX] ?(?=[0-9])", lambda m: f" {_OPERATORS[m[0].strip()]} "),
    rule(r"(?<=[0-9]) ?[-−] ?(?=[0-9]+ ?=)", " 빼기 "),
    rule(
        r"(?<![0-9])([0-9]+) ?= ?(?=[-−]?[0-9])",
        lambda m: f"{quantity(m[1])}{'은' if with_particle(quantity(m[1]), '은').endswith('은') else '는'} ",
    ),
    rule(r"(?<=[A-Za-z]) ?= ?(?=[-−]?[0-9])", "는 "),
    rule(r"(?<=[가-힣])(?<![0-9][십백천만억조])(?<![0-9][십백천][만억조])-(?=[0-9])", " "),
    rule(r"(?<=[0-9])\+(?![0-9A-Za-z])", " 플러스"),
    rule(r"(?<![0-9A-Za-z])\+(?=[0-9])", "플러스 "),
    rule(r"(?<=[0-9])\^([0-9]+)", lambda m: f"의 {cardinal(m[1])}제곱"),
    rule(r"±(?=[0-9])", "플러스마이너스 "),
    # Units.
    rule(rf"(?:시속 ?)?({AMOUNT})(?:{RANGE_MARK}({NUMBER}))? ?(?:km|㎞)/h({PARTICLE})", _speed),
    rule(
        rf"(?:(섭씨|화씨|영하|영상) ?)?({_MINUS})?({AMOUNT})(?:{RANGE_MARK}({NUMBER}))? ?(℃|℉|°C|°F)({PARTICLE})",
        _temperature,
    ),
    rule(rf"{_MINUS}({AMOUNT})(?= ?도)", lambda m: f"영하 {quantity(m[1])} "),
    rule(
        rf"(?<![A-Za-z])({_MINUS}|(?<![0-9])\+"
        rf"|)({AMOUNT})%?(?:{RANGE_MARK}({NUMBER}))? ?({one_of(_UNITS)})(?![A-Za-z0-9²³])({PARTICLE})",
        _unit,
    ),
    *LATIN_RULES,
    # Counts.
    rule(
        rf"제 ?({AMOUNT})(?:-([0-9]+))?",
        lambda m: f"제{quantity(m[1])}" + (f" 다시 {quantity(m[2])}" if m[2] else ""),
    ),
    rule(rf"({SCALED}){RANGE_MARK}(?={SCALED})", lambda m: f"{scaled(m[1])}에서 "),
    rule(r"(?<![0-9.,])([0-9])[~～∼〜]([0-9])(?=[십백천만억조])", lambda m: adjoining(m[1], m[2])),
    rule(rf"({AMOUNT}) ?[-–~～∼〜] ?(?={SCALED})", lambda m: f"{quantity(m[1])}에서 "),
    rule(rf"({SCALED})( ?)(?={_WORD_UNITS})", lambda m: f"{scaled(m[1])} "),
    rule(SCALED, lambda m: scaled(m[0])),
    rule(r"(?<![0-9.-])(?:1[0-9]|[1-9])" + _LABEL_NUMBER, lambda m: cardinal(m[0])),
    rule(
        r"((?:버스|차량|자동차|승용차|트럭|택시|오토바이|자전거|컴퓨터|노트북|항공기|전투기|드론|서버|카메라"
        r"|로봇) ?)([1-9]0) ?대(?![가-힣])",
        lambda m: f"{m[1]}{counted(m[2])} 대",
    ),
    rule(r"(?<![0-9.,])([1-9])째", lambda m: f"{_RANKS.get(m[1]) or counted(m[1])}째"),
    rule(rf"({AMOUNT}){RANGE_MARK}({AMOUNT}) ?({_COUNTERS})", _counted_span),
    rule(
        r"(?<![월0-9.,])(?<!월 )([0-9])[~～∼〜]([0-9])( ?)(?=일(?!본)|년|주|개월|분|초|인분)",
        lambda m: f"{adjoining(m[1], m[2])}{m[3]}",
    ),
    rule(r"(?<![0-9.,])([0-9])[-–]([0-9])(?= ?(?:개월|주간|일간|년간|인분))", lambda m: adjoining(m[1], m[2])),
    rule(rf"({AMOUNT}) ?({_COUNTERS})", _counted),
    rule(rf"({AMOUNT}) ?[~～∼〜] ?(?=[0-9])", lambda m: f"{quantity(m[1])}에서 "),
    rule(
        rf"({AMOUNT})[-–]({AMOUNT})"
        rf"(?=( ?(?:[일년주분초회점위인층도세]|개[월국년소]|쪽|페이지|학년|교시|등급|{_WORD_UNITS}))?)",
        _hyphen,
    ),
    rule(rf"{_MINUS}(?={AMOUNT})", "마이너스 "),
    rule(rf"({AMOUNT})( ?)(?={_WORD_UNITS})", lambda m: f"{quantity(m[1])} "),
    rule(AMOUNT, lambda m: quantity(m[0])),
    rule(r"[0-9]+", lambda m: quantity(m[0])),
)


def normalize(text: str) -> str:
    """Return `text` with written forms spelled out in Hangul; tags and plain words stay as they are."""
    if _SYMBOL.search(text) is None:
        return text
    return rewrite(text.translate(_WIDE), _RULES)
