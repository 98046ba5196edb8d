"""German dates, times of day, and the case endings of ordinals, which dates need as well.

"am 3. Mai" is "am dritten Mai", "der 3. Mai" is "der dritte Mai", and "3. Mai" alone is "dritter Mai".
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re
from abc import ABC

from flashtts_core.text.normalize.european import german_words as words
from flashtts_core.text.normalize.european.dates import ISO_DATE, full_year, is_day
from flashtts_core.text.normalize.european.grammar import DASH, SPACE, Grammar
from flashtts_core.text.normalize.european.quantities import ratio_rule
from flashtts_core.text.normalize.european.rules import Match, Rule, closing, left, one_of, rule

_MONTH = rf"(?P<month>{one_of(words.MONTH_NUMBERS)})(?!\w)"
_DAY = r"(?<![\w.,:/-])(?P<day>0?[1-9]|[12][0-9]|3[01])\."
_PREPOSITION = (
    r"in|an|auf|mit|von|seit|aus|bei|nach|zu|ab|vor|unter|über|während|wegen|trotz|neben|Ende|Anfang|Mitte|laut|bis"
)
# "um 10.50 Euro" is no time of day.
_NO_CLOCK = rf"{SPACE}?(?:[%€$£]|Euro|EUR|CHF|Fr|Prozent|Mi|Mrd|[ck]?m\b|kg)"
_BARE = "bare"  # the ordinal shows the gender itself: ein viertes Kind
# Case endings by the word before an ordinal; the first that matches counts.
_ENDINGS = tuple(
    (re.compile(rf"\b(?:{before})\s*$", re.IGNORECASE), ending)
    for before, ending in (
        (rf"(?:{_PREPOSITION})\s+(?:der|die|das)", "n"),
        ("der|die|das|jede|diese|eine|ihre|seine|meine|unsere|welche", ""),
        (r"am|im|vom|zum|zur|beim|ins|de[mns]|\w*(?:einem|einer|eines|einen|eren)", "n"),
        ("jede[nmrs]|diese[nmrs]|ihre[nmrs]|seine[nmrs]|unsere[nmrs]|bis|seit|ab|nach|vor", "n"),
        ("ein|kein|mein|dein|sein|ihr|unser", _BARE),
    )
)
# Ordinals before an ordinal, with digits or said already.
_CHAIN = re.compile(
    r"(?:(?:[0-9]{1,2}\.(?:[0-9]{1,2}\.)?(?:[0-9]{4}|\s?[A-ZÄÖÜ]\w+)?|\b\w{0,16}"
    r"(?:erst|zweit|dritt|viert|fünft|sechst|siebt|acht|neunt|zehnt|elft|zwölft|zigst|dreißigst)e[rns]?)"
    r"\s?(?:und|oder|bis|sowie|,|[-–/])\s?)+$"
)


class GermanCalendar(Grammar, ABC):
    """The part of German that speaks of time, and inflects ordinals."""

    def calendar_rules(self) -> list[Rule]:
        year = r"(?: (?P<year>[0-9]{4})(?!\w|[.,][0-9]))?"
        return [
            rule(ISO_DATE, self._date),
            rule(
                rf"{_DAY}(?P<to>{SPACE}?(?:{DASH}|/){SPACE}?)"
                rf"(?=[0-9]{{1,2}}\.{SPACE}?(?:{one_of(words.MONTH_NUMBERS)}|(?:0?[1-9]|1[0-2])\.))",
                self._first_day,
            ),
            rule(
                rf"{_DAY}(?P<month>0?[1-9]|1[0-2])\.(?P<year>(?:(?:19|20)?[0-9]{{2}})?)(?P<to>{SPACE}?(?:{DASH}|/){SPACE}?)"
                r"(?=[0-3]?[0-9]\.(?:0?[1-9]|1[0-2])\.)",
                self._first_date,
            ),
            rule(
                rf"{_DAY}{SPACE}?(?P<month>0?[1-9]|1[0-2])\.{SPACE}?(?P<year>(?:19|20)[0-9]{{2}}|[0-9]{{2}})(?![\w:]|\.[0-9])",
                self._date,
            ),
            rule(rf"{_DAY}(?P<month>0?[1-9]|1[0-2])\.(?P<year>)(?![\w])", self._short_date),
            rule(
                r"(?<![\w./-])(?P<day>[0-3]?[0-9])/(?P<month>[01]?[0-9])/(?P<year>(?:19|20)[0-9]{2})(?![\w/])",
                self._date,
            ),
            rule(rf"{_DAY}{SPACE}?{_MONTH}{year}", self._date),
            *self._clock_rules(),
        ]

    def _clock_rules(self) -> list[Rule]:
        hour = r"(?<![\w.,:/])(?P<hour>[01]?[0-9]|2[0-4])"
        clock = rf"{SPACE}?(?:Uhr|h)(?!\w)"
        until = rf"(?P<until>{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}(?:[:.][0-9]{{2}})?(?:{clock}|(?![0-9.,]))))?"
        return [
            rule(
                rf"{hour}{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}(?:[:.][0-9]{{2}})?{SPACE}?Uhr)",
                lambda m: f"{self._hour(m)} bis ",
            ),
            rule(
                rf"{hour}[:.](?P<minute>[0-5][0-9])(?P<until>{SPACE}?{DASH}{SPACE}?)(?=[0-9]{{1,2}}[:.][0-9]{{2}}(?![0-9.]))",
                self._clock,
            ),
            rule(rf"{hour}[:.](?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?{clock}{until}", self._clock),
            rule(
                rf"{hour}:(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?: Stunden)?)?(?![\w:]|[.,][0-9]){until}",
                self._clock,
            ),
            rule(rf"{hour}(?= ?Uhr\b)", self._hour),
            rule(rf"(?<=\b(?i:um|ab) ){hour}{SPACE}?h(?!\w)", lambda m: f"{self._hour(m)} Uhr"),
            rule(
                rf"(?:(?<=\b(?i:um|ab) )(?=[0-9]{{1,2}}\.[0-9]{{2}}(?![\w.]|,[0-9]|{_NO_CLOCK}))"
                r"|(?=[0-9]{1,2}\.[0-9]{2} bis [\w .:]{1,30}Uhr))"
                rf"{hour}\.(?P<minute>[0-5][0-9])(?P<until>)",
                self._clock,
            ),
            ratio_rule(self, "zu"),
            rule(r"(?<![\w.,'’-])['’]?([0-9]{1,4})(er[ns]?)(?!\w)", lambda m: self.year(int(m[1])) + m[2]),
            rule(r"(?<![\w.,])([12]),([0-9]{2}) ?m(?![\w²³/])", self._height),
        ]

    def _date(self, match: Match) -> str | None:
        month = words.MONTH_NUMBERS.get(match["month"]) or int(match["month"])
        if not is_day(month, int(match["day"])):
            return None
        said = f"{self._inflect(int(match['day']), match, 'r')} {words.MONTHS[month - 1]}"
        return f"{said} {self.year(full_year(match['year']))}" if match["year"] else said

    def _short_date(self, match: Match) -> str | None:
        said = self._date(match)
        return None if said is None else closing(said, match, words.STARTS)

    def _first_date(self, match: Match) -> str | None:
        said = self._date(match)
        return None if said is None else f"{said} {'und' if '/' in match['to'] else 'bis'} "

    def _first_day(self, match: Match) -> str:
        return f"{self._inflect(int(match['day']), match, 'r')} {'und' if '/' in match['to'] else 'bis'} "

    def _height(self, match: Match) -> str:
        """Say a length of one or two meters as one says one's height."""
        meters = "ein Meter" if match[1] == "1" else "zwei Meter"
        if match[2] == "00":
            return meters
        return f"{meters} {self.digits(match[2]) if match[2][0] == '0' else self.cardinal(int(match[2]))}"

    def _hour(self, match: Match) -> str:
        hour = int(match["hour"])
        return "ein" if hour == 1 else self.cardinal(hour)

    def _clock(self, match: Match) -> str:
        if match.groupdict().get("second"):
            return self.duration(match, "und")
        said = f"{self._hour(match)} Uhr"
        if match["minute"] != "00":
            said += f" {self.cardinal(int(match['minute']))}"
        return f"{said} bis " if match["until"] else said

    def _inflect(self, number: int, match: Match, bare: str) -> str:
        """Say an ordinal with the ending that the words before it ask for, or ``bare`` without any."""
        ending = self._ending(match)
        return self.ordinal(number, bare if ending in (None, _BARE) else ending)

    def _ending(self, match: Match) -> str | None:
        # In "am 3. und 4. Mai" the article counts for both.
        before = _CHAIN.sub("", left(match))
        return next((ending for pattern, ending in _ENDINGS if pattern.search(before)), None)
