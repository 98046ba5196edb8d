"""Hindi rules for dates, years, clock times, scores and ratios."""

from __future__ import annotations

import re
from typing import Final

from .hindi_numerals import RANGE_MARK, cardinal, quantity, year
from .rewriting import Rule, one_of, rule

_MONTHS: Final = (
    "जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर",
)  # fmt: skip
_MONTH_NAME: Final = one_of((*_MONTHS, "फरवरी", "सितम्बर", "अक्तूबर", "नवम्बर", "दिसम्बर"))
_MONTH: Final = r"(0?[1-9]|1[0-2])"
_DAY: Final = r"(0?[1-9]|[12][0-9]|3[01])"
_YEAR: Final = r"(1[0-9]{3}|20[0-9]{2}|21[0-9]{2})"
_CLOCK: Final = r"(?<![0-9.,])(?<![0-9]:)([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])"
_OUTCOME: Final = r"(?=\s(?:से|की)\s(?:जीत|हरा|हार|बढ़त|मात|शिकस्त|आगे|पराजित|अपने|बराबर))"
_LAST_PLAIN_HOUR: Final = 12


def _date(day: str, month: str, full_year: str) -> str:
    if len(full_year) == 2:
        full_year = ("20" if full_year < "50" else "19") + full_year
    return f"{cardinal(day)} {_MONTHS[int(month) - 1]} {year(full_year)}"


def _clock(hour: str, minute: str, ending: str = " बजे") -> str:
    """Quarters and halves of the half day have names; other minutes are counted, and take पर where बजे stood."""
    number = int(hour)
    if minute == "00":
        return f"{cardinal(hour)}{ending}"
    if 1 <= number <= _LAST_PLAIN_HOUR and minute in ("15", "30", "45"):
        following = cardinal(str(number % _LAST_PLAIN_HOUR + 1))
        named = {
            "15": f"सवा {cardinal(hour)}",
            "30": {1: "डेढ़", 2: "ढाई"}.get(number) or f"साढ़े {cardinal(hour)}",
            "45": f"पौने {following}",
        }
        return named[minute] + ending
    return f"{cardinal(hour)} बजकर {cardinal(minute)} मिनट"


def _time(match: re.Match[str]) -> str:
    hour, minute, second, ending = match[1], match[2], match[3], match[4]
    if second is not None:
        return f"{cardinal(hour)} बजकर {cardinal(minute)} मिनट {cardinal(second)} सेकंड"
    spoken = _clock(hour, minute)
    joined = (
        ending
        and spoken.endswith("मिनट")
        and re.match(r"\s(?:से|तक|पर|का|की|के)\b| ?[।.,-]", match.string[match.end() :]) is None
    )
    return spoken + (" पर" if joined else "")


def _point_time(match: re.Match[str]) -> str:
    """Read 10.30 बजे, a time with a point."""
    return _clock(match[1], match[2])


def _half_day(match: re.Match[str]) -> str:
    hour = int(match[1])
    if match[3] in "Aa":
        name = "रात" if hour in (12, 1, 2, 3) else "सुबह"
    else:
        name = "दोपहर" if hour in (12, 1, 2, 3) else "शाम" if hour < 8 else "रात"
    return f"{name} {_clock(match[1], match[2] or '00')}"


def _score(match: re.Match[str]) -> str:
    return " ".join(quantity(number) for number in re.findall("[0-9]+", match[0]))


def _ratio(match: re.Match[str]) -> str:
    return " अनुपात ".join(quantity(number) for number in re.findall(r"[0-9]+(?:\.[0-9]+)?", match[0]))


