"""English dates and times of day: "March fifth", "the fifth of March", "nine oh five", "three thirty PM".

Numeric dates with slashes lead with the month unless it cannot be one; with points they lead with the day.
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re
from abc import ABC

from flashtts_core.text.normalize.european import english_words as words
from flashtts_core.text.normalize.european.dates import full_year, is_day
from flashtts_core.text.normalize.european.grammar import DASH, SPACE, Grammar
from flashtts_core.text.normalize.european.rules import Match, Rule, closing, one_of, right, rule

_MONTH = rf"(?P<month>{one_of(words.MONTH_NUMBERS)})"
_DAY = r"(?P<day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
_FIRST_DAY = _DAY.replace("day", "first")
_HALF = r"[ \u00a0]?[AaPp](?:\.[ \u00a0]?[Mm]\.|[Mm])(?!\w)"
_ROUND = {
    "100": "hundreds", "1000": "thousands", "1,000": "thousands", "10,000": "tens of thousands",
    "100,000": "hundreds of thousands", "1,000,000": "millions",
}  # fmt: skip
_TWO_DAYS = r"(?<![\w.,:/-])(?P<first>[0-3]?[0-9])/(?P<last>[0-3]?[0-9])"
IDIOMS = {(9, 11): "nine eleven", (50, 50): "fifty-fifty", (20, 20): "twenty twenty"}


class EnglishCalendar(Grammar, ABC):
    """The part of English that speaks of time."""

    def calendar_rules(self) -> list[Rule]:
        year = r"(?:,?\s(?P<year>[0-9]{4}))?(?!\w|[:.,/%][0-9]|%)"
        return [
            *self._spelled_rules(),
            rule(
                r"(?<![\w./-])(?P<year>[0-9]{4})[-/](?P<month>[01][0-9])[-/](?P<day>[0-3][0-9])(?![\w/-])", self._date
            ),
            rule(r"(?<![\w./-])([0-9]{1,2})([/.-])([0-9]{1,2})\2((?:19|20)?[0-9]{2})(?![\w/-]|\.[0-9])", self._slashed),
            rule(rf"(?P<the>\b[Tt]he )?{_TWO_DAYS} (?:of )?{_MONTH}\b", self._two_days),
            rule(rf"\b{_MONTH} {_TWO_DAYS}(?![\w/]|[.,][0-9])", self._two_days),
            rule(
                rf"(?<![\w./-])([0-9]{{1,2}})/([0-9]{{1,2}}){SPACE}?{DASH}{SPACE}?([0-9]{{1,2}})/([0-9]{{1,2}})(?![\w/])",
                self._dates,
            ),
            rule(
                r"(?:(?<=\b[Oo]n )|(?<=[nsrie]day )|(?<=[nsrie]day, ))([0-9]{1,2})/([0-9]{1,2})(?![\w/])",
                self._month_day,
            ),
            rule(
                r"(?:(?<=\b[Bb]y )|(?<=\b[Uu]ntil )|(?<=\b[Dd]ue )|(?<=\b[Ff]rom ))([0-9]{1,2})/([0-9]{2})(?![\w/])",
                self._month_day,
            ),
            rule(rf"\b{_MONTH}\.? (?:{_FIRST_DAY}{SPACE}?{DASH}{SPACE}?)?{_DAY}{year}", self._date),
            rule(
                r"(?P<the>\b[Tt]he )?(?<![\w.,:/-])"
                rf"(?:{_FIRST_DAY}{SPACE}?{DASH}{SPACE}?)?{_DAY} (?:of )?{_MONTH}\b\.?{year}",
                self._day_of_month,
            ),
            *self._clock_rules(),
            rule(
                rf"(?<![\w.,])['’]?([0-9]{{1,3}}0)['’]?s(?!\w)(?P<to>{DASH}(?=['’]?[0-9]{{1,3}}0['’]?s))?", self._decade
            ),
            rule(r"(?<!\w)['’]([0-9]{2})(?![\w'’])", lambda m: self._two_digits(m[1])),
        ]

    def _spelled_rules(self) -> list[Rule]:
        # What is written in a way of its own becomes what the rules know: .5 is 0.5, 3-1/2 is 3 1/2.
        return [
            rule(r"(?<![^\s($€£~<>+±≤≥–−-])\.(?=[0-9]+(?![0-9]|\.[0-9]))", "0."),
            rule(
                r"(?<![\w.,:/-])([0-9]{1,3})-(?=[0-9]{1,2}/(?:2|3|4|8|16|32)(?![\w/]|[.,][0-9])|[½⅓⅔¼¾⅛⅜⅝⅞])",
                lambda m: f"{m[1]} ",
            ),
            rule(rf"(?<![\w.,])({one_of(_ROUND)})s(?= of )", self._many),
            rule(
                r"(?<![\w.,])([0-9]{1,3}) ?h(?:rs?)?\.? ?([0-5]?[0-9]) ?m(?![\w²³/])", lambda m: f"{m[1]} hr {m[2]} min"
            ),
            rule(r"(?<![\w.,])([0-9]{1,2} ?ft\.? ?[0-9]{1,2}) ?in(?![\w.])", lambda m: f"{m[1]} inches"),
            rule(r"(?<=[0-9])(?<!['′’][0-9])(?<!['′’][0-9]{2})[\"″](?= (?:thick|wide|long|tall|deep|high)\b)", " in."),
            rule(r"(?<![\w-])1-(8[0-9]{2})-(?=[A-Z]{3})", lambda m: f"1 {self.cardinal(int(m[1]))} "),
            *self._week_rules(),
        ]

    def _week_rules(self) -> list[Rule]:
        day = one_of(words.DAYS)
        return [
            rule(
                rf"\b({day})\.?{SPACE}?{DASH}{SPACE}?({day})\b(?!\.)",
                lambda m: f"{words.DAYS[m[1]]} to {words.DAYS[m[2]]}",
            ),
            rule(
                rf"\b({day})(?=,? [0-9]{{1,2}}(?::[0-9]{{2}})?(?: ?[AaPp]\.?[Mm]\b|{DASH}[0-9]|(?:st|nd|rd|th)\b))",
                lambda m: words.DAYS[m[1]],
            ),
        ]

    def _two_days(self, match: Match) -> str | None:
        """Say two days in a row: 3/4 May."""
        first, last = int(match["first"]), int(match["last"])
        if last != first + 1:
            return None
        month = words.MONTHS[words.MONTH_NUMBERS[match["month"]] - 1]
        days = f"{self.ordinal(first)} and {self.ordinal(last)}"
        return (
            f"{match.groupdict().get('the') or 'the '}{days} of {month}"
            if match[0][-1].isalpha()
            else f"{month} {days}"
        )

    def _many(self, match: Match) -> str:
        return _ROUND[match[1]]

    def _date(self, match: Match) -> str | None:
        month = words.MONTH_NUMBERS.get(match["month"]) or int(match["month"])
        day = int(match["day"])
        if not is_day(month, day):
            return None
        first = match.groupdict().get("first")
        since = f"{self.ordinal(int(first))} to " if first else ""
        said = f"{words.MONTHS[month - 1]} {since}{self.ordinal(day)}"
        return f"{said}, {self.year(int(match['year']))}" if match["year"] else said

    def _day_of_month(self, match: Match) -> str:
        article = match["the"] or "the "
        since = f"{self.ordinal(int(match['first']))} to the " if match["first"] else ""
        month = words.MONTHS[words.MONTH_NUMBERS[match["month"]] - 1]
        said = f"{article}{since}{self.ordinal(int(match['day']))} of {month}"
        if match[0].endswith("."):  # after a full name the full stop is the sentence's
            return f"{said}." if match["month"] == month else closing(said, match)
        return f"{said}, {self.year(int(match['year']))}" if match["year"] else said

    def _slashed(self, match: Match) -> str | None:
        first, second = int(match[1]), int(match[3])
        # Points are European; with slashes the month leads unless it cannot be one.
        month, day = (second, first) if first > 12 or match[2] == "." else (first, second)
        if not is_day(month, day):
            return None
        return f"{words.MONTHS[month - 1]} {self.ordinal(day)}, {self.year(full_year(match[4]))}"

    def _month_day(self, match: Match) -> str | None:
        return self._numeric(int(match[1]), int(match[2]))

    def _dates(self, match: Match) -> str | None:
        first, last = (self._numeric(int(match[i]), int(match[i + 1])) for i in (1, 3))
        return f"{first} to {last}" if first and last else None

    def _numeric(self, month: int, day: int) -> str | None:
        known = is_day(month, day) and (month, day) not in IDIOMS
        return f"{words.MONTHS[month - 1]} {self.ordinal(day)}" if known else None

    def _clock_rules(self) -> list[Rule]:
        half = rf"{SPACE}?(?P<half>[AaPp])(?:\.{SPACE}?[Mm]\.|[Mm])(?!\w)"
        time = r"(?<![\w.,:/])(?P<hour>[01]?[0-9]|2[0-4])"
        minutes = r":(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?"
        dotted = r"\.(?P<minute>[0-5][0-9])(?P<second>)"  # 7.30pm, but 7.30 alone is a decimal
        until = rf"(?P<until>{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}(?::[0-9]{{2}}|{SPACE}?[AaPp]\.?[Mm])))?"
        return [
            rule(
                rf"(?<![\w.,:/-])([0-9]{{1,2}}){SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}(?:[:.][0-9]{{2}})?{half})",
                lambda m: f"{self.cardinal(int(m[1]))} to ",
            ),
            rule(
                rf"{time}{dotted}(?P<half>)(?P<until>{SPACE}?{DASH}{SPACE}?)(?=[0-9]{{1,2}}\.[0-9]{{2}}{_HALF})",
                self._clock,
            ),
            rule(rf"{time}{dotted}{half}{until}", self._clock),
            rule(
                rf"\b((?:{one_of(words.BOOKS)}) )([0-9]{{1,3}}):([0-9]{{1,3}})(?:{DASH}([0-9]{{1,3}}))?(?![\w:])",
                self._verse,
            ),
            rule(rf"{time}(?:{minutes})?{half}{until}", self._clock),
            rule(rf"{time}{minutes}(?![\w:]|[.,][0-9]){until}", self._clock),
            rule(r"(?<![\w.,:/-])([0-9]{1,3}):([0-9]{1,2})(?![\w:]|[.,][0-9])", self._ratio),
        ]

    def _clock(self, match: Match) -> str:
        hour, half = int(match["hour"]), match.groupdict().get("half")
        said = self._hour_and_minute(hour, match["minute"], match["second"], bool(half))
        if half:
            said += f" {half.upper()}M"
        if match["until"]:
            return f"{said} to "
        dotted = match[0].endswith(".") and re.match(
            r"\s*[\"'”’»)]*\s*$|\s+(?:[A-Z][a-z]*'?[a-z]* [a-z]|I )", right(match)
        )
        return f"{said}." if dotted else said

    def _hour_and_minute(self, hour: int, minute: str | None, second: str | None, half: bool) -> str:
        said = self.cardinal(hour)
        if minute is None or (minute == "00" and half and not second):
            return said
        if second:
            return f"{said} {self._two_digits(minute)} {self._two_digits(second)}"
        if minute == "00":
            return f"{said} o'clock" if 1 <= hour <= 12 else f"{said} hundred" if hour else "midnight"
        return f"{said} {self._two_digits(minute)}"

    def _verse(self, match: Match) -> str:
        numbers = [self.cardinal(int(number)) for number in (match[2], match[3], match[4]) if number]
        return match[1] + " ".join(numbers[:2]) + (f" to {numbers[2]}" if match[4] else "")

    def _ratio(self, match: Match) -> str:
        return f"{self.cardinal(int(match[1]))} to {self.cardinal(int(match[2]))}"

    def _two_digits(self, digits: str) -> str:
        if digits[0] != "0":
            return self.cardinal(int(digits))
        return "hundred" if digits == "00" else f"oh {self.cardinal(int(digits))}"

    def _decade(self, match: Match) -> str | None:
        digits = match[1]
        if len(digits) == 3 or (len(digits) == 2 and digits == "10"):
            return None
        said = self.year(int(digits)) if len(digits) == 4 else self.cardinal(int(digits))
        said = said[:-1] + "ies" if said.endswith("y") else said + "s"
        return f"{said} to " if match["to"] else said
