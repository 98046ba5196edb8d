"""Korean number words: Sino-Korean cardinals and digit strings, native counts, and the particle after a word."""

from __future__ import annotations

import re
from typing import Final

from .rewriting import NUMBER, NUMBER_START, plain

_SINO: Final = "영일이삼사오육칠팔구"
_CARDINAL_DIGITS: Final = str.maketrans("0123456789", _SINO)
_TELEPHONE_DIGITS: Final = str.maketrans("0123456789", "공" + _SINO[1:])
_PLACES: Final = ("천", "백", "십", "")
_GROUPS: Final = ("", "만", "억", "조")
_LONGEST: Final = 16  # digits; beyond that a reader spells them out
_NATIVE_ONES: Final = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS: Final = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_APPROXIMATE: Final = {
    "12": "한두", "23": "두세", "34": "서너", "45": "네다섯", "56": "대여섯", "67": "예닐곱", "78": "일고여덟",
    "89": "여덟아홉",
}  # fmt: skip

SCALE: Final = r"(?:[십백천]?만(?!큼)|[십백천]?억|[십백천]?조(?![각건항선별])|[백천](?![화신장국연안막문자]))"
RANGE_MARK: Final = r" ?[-–—~～∼〜] ?"
AMOUNT: Final = rf"{NUMBER_START}{NUMBER}(?![0-9])(?![.,][0-9])"
_REMAINDER: Final = r"(?: ?(?:[0-9],[0-9]{3}|[0-9]{1,4})(?= ?[원명개]))?"
SCALED: Final = rf"{NUMBER_START}{NUMBER}{SCALE}(?: ?{NUMBER}{SCALE}){{0,3}}{_REMAINDER}(?![0-9])"
"""Numbers with written scales, 3억 5천만, up to a remainder before a counter, 1만 30원."""

_SCALED: Final = re.compile(rf"({NUMBER})({SCALE}?)", re.ASCII)


def digits(text: str) -> str:
    """Read every digit by itself, zero as 영; other characters stay."""
    return text.translate(_CARDINAL_DIGITS)


def telephone(text: str) -> str:
    """Read digits as on the telephone and in codes, zero as 공."""
    return text.translate(_TELEPHONE_DIGITS)


def cardinal(number: str) -> str:
    """Read a string of ASCII digits as a Sino-Korean count, with a space after 만, 억 and 조."""
    number = number.lstrip("0") or "0"
    if len(number) > _LONGEST:
        return telephone(number)
    if number == "0":
        return "영"
    padded = number.zfill(-(-len(number) // 4) * 4)
    groups = [padded[start : start + 4] for start in range(0, len(padded), 4)]
    words = []
    for index, group in enumerate(groups):
        if group != "0000":
            scale = _GROUPS[len(groups) - 1 - index]
            # 만 stands alone for 10000, 억 and 조 do not.
            words.append(scale if scale == "만" and group == "0001" else _group(group) + scale)
    return " ".join(words)


def _group(group: str) -> str:
    spoken = ""
    for digit, place in zip(group, _PLACES, strict=True):
        if digit != "0":
            spoken += (digits(digit) if digit != "1" or not place else "") + place
    return spoken


def quantity(number: str) -> str:
    """Read one written number: grouping commas, decimals; leading zeros make it a code."""
    whole, point, fraction = plain(number).partition(".")
    if len(whole) > 1 and whole[0] == "0" and not point:
        return telephone(whole)
    return cardinal(whole) + (f" 점 {digits(fraction)}" if point else "")


def scaled(text: str) -> str:
    """Read numbers with written scales: 3억 5천만 is 삼억 오천만, 1만5천 is 만 오천."""
    words: list[str] = []
    for number, scale in _SCALED.findall(text):
        silent_one = number == "1" and scale[:1] in ("십", "백", "천", "만")  # 만 명, but 일억 명
        word = ("" if silent_one else quantity(number)) + scale
        if words and words[-1][-1] in "백천":
            words[-1] += word  # 2천900 is one group of four digits
        else:
            words.append(word)
    return " ".join(words)


def shifted(number: str, places: int) -> str:
    """Multiply a written number by a power of ten: 1.5 by nine places is 1500000000."""
    whole, _, fraction = plain(number).partition(".")
    moved = (whole + fraction[:places].ljust(places, "0")).lstrip("0") or "0"
    return f"{moved}.{fraction[places:]}" if len(fraction) > places else moved


def counted(number: str) -> str:
    """Read a number before a native counter: 3 is 세, 20 is 스무, 101 is 백한, 1234 is 천이백삼십사."""
    number = plain(number)
    if "." in number or number.startswith("0") or len(number) > 3:
        return quantity(number)
    value = int(number)
    rest = value % 100
    if value >= 100 and rest >= 20:
        return cardinal(number)
    head = cardinal(str(value - rest)) if value >= 100 else ""
    if rest == 20:
        return head + "스무"
    return head + _NATIVE_TENS[rest // 10] + _NATIVE_ONES[rest % 10]


def approximate(first: str, last: str) -> str | None:
    """Return the native word for two neighbouring small counts, 3 and 4 is 서너, or None."""
    return _APPROXIMATE.get(first + last) if len(first) == len(last) == 1 else None


def adjoining(first: str, last: str) -> str:
    """Read a span of numbers: 3 and 5 is 삼에서 오, but the neighbours 2 and 3 are 이삼."""
    if len(first) == len(last) == 1 and first != "0" and int(last) == int(first) + 1:
        return "오륙" if first == "5" else digits(first + last)
    return f"{quantity(first)}에서 {quantity(last)}"


_PARTICLE_PAIRS: Final = (
    ("을", "를"), ("은", "는"), ("이", "가"), ("과", "와"), ("으로", "로"), ("이나", "나"),
    ("이라", "라"), ("이며", "며"),
)  # fmt: skip
_PARTICLES: Final = {form: pair for pair in _PARTICLE_PAIRS for form in pair}
PARTICLE: Final = r"(?:(?:으로|이나|이라|이며|[을를은는이가과와로나라며])(?![가-힣])|(?:으로|로)(?=[는써도서]))?"


def with_particle(word: str, particle: str) -> str:
    """Join a word ending in Hangul and a particle in the form that its last sound asks for."""
    if particle not in _PARTICLES:
        return word + particle
    final = (ord(word[-1]) - 0xAC00) % 28 if "가" <= word[-1] <= "힣" else 0
    closed = final != 0 and not (final == 8 and particle in ("으로", "로"))  # ㄹ takes 로
    return word + _PARTICLES[particle][0 if closed else 1]
