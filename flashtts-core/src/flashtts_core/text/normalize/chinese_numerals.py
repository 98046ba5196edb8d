"""Chinese number words: cardinals by groups of ten thousand, digit strings, amounts with 两, signs and ranges."""

from __future__ import annotations

import re
from typing import Final

from .rewriting import NUMBER, NUMBER_START, plain

_DIGITS: Final = "零一二三四五六七八九"
_ONES: Final = str.maketrans("0123456789", _DIGITS)
_TELEPHONE: Final = str.maketrans("0123456789", _DIGITS.replace("一", "幺"))
_PLACES: Final = ("千", "百", "十", "")
_GROUPS: Final = ("", "万", "亿", "万亿")
_LONGEST: Final = 16  # digits; beyond that a reader spells them out

RANGE_MARK: Final = r" ?(?:[-－–—~～〜]{1,2}|到|至) ?"
SCALE: Final = r"(?:[多余]?[十百千]?(?:万亿|[万亿])|[十百千](?![米克瓦卡帕兆]))"
AMOUNT: Final = rf"{NUMBER_START}{NUMBER}{SCALE}?(?:{RANGE_MARK}{NUMBER}{SCALE}?)?(?![0-9])(?![.,][0-9])"
"""A count, optionally scaled (3.5万) or a range (3-5万); no sign."""

_RANGE: Final = re.compile(rf"({NUMBER})({SCALE}?)(?:{RANGE_MARK}({NUMBER})({SCALE}?))?", re.ASCII)


def digits(text: str) -> str:
    """Read every digit by itself; other characters stay."""
    return text.translate(_ONES)


def telephone(text: str) -> str:
    """Read digits as on the telephone, one as 幺."""
    return text.translate(_TELEPHONE)


def cardinal(number: str) -> str:
    """Read a string of ASCII digits as a count; 2000 is 两千, 200 is 二百."""
    number = number.lstrip("0") or "0"
    if len(number) > _LONGEST:
        return digits(number)
    if number == "0":
        return "零"
    padded = number.zfill(-(-len(number) // 4) * 4)
    groups = [padded[start : start + 4] for start in range(0, len(padded), 4)]
    spoken = ""
    for index, group in enumerate(groups):
        if group == "0000":
            continue
        # 零 bridges a gap of any length: 10,0050 and 1,0000,0050 both have one.
        bridge = "零" if spoken and (group[0] == "0" or groups[index - 1][-4:] == "0000") else ""
        scale = _GROUPS[len(groups) - 1 - index]
        if scale == "万亿" and groups[index + 1] != "0000":
            scale = "万"  # 1,2345,0000,0000 is 一万二千三百四十五亿
        spoken += bridge + _group(group) + scale
    if spoken.startswith("一十"):
        spoken = spoken[1:]
    return "两" + spoken[1:] if spoken[0] == "二" and spoken[1:2] in ("千", "万", "亿") else spoken


def _group(group: str) -> str:
    spoken, gap = "", False
    for digit, place in zip(group, _PLACES, strict=True):
        if digit == "0":
            gap = bool(spoken)
            continue
        spoken += ("零" if gap else "") + digits(digit) + place
        gap = False
    return spoken


def quantity(number: str) -> str:
    """Read one written number: grouping commas, decimals; leading zeros make it a code."""
    whole, point, fraction = plain(number).partition(".")
    if len(whole) > 1 and whole[0] == "0" and not point:
        return digits(whole)
    return cardinal(whole) + (f"点{digits(fraction)}" if point else "")


def amount(text: str, *, counting: bool = False) -> str:
    """Read what `AMOUNT` matches; `counting` says a measure word follows, so that a bare 2 is 两."""
    match = _RANGE.fullmatch(text)
    assert match is not None, "amount() takes what AMOUNT matched"
    first = _scaled(match[1], match[2], counting=counting)
    if match[3] is None:
        return first
    last = _scaled(match[3], match[4], counting=counting)
    falling = not match[2] and not match[4] and float(plain(match[1])) >= float(plain(match[3]))
    # 3-1 counts down: a label such as a door number, not a range.
    return f"{first}杠{last}" if falling and "-" in text else f"{first}到{last}"


def _scaled(number: str, scale: str, *, counting: bool) -> str:
    if number == "2" and (counting if not scale else scale[0] in "千万亿"):
        return "两" + scale
    return quantity(number) + scale


def money(number: str) -> str:
    """Read a price without the zeros that only fill its two decimals: 12.50 is 十二点五."""
    if re.fullmatch(r"[0-9,]+\.[0-9]{2}", number):
        number = number.rstrip("0").rstrip(".")
    return number
