"""Dates as several languages write them: in digits, two days of a month (``3/4 mai``), weekdays cut short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from flashtts_core.text.normalize.european.grammar import DASH, SPACE
from flashtts_core.text.normalize.european.rules import Match, Rule, one_of, rule

ISO_DATE = r"(?<![\w./-])(?P<year>[0-9]{4})-(?P<month>[01][0-9])-(?P<day>[0-3][0-9])(?![\w/-])"
"""``2024-10-14``, as the groups ``year``, ``month`` and ``day``."""
_DAY = "0?[1-9]|[12][0-9]|3[01]"
_DAY_FIRST = (
    r"(?<![\w./-])(?P<day>[0-3]?[0-9])(?P<sep>[/.-])(?P<month>[01]?[0-9])(?P=sep)(?P<year>(?:19|20)?[0-9]{2})"
    r"(?![\w/-]|\.[0-9])"
)


class Date(NamedTuple):
    """A day of the calendar, with its year if that is written."""

    day: int
    month: int
    year: int | None


def date_of(match: Match) -> Date | None:
    """Return the date in the groups ``day``, ``month`` and ``year`` (or empty); ``None`` if there is no such day."""
    day, month = int(match["day"]), int(match["month"])
    if not is_day(month, day):
        return None
    return Date(day, month, full_year(match["year"]) if match["year"] else None)


def is_day(month: int, day: int) -> bool:
    """Tell whether there is such a month and it may have such a day."""
    return 1 <= month <= 12 and 1 <= day <= 31


def full_year(digits: str) -> int:
    """Return the year that two digits or four mean: 49 is 2049, 50 is 1950."""
    year = int(digits)
    return year if len(digits) > 2 else year + (2000 if year < 50 else 1900)


def day_first_rules(say: Callable[[Match], str | None]) -> list[Rule]:
    """Make the rules for ``2024-10-14`` and ``14/10/2024``; ``say`` finds their parts with ``date_of``."""
    return [rule(ISO_DATE, say), rule(_DAY_FIRST, say)]


def two_days_rule(month: str, say: Callable[[int, int], str]) -> Rule:
    """Make the rule for two days before a pattern of months; with a dash, only for days that follow each other."""

    def spell(match: Match) -> str | None:
        first, last = int(match["first"]), int(match["last"])
        return say(first, last) if match["to"] == "/" or last == first + 1 else None

    days = rf"(?<![\w.,:/-])(?P<first>{_DAY})(?P<to>/|{DASH})(?P<last>{_DAY})"
    return rule(rf"{days}(?={SPACE}{month}\b)", spell)


def weekday_rule(days: Mapping[str, str], month: str) -> Rule:
    """Make the rule for the short names of weekdays that a date follows: ``lun. 14/10``."""
    date = rf"{SPACE}[0-9]{{1,2}}(?:er)?(?:/|{SPACE}{month}\b)"
    return rule(rf"\b(?P<day>{one_of(days)})\.(?={date})", lambda match: days[match["day"]])
