"""Dates of the Romance languages: two days of one month (``3/4 mai``), and weekdays cut short (``lun. 14/10``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flashtts_core.text.normalize.european.grammar import DASH, SPACE
from flashtts_core.text.normalize.european.rules import Match, Rule, one_of, rule

_DAY = "0?[1-9]|[12][0-9]|3[01]"


def two_days_rule(month: str, say: Callable[[int, int], str]) -> Rule:
    """Make the rule for two days before a pattern of months; with a dash, only for days that follow each other."""

    def spell(match: Match) -> str | None:
        first, last = int(match["first"]), int(match["last"])
        return say(first, last) if match["to"] == "/" or last == first + 1 else None

    days = rf"(?<![\w.,:/-])(?P<first>{_DAY})(?P<to>/|{DASH})(?P<last>{_DAY})"
    return rule(rf"{days}(?={SPACE}{month}\b)", spell)


def weekday_rule(days: Mapping[str, str], month: str) -> Rule:
    """Make the rule for the short names of weekdays that a date follows."""
    date = rf"{SPACE}[0-9]{{1,2}}(?:er)?(?:/|{SPACE}{month}\b)"
    return rule(rf"\b(?P<day>{one_of(days)})\.(?={date})", lambda match: days[match["day"]])
