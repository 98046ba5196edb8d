"""English as read aloud, in American form: "one hundred five", "March fifth", and a.m. or p.m. as AM and PM.

Four digits are a year or a count depending on the words around them. ``St.`` and ``Dr.`` are Saint and Doctor
before a name, Street and Drive after one.
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re

from flashtts_core.text.normalize.european import english_words as words
from flashtts_core.text.normalize.european.english_calendar import IDIOMS, EnglishCalendar
from flashtts_core.text.normalize.european.grammar import SPACE, YEARS, Amount, Noun
from flashtts_core.text.normalize.european.pipeline import make_normalizer
from flashtts_core.text.normalize.european.rules import (
    CAPITAL,
    Match,
    Rule,
    abbreviations,
    closing,
    left,
    one_of,
    right,
    roman_value,
    rule,
)

_YEAR_BEFORE = re.compile(
    rf"\b(?:in|since|by|until|till|before|after|from|to|of|around|circa|during|years?|early|late|mid|the|this|and|between"
    rf"|through|spring|summer|autumn|fall|winter|AD|{one_of(words.MONTHS)})[\s,(-]*$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b[Aa]n?\s$")


class English(EnglishCalendar):
    """American English."""

    language = "en"
    group = ","
    decimal = "."
    minus = "minus"
    of = "of"
    times = Noun("times", "times")
    per = "per"
    version = "version"
    point = "point"
    comma = "point"
    marks = words.MARKS
    operators = words.OPERATORS
    signs = words.SIGNS
    units = words.UNITS
    currencies = words.CURRENCIES
    scales = words.SCALES
    numbered = words.NUMBERED["#"]
    codes = words.SPELLED
    phones = (
        r"07[0-9]{3} ?[0-9]{6}",
        r"(?:1[-. ])?\([0-9]{3}\) ?[0-9]{3}[-. ][0-9]{4}",
        r"(?:1[-. ])?[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}",
        r"[0-9]{3}-[0-9]{4}",
        r"0[0-9]{2,4} [0-9]{3,4} [0-9]{3,4}",
        r"(?<=[Cc]all )[0-9]11",
        r"(?<=[Dd]ial )[0-9]11",
    )

    def abbreviation_rules(self) -> list[Rule]:
        streets, starts = one_of(words.STREETS), rf"(?:{one_of(words.STARTS)})\b"
        roman = r"(?P<roman>[IVXLC]+)(?![\w-]|['’](?!s\b)|\.\w)"
        after_name = rf"(?<=[a-z] )(?<!\bThe )(?P<street>{streets})\b\.?(?=[,;:)]|\s[a-z0-9]|\s?$)"
        after_house = rf"(?P<house>\b[0-9]+(?:(?: [A-Z][a-z]+){{1,3}}|st|nd|rd|th) )(?P<street>{streets})\b\.?"
        return [
            rule(after_house, lambda m: m["house"] + closing(words.STREETS[m["street"]], m, starts)),
            rule(rf"(?P<name>\b[A-Z][a-z]+ ){after_name}", self._street),
            abbreviations(words.TITLES, followed=r"\s+(?:[A-Z]|and\s|&\s)"),
            # After a number it is minutes: "5 min. 30 sec."
            rule(r"(?<![\w.])(?<![0-9][ \u00a0])([Mm])in\.(?= ?[0-9])", lambda m: f"{m[1]}inimum"),
            abbreviations(words.INSIDE),
            abbreviations(words.CLOSING, closed=CAPITAL),
            abbreviations(words.SUFFIXES, closed=starts),
            abbreviations(words.NUMBERED, followed=rf"{SPACE}?[0-9]"),
            rule(r"(?<!\w)w/(?=\s)", "with"),
            # A single letter with a full stop before a name is an initial: "John V. Smith".
            rule(rf"\b(?P<name>{one_of(words.MONARCHS)}) (?![A-Z]\. [A-Z]){roman}", self._monarch),
            rule(rf"\b(?P<name>{one_of(words.PARTS)}) (?!I (?:{one_of(words.AFTER_I)})\b){roman}", self.roman_part),
            rule(
                r"\b(?P<name>(?!The\b|And\b|But\b|For\b)[A-Z][a-z]{2,}) (?P<roman>[IVX]{2,})(?![\w'’-]|\.\w)",
                self.roman_part,
            ),
        ]

    def _street(self, match: Match) -> str:
        return match["name"] + closing(words.STREETS[match["street"]], match)

    def _monarch(self, match: Match) -> str | None:
        value = roman_value(match["roman"])
        if value is None or match["roman"] in ("C", "L") or (value == 1 and right(match)[:2].strip().islower()):
            return None
        return f"{match['name']} the {self.ordinal(value)}"

    def ordinal_rules(self) -> list[Rule]:
        attribute = rf"(?<![\w.,:/-])([0-9]+)-({one_of(self.units)})(?=\s[a-z])"
        return [
            rule(r"(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3}){0,4}|[0-9]{1,9})(st|nd|rd|th|ST|ND|RD|TH)(?!\w)", self._ordinal),
            rule(r"(?<![\w.,])([0-9])['′’] ?([0-9]{1,2})(?:[\"″”]|''|(?!\w))", self._height),
            rule(
                r"(?<![\w.,])([0-9]+(?:\.[0-9]+)?) ?([kKMB](?= (?:people|[a-z]+[^s\W]s)\b)|bn\b|mn\b|tn\b)",
                self._thousands,
            ),
            rule(
                rf"\b((?:{one_of(words.PARTS)}|Room|Model|Equation|Exercise) )([0-9]+)-([0-9]+)(?![\w-])",
                self._subsection,
            ),
            rule(r"(?<=\b[A-Z]{2} )[0-9]{5}(?:-[0-9]{4})?(?![\w-]|[.,][0-9])", self._zip),
            rule(r"(?<=\bD\.C\. )[0-9]{5}(?![\w,-])", self._zip),
            rule(r"24/7/365", "twenty-four seven three sixty-five"),
            rule(attribute, lambda m: f"{self.speak(Amount(m[1]))}-{self.units[m[2]].one}"),
            rule(
                rf"\b((?:{one_of(words.CODED)})s? (?:[A-Z]{{1,2}} )?)([0-9]{{3,4}}(?:-[0-9]{{3}})?)(?!\w|[.,:/-][0-9])",
                lambda m: m[1] + " ".join(self.read_code(code) for code in m[2].split("-")),
            ),
            rule(
                r"\b((?:[Vv]ersion|Python|Java|iOS|Android|macOS|Windows|Ubuntu|Node|PHP|Go) )"
                r"([0-9]{1,4})\.([0-9]{1,3})(?![\w.])",
                self._release,
            ),
        ]

    def _ordinal(self, match: Match) -> str:
        number = int(match[1].replace(",", ""))
        if match[2] == "st" and (number % 10 != 1 or number % 100 == 11 or re.match(r" ?[0-9]+ ?lb", right(match))):
            return f"{self.cardinal(number)} stone"  # 10st 5lb
        return self.ordinal(number)

    def _subsection(self, match: Match) -> str | None:
        if int(match[2][:9]) < int(match[3][:9]):
            return None  # a range
        return f"{match[1]}{self.read_code(match[2])} dash {self.read_code(match[3])}"

    def _zip(self, match: Match) -> str:
        return " dash ".join(self.digits(part) for part in match[0].split("-"))

    def _thousands(self, match: Match) -> str:
        return f"{self.speak(self.parse(match[1]))} {self.scales[match[2]].one}"

    def _height(self, match: Match) -> str:
        return f"{self.cardinal(int(match[1]))} foot {self.cardinal(int(match[2]))}"

    def _release(self, match: Match) -> str:
        return f"{match[1]}{self.cardinal(int(match[2]))} point {self.read_code(match[3])}"

    def symbol_rules(self) -> list[Rule]:
        return [
            rule(r"\b(?!C\+\+)([A-F])\+(?!\w)", lambda m: f"{m[1]} plus"),
            rule(r"(?<=\s)@(?=\s)", "at"),
            rule(r"\bC#", "C sharp"),
            rule(r"§§? ?(?=\w)", "section "),
        ]

    def join_money(self, unit: str, cents: str, cent_noun: str) -> str:
        return f"{unit} and {cents} {cent_noun}"

    def join_range(self, low: str, high: str, match: Match) -> str:
        return f"{low} {'and' if left(match).lower().endswith('between ') else 'to'} {high}"

    def fraction(self, numerator: int, denominator: int, noun: str) -> str:
        if (numerator, denominator) in IDIOMS:
            return IDIOMS[numerator, denominator]
        top = self.cardinal(numerator)
        if numerator > 1 and denominator in (10, 100):
            return f"{top} out of {self.cardinal(denominator)}"
        if not 2 <= denominator <= 20 and denominator not in (32, 64, 100, 1000):
            return f"{top} over {self.cardinal(denominator)}"
        part = {2: "half", 4: "quarter"}.get(denominator) or self.ordinal(denominator)
        many = "halves" if part == "half" else part + "s"
        return f"{top} {part if numerator == 1 else many}"

    def mixed_fraction(self, whole: int, part: tuple[int, int], noun: str) -> str:
        said = "a half" if part[1] == 2 else self.fraction(*part, noun)
        return f"{self.cardinal(whole)} and {said}"

    def fraction_digits(self, digits: str) -> str:
        return self.digits(digits)

    def year(self, number: int) -> str:
        century, rest = divmod(number, 100)
        if number not in YEARS or (century % 10 == 0 and rest < 10):
            return self.cardinal(number)
        return f"{self.cardinal(century)} {self._two_digits(f'{rest:02}')}"

    def read_code(self, digits: str) -> str:
        if len(digits) == 3 and digits[0] != "0" and digits[1:] != "00":
            return f"{self.cardinal(int(digits[0]))} {self._two_digits(digits[1:])}"
        if len(digits) == 4 and digits[0] != "0" and digits[1:] != "000":
            return (
                f"{self.cardinal(int(digits[:2]))} {self._two_digits(digits[2:])}"
                if digits[1:3] != "00"
                else super().read_code(digits)
            )
        return super().read_code(digits)

    def count(self, amount: Amount, noun: Noun, match: Match) -> str:
        name = noun.one if self._is_attribute(match) else self.name(amount, noun)
        return f"{self.speak(amount)} {name}"

    def join_scale(self, scaled: str, scale: Noun, currency: Noun, match: Match) -> str:
        return f"{scaled} {currency.one if self._is_attribute(match) else currency.many}"

    def _is_attribute(self, match: Match) -> bool:
        """Tell "a $5 bill" and "a 10 km run" from plain amounts: they take the singular."""
        noun = re.match(r"[ -](?!of\b|or\b|and\b|in\b|is\b)[A-Za-z]", right(match))
        return bool(noun and _ARTICLE.search(left(match)))

    def plain_number(self, amount: Amount, match: Match) -> str:
        if len(amount.whole) == 4 and match[0].lstrip("-").startswith(amount.whole) and not amount.fraction:
            number = int(amount.whole)
            if number in YEARS and not amount.negative:
                return self._year_or_count(number, match)
            if 1010 <= number < 1100 and _YEAR_BEFORE.search(left(match)):
                return self.read_code(amount.whole)
        return self.speak(amount)

    def _year_or_count(self, number: int, match: Match) -> str:
        noun = match["noun"] or ""
        dated = _YEAR_BEFORE.search(left(match))
        counted = noun.islower() and (re.search(r"(?<!s)s$", noun) or noun in ("people", "men", "women", "children"))
        if (counted and not dated) or (noun and number < 1900 and not dated and not noun[0].isupper()):
            return (
                f"{self.cardinal(number // 100)} hundred"
                if number % 100 == 0 and number % 1000
                else self.cardinal(number)
            )
        return self.year(number)


normalize = make_normalizer(English())
