"""Korean rules for numbers that are names: telephones, codes, versions, anniversaries, and names like GPT-4."""

from __future__ import annotations

import re
from typing import Final

from .addresses import AddressWords, address_rule
from .korean_numerals import cardinal, digits, quantity, telephone
from .rewriting import CARD, Rule, one_of, rule

_ADDRESS_WORDS: Final = AddressWords(
    marks={
        ".": "점", "@": "골뱅이", "/": "슬래시", "-": "하이픈", "_": "밑줄", ":": "콜론", "?": "물음표",
        "=": "는", "&": "앤드", "#": "샵", "%": "퍼센트", "+": "플러스", "~": "물결",
    },
    digits=telephone,
    gap=" ",
)  # fmt: skip
# Names whose number Koreans say in English.
_ENGLISH_NAMES: Final = {
    "GPT-3": "GPT 쓰리", "GPT-4": "GPT 포", "GPT-5": "GPT 파이브", "GPT3": "GPT 쓰리", "GPT4": "GPT 포",
    "GPT5": "GPT 파이브", "MP3": "엠피쓰리", "MP4": "엠피포", "PS4": "PS 포", "PS5": "PS 파이브", "A3": "에이쓰리",
    "A4": "에이포", "2G": "투지", "3G": "쓰리지", "4G": "포지", "5G": "파이브지", "2D": "투디", "3D": "쓰리디",
    "4D": "포디", "4K": "포케이", "8K": "에이트케이", "B2B": "비투비", "B2C": "비투시", "P2P": "피투피",
    "O2O": "오투오", "CO2": "시오투",
}  # fmt: skip
_COUNTED_AHEAD: Final = (
    r"(?! ?(?:[개명원년월일시분초층번호회차대세위도배점자줄건장권쪽%℃만억천]|글자|킬로|미터|[.,]?[0-9]))"
)
_ANNIVERSARY: Final = (
    r"(?= ?(?:절|전쟁|사변|민주|혁명|운동|항쟁|광복|사태|사건|선언|참사|대선|총선|지방선거|의거|계엄|쿠데타|정신"
    r"|당시|기념))"
)


def _telephone(match: re.Match[str]) -> str:
    text = match[0]
    prefix = "플러스 " if text[0] == "+" else ""
    return prefix + ", ".join(telephone(group) for group in re.findall(r"[0-9]+", text))


def _dotted(match: re.Match[str]) -> str:
    return " 점 ".join(telephone(g) if len(g) > 1 and g[0] == "0" else cardinal(g) for g in match[0].split("."))


def _address_of_network(match: re.Match[str]) -> str:
    return " 점 ".join(telephone(group) for group in match[0].split("."))


def _anniversary(match: re.Match[str]) -> str:
    """6·25 is 육이오, 12·12 is 십이십이: the day is spelled unless it repeats the month."""
    month, day = match[1], match[2]
    return cardinal(month) + (cardinal(day) if month == day else digits(day))


def _beside_latin(number: str) -> str:
    whole, point, fraction = number.partition(".")
    spoken = telephone(whole) if len(whole) > 2 or whole[0] == "0" else cardinal(whole)
    return spoken + (f" 점 {digits(fraction)}" if point else "")


def _model_number(match: re.Match[str]) -> str:
    number = match[1]
    return quantity(number) if len(number) <= 2 or number.endswith("00") else telephone(number)