DATE_RULES: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![0-9])0(?=[1-9]\s{_MONTH_NAME})", ""),
    rule(rf"(?<![0-9.,/-]){_DAY}([-/.]){_MONTH}\2{_YEAR}(?![0-9]|[-/.][0-9])", lambda m: _date(m[1], m[3], m[4])),
    rule(rf"(?<![0-9.,/-]){_DAY}/{_MONTH}/([0-9]{{2}})(?![0-9/.-])", lambda m: _date(m[1], m[2], m[3])),
    rule(
        r"(?<![0-9.,/-])([0-3][0-9])([-.])([01][0-9])\2([0-9]{2})(?![0-9]|[-/.][0-9])",
        lambda m: _date(m[1], m[3], m[4]) if 0 < int(m[1]) < 32 and 0 < int(m[3]) < 13 else m[0],
    ),
    rule(rf"(?<![0-9.,/-]){_YEAR}([-/.]){_MONTH}\2{_DAY}(?![0-9]|[-/.][0-9])", lambda m: _date(m[4], m[3], m[1])),
)

TIME_RULES: Final[tuple[Rule, ...]] = (
    # Years.
    rule(
        rf"(?<![0-9.,]){_YEAR}{RANGE_MARK}([0-9]{{2}})(?![0-9]| ?(?:[%°]|रुप))",
        lambda m: f"{year(m[1])} {cardinal(m[2])}",
    ),
    rule(rf"(?<![0-9.,]){_YEAR}{RANGE_MARK}{_YEAR}(?![0-9.,])", lambda m: f"{year(m[1])} से {year(m[2])}"),
    rule(rf"({_MONTH_NAME},? ?){_YEAR}(?![0-9.,][0-9])", lambda m: m[1] + year(m[2])),
    rule(rf"((?:सन्?|वर्ष|साल|ईस्वी|संवत|सत्र)\s){_YEAR}(?![0-9]|[.,][0-9])", lambda m: m[1] + year(m[2])),
    rule(rf"(?<![0-9.,]){_YEAR}\sई\.(?!पू)", lambda m: f"{year(m[1])} ईस्वी"),
    rule(
        rf"(?<![0-9.,]){_YEAR}(?=\s(?:ईस्वी|का दशक|के दशक|की क्रांति|का विद्रोह|के विद्रोह|के दौरान|के दंगे|का विश्व|के विश्व"
        rf"|के चुनाव|के लोकसभा))",
        lambda m: year(m[1]),
    ),
    rule(
        r"(?<![0-9.,₹])(1[1-9][0-9][1-9]|19[0-9]{2})(?=\s(?:में|से|तक|के|की|का|को)(?![\u0900-\u0963\u0966-\u097f]))",
        lambda m: year(m[1]),
    ),
    rule(r"(?<=[0-9]वीं) ?[-–] ?(?=[0-9])", "-"),
    # Clock times.
    rule(_CLOCK.replace("(?::([0-5][0-9]))?", "") + r" ?([AaPp])\.?[Mm]\b\.?(?: ?बजे)?", _half_day),
    rule(r"(?<![0-9.,:A-Za-z])(1[0-2]|[1-9])() ?([AaPp])\.?[Mm]\b\.?(?: ?बजे)?", _half_day),
    rule(r"(?<![0-9])[0-9]{1,3}[-:–][0-9]{1,3}" + _OUTCOME, _score),
    rule(r"(?<=स्कोर\s)([0-9]{1,3})/([0-9]{1,2})(?![0-9])", lambda m: f"{cardinal(m[1])} पर {cardinal(m[2])}"),
    rule(r"(?<=स्कोर\s)[0-9]{1,3}[-:–][0-9]{1,3}(?![0-9])", _score),
    rule(r"(?<![0-9])[0-9]{1,3}:[0-9]{1,3}(?=\sके अनुपात)", _score),
    rule(rf"(?<=[0-9]:[0-9]{{2}}){RANGE_MARK}(?=[0-9]{{1,2}}:)", " से "),
    rule(_CLOCK + r"( ?बजे)?", _time),
    rule(r"(?<![0-9.,:])([01]?[0-9]|2[0-4])\.([0-5][0-9]) ?बजे", _point_time),
    rule(r"(?<![0-9])[0-9]+(?:\.[0-9]+)?(?::[0-9]+(?:\.[0-9]+)?)+(?![0-9])", _ratio),
)
