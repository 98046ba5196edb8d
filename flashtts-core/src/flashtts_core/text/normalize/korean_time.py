"""Korean rules for dates, months, clock times, scores and ratios."""

from __future__ import annotations

import re
from typing import Final

from .korean_numerals import RANGE_MARK, cardinal, counted, quantity
from .rewriting import Rule, rule

_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_YEAR: Final = r"(?:1[0-9]{3}|20[0-9]{2}|21[0-9]{2})"
_CLOCK: Final = r"(?<![0-9.,])(?<![0-9]:)([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])"
_OUTCOME: Final = (
    r"(?= ?(?:로|으로) ?(?:승|이[기겼긴]|패|졌|꺾|앞|대승|완승|역전|제압|마무리|끝|비[겼긴기]|물리)| ?(?:승리|패배"
    r"|무승부|완승|대승|역전승))"
)
_SUFFIX: Final = "년월일시분초원%도층위세호살개명주절장회"


def _month(number: str) -> str:
    spoken = {"6": "유", "10": "시"}.get(number.lstrip("0"))
    return (spoken or cardinal(number)) + "월"


def _date(year: str, month: str, day: str) -> str:
    return f"{cardinal(year)}년 {_month(month)} {cardinal(day)}일"


def _hour(number: str) -> str:
    """Hours of the half day are counted natively, those of the 24-hour clock are Sino-Korean."""
    return counted(str(int(number))) if 1 <= int(number) <= 12 else cardinal(number)


def _clock(hour: str, minute: str | None, second: str | None) -> str:
    spoken = f"{_hour(hour)} 시"
    if minute is not None and (minute != "00" or second is not None):
        spoken += f" {cardinal(minute)} 분"
    return spoken + (f" {cardinal(second)} 초" if second is not None else "")


def _half_day(match: re.Match[str]) -> str:
    mark = match[1] or match[5]
    return ("오전 " if mark in "Aa" else "오후 ") + _clock(match[2], match[3] or None, match[4] or None)


def _ratio(match: re.Match[str]) -> str:
    return " 대 ".join(quantity(number) for number in re.findall(r"[0-9]+(?:\.[0-9]+)?", match[0]))


DATE_RULES: Final[tuple[Rule, ...]] = (
    rule(
        rf"(?<![0-9.,/])(?<![0-9A-Za-z]-)({_YEAR})([-/])({_MONTH})\2({_DAY})(?![0-9]|[-/.][0-9])",
        lambda m: _date(m[1], m[3], m[4]),
    ),
    # 2024. 6. 1. ends in a dot of its own.
    rule(
        rf"(?<![0-9.,/])(?<![0-9A-Za-z]-)({_YEAR})\. ?({_MONTH})\. ?({_DAY})(?![0-9]|\.[0-9])\.?",
        lambda m: _date(m[1], m[2], m[3]),
    ),
    rule(
        rf"(?<![0-9.,/])(?<![0-9A-Za-z]-)({_YEAR})-(0[1-9])(?![0-9]|[-/.][0-9])",
        lambda m: f"{cardinal(m[1])}년 {_month(m[2])}",
    ),
    rule(rf"['’‘]([0-9]{{2}})\. ?({_MONTH})\. ?({_DAY})(?![0-9])\.?", lambda m: _date(m[1], m[2], m[3])),
    rule(
        rf"(?<![0-9.,/-])({_MONTH})/({_DAY})(?= ?\([월화수목금토일]\))", lambda m: f"{_month(m[1])} {cardinal(m[2])}일"
    ),
)

TIME_RULES: Final[tuple[Rule, ...]] = (
    rule(rf"(?<=[0-9][{_SUFFIX}]) ?[-–~～∼〜] ?(?=[0-9]|오[전후])", "에서 "),
    rule(rf"(?<![0-9.,])({_MONTH}){RANGE_MARK}({_MONTH})월(?!요일)", lambda m: f"{_month(m[1])}에서 {_month(m[2])}"),
    rule(rf"(?<![0-9.,])({_MONTH})(?= ?월(?!요일))( ?)월", lambda m: _month(m[1])),
    rule(
        r"(?<![0-9.,A-Za-z])(?:([AaPp])\.?[Mm]\.? ?)([01]?[0-9]):([0-5][0-9])(?::([0-5][0-9]))?()(?![0-9:])", _half_day
    ),
    rule(_CLOCK.replace("([01]?", "()([01]?", 1) + r" ?([AaPp])\.?[Mm]\b\.?", _half_day),
    rule(r"(?<![0-9.,:A-Za-z])()(1[0-2]|[1-9])()() ?([AaPp])\.?[Mm]\b\.?", _half_day),
    rule(r"(?<=스코어 )[0-9]{1,3} ?[-:] ?[0-9]{1,3}(?![0-9])", _ratio),
    rule(r"(?<![0-9])[0-9]{1,3} ?[-:] ?[0-9]{1,3}" + _OUTCOME, _ratio),
    rule(rf"(?<=[0-9]:[0-9]{{2}}){RANGE_MARK}(?=[0-9]{{1,2}}:)", "에서 "),
    rule(_CLOCK, lambda m: _clock(m[1], m[2], m[3])),
    rule(
        rf"(?<![0-9.,])([01]?[0-9]|2[0-4]){RANGE_MARK}([01]?[0-9]|2[0-4]) ?시(?![간즌리])",
        lambda m: f"{_hour(m[1])} 시에서 {_hour(m[2])} 시",
    ),
    rule(r"(?<![0-9.,])([01]?[0-9]|2[0-4]) ?시(?![간즌리군점])", lambda m: f"{_hour(m[1])} 시"),
    rule(r"(?<![0-9])[0-9]+(?:\.[0-9]+)?(?: ?: ?[0-9]+(?:\.[0-9]+)?)+(?![0-9])", _ratio),
    rule(r"(?<![0-9.,])([0-9]{1,3}) ?대 ?([0-9]{1,3})(?![0-9])", lambda m: f"{quantity(m[1])} 대 {quantity(m[2])}"),
)