CODE_RULES: Final[tuple[Rule, ...]] = (
    address_rule(_ADDRESS_WORDS),
    # Codes named as such.
    rule(
        r"((?:비밀번호|인증번호|인증코드|확인번호|계좌번호|계좌|카드번호|우편번호|주문번호|예약번호|송장번호"
        r"|등록번호|전화번호|내선번호?|수험번호|학번|사번|코드|번호|아이디|ID|PIN)(?:는|은|가|이"
        r"|:)? ?)(?=[A-Za-z]{0,4}[0-9]{2})([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)(?!번)" + _COUNTED_AHEAD,
        lambda m: m[1] + telephone(m[2]).replace("-", ", "),
    ),
    # Telephones: mobile, area, national 15xx numbers, emergency.
    rule(r"(?<![0-9.+-])\+[1-9][0-9]{0,2} ?\([0-9]{1,4}\)(?:[ -]?[0-9]{2,5}){1,4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.+-])\+[1-9][0-9]{0,2}(?:[ -][0-9]{1,5}){2,5}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])01[016789]([-. ]?)[0-9]{3,4}\1[0-9]{4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])\(?0(?:2|[3-8][0-9])[)-][ -]?[0-9]{3,4}[- ][0-9]{4}(?![0-9])", _telephone),
    rule(r"(?<=국번 없이 )[0-9]{3,4}(?![0-9])", _telephone),
    rule(r"(?<![0-9.-])1[4-8][0-9]{2}-[0-9]{4}(?![0-9-])", _telephone),
    rule(
        r"(?<![0-9.,])(?:11[0-9]|12[0-9]|13[0-9]{2})(?=에 ?(?:신고|전화|연락|문의|도움)|로 ?(?:신고|전화|연락"
        r"|문의)|번에|번으로| ?(?:신고|구급|구조|대원|다산|상황실|안전|콜센터|종합상황|전화))",
        _telephone,
    ),
    # Anniversaries, versions, network addresses, long identifiers.
    rule(r"(?<![0-9.·])(1[0-2]|[1-9])[·ㆍ.]([1-3]?[0-9])(?![0-9.])" + _ANNIVERSARY, _anniversary),
    rule(r"(?<![0-9.·])(1[0-2]|[1-9])[·ㆍ]([1-3]?[0-9])(?![0-9.·ㆍ])", _anniversary),
    rule(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])(?!\.[0-9])", _address_of_network),
    rule(r"(?<![0-9.])[0-9]{1,5}(?:\.[0-9]{1,5}){2,}(?![0-9])(?!\.[0-9])", _dotted),
    rule(
        r"(?<![0-9.,-])[0-9]{2,}(?:-[0-9]+){2,}(?![0-9])(?!-[0-9])",
        lambda m: telephone(m[0]).replace("-", ", "),
    ),
    rule(r"(?<![0-9.,-])" + CARD + r"(?![0-9]|[ .,-][0-9])", _telephone),
    rule(r"(?<![0-9.,-])[0-9](?:-[0-9]){2,3}(?= ?(?:포메이션|전형|전술))", lambda m: digits(m[0].replace("-", ""))),
    rule(
        r"(?<![0-9.,-])[0-9](?:-[0-9]+){2,}(?![0-9])(?!-[0-9])",
        lambda m: " 다시 ".join(quantity(group) for group in m[0].split("-")),
    ),
    rule(r"(?<![0-9.,-])[0-9]{6}-[0-9]{7}(?![0-9])", _telephone),
    rule(r"(?<![0-9.,])(?:1020|2030|3040|4050|5060)(?= ?세대)", _telephone),
    rule(r"(?<=코로나)-?19(?![0-9])", "일구"),
    rule(r"\bN[Oo]\. ?([0-9]+)(?![0-9.])", lambda m: f"넘버 {'원' if m[1] == '1' else cardinal(m[1])}"),
    rule(r"\bT[Oo][Pp] ?10(?![0-9])", "톱 텐"),
    rule(r"(?<![0-9.,])([0-9]+)(?:st|nd|rd|th)\b", r"\1번째"),
    rule(r"(?<![0-9.,])(?![0-9]+0000)[0-9]{9,}" + _COUNTED_AHEAD, _telephone),
)

LATIN_RULES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\b[A-Z])\.([0-9]{3})(?![0-9.])", lambda m: f" {telephone(m[1])}"),
    rule(rf"(?<![A-Za-z0-9-]){one_of(_ENGLISH_NAMES)}(?![A-Za-z0-9]|[.-][0-9])", lambda m: _ENGLISH_NAMES[m[0]]),
    rule(r"(?<![A-Za-z0-9-])GPT-?4(?=o|-)", "GPT 포 "),
    rule(r"(?<=[A-Za-z])[-–]([0-9]+(?:\.[0-9]+)?)(?![0-9])", lambda m: " " + _beside_latin(m[1])),
    rule(r"(?<=[A-Za-z])([0-9]+(?:\.[0-9]+)?)(?![0-9])", lambda m: _beside_latin(m[1])),
    rule(r"(?<![0-9.,])([0-9]+(?:\.[0-9]+)?)(?=[A-Za-z])", lambda m: _beside_latin(m[1])),
    rule(r"(?<=[A-Za-z] )([0-9]{1,4})(?![0-9:%~]|[.,-][0-9])" + _COUNTED_AHEAD, _model_number),
)
