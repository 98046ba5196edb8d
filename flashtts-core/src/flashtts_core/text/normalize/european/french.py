"""French as read aloud: 14h30 is "quatorze heures trente", 12,50 € is "douze euros cinquante".

Only a final "un" agrees with the noun, whose gender is looked up or guessed from its ending. Nouns from two on take
the plural: 1,5 litre.
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re

from flashtts_core.text.normalize.european import french_words as words
from flashtts_core.text.normalize.european.dates import date_of, day_first_rules, two_days_rule, weekday_rule
from flashtts_core.text.normalize.european.grammar import DASH, SPACE, Amount, Grammar, Noun
from flashtts_core.text.normalize.european.pipeline import make_normalizer
from flashtts_core.text.normalize.european.quantities import consumption_rule, ratio_rule
from flashtts_core.text.normalize.european.rules import (
    CAPITAL,
    Match,
    Rule,
    abbreviations,
    left,
    one_of,
    roman_value,
    rule,
)

_MONTH = one_of(words.MONTHS)
_ORDINAL = r"(?P<suffix>ers?|res?|ères?|eres?|nd|nde|e|es|è|ème|èmes|eme|ième|ᵉ|ᵉʳ)(?!\w)"


class French(Grammar):
    """French of France."""

    language = "fr"
    group = "[ \u00a0\u202f\u2009.]"
    decimal = ","
    minus = "moins"
    of = "sur"
    times = Noun("fois", "fois", words.FEMININE)
    per = "par"
    version = "version"
    point = "point"
    comma = "virgule"
    marks = words.MARKS
    operators = words.OPERATORS
    signs = words.SIGNS
    units = words.UNITS
    currencies = words.CURRENCIES
    scales = words.SCALES
    numbered = words.NUMBERED["#"]
    codes = words.CODED
    phones = (
        r"0[1-9](?:[ .\u00a0\u202f-]?[0-9]{2}){4}",
        r"0 ?8[0-9]{2}(?: [0-9]{2,3}){2,3}",
        r"3[0-9] [0-9]{2}(?=[ .,]*$)",
    )

    def abbreviation_rules(self) -> list[Rule]:
        roman = r"(?P<roman>[IVXLC]+)(?![\w’'-]|\.\w)"
        return [
            rule(
                r"(?<![0-9/,])(?P<one>(?:1/[234]|1|3/4|[½¼¾]) )c\. ?à ?(?P<what>[sc])\.",
                lambda m: f"{m['one']}cuillère à {'soupe' if m['what'] == 's' else 'café'}",
            ),
            weekday_rule(words.DAYS, f"(?:{_MONTH})"),
            abbreviations(words.INSIDE | {"St-": "Saint-"}),
            rule(r"(?:(?<=[0-9] )|(?<=1er ))sept\.", "septembre"),
            rule(r"\b(Ste?)-(?=[A-ZÀ-Ý])", lambda m: "Saint-" if m[1] == "St" else "Sainte-"),
            abbreviations(words.TITLES, followed=rf"{SPACE}+(?:[A-ZÀ-Ý]|et{SPACE}|l[ae]{SPACE}|d[eu]s?{SPACE}|d['’])"),
            abbreviations(words.CLOSING, closed=CAPITAL),
            abbreviations(words.NUMBERED, followed=rf"{SPACE}?[0-9IVX]"),
            rule(
                r"\b(?:(?P<roman>I)(?P<suffix>er|re|ère)|(?P<roman2>[IVXLC]+)(?P<suffix2>e|ème|ᵉ))(?!\w)",
                self._roman_ordinal,
            ),
            rule(rf"\b(?P<name>{one_of([*words.ROMAN_AFTER, *words.MONARCHS])}){SPACE}{roman}", self._roman),
            rule(
                rf"\b(?P<name>(?!Les?\b|La\b|Des\b|Une?\b|Et\b)[A-ZÀ-Ý][a-zà-ÿ]{{2,}}){SPACE}(?P<roman>[IVX]{{2,}})(?![\w’'-]|\.\w)",
                self._roman,
            ),
        ]

    def _roman_ordinal(self, match: Match) -> str | None:
        if match["roman"]:
            return self._say_ordinal(1, match["suffix"])
        value = roman_value(match["roman2"])
        return None if value is None or match["roman2"] in ("C", "L") else self._say_ordinal(value, match["suffix2"])

    def _roman(self, match: Match) -> str | None:
        value = roman_value(match["roman"])
        if value is None or match["roman"] in ("C", "L"):
            return None
        first = value == 1 and match["name"] in words.MONARCHS
        return f"{match['name']} {'premier' if first else self.cardinal(value)}"

    def calendar_rules(self) -> list[Rule]:
        return [
            *day_first_rules(self._date),
            two_days_rule(
                f"(?:{_MONTH})",
                lambda first, last: f"{'premier' if first == 1 else self.cardinal(first)} et {self.cardinal(last)}",
            ),
            rule(
                r"(?:(?<=\b[Ll]e )|(?<=\b[Dd]u )|(?<=\b[Aa]u )|(?<=[nreu]di )|(?<=dimanche ))"
                r"(?P<day>[0-3]?[0-9])/(?P<month>[01]?[0-9])(?P<year>)(?![\w/])",
                self._date,
            ),
            rule(rf"(?<![\w.,:/-])0?1(?={SPACE}(?:{_MONTH})\b)", "premier"),
            rule(r"(?<![\w.,])([0-9]+)(€|\$)([0-9]{2})(?!\w)", lambda m: f"{m[1]},{m[3]} {m[2]}"),
            rule(r"(?<![\w.,])([12])(?:,([0-9]{2}) ?m|m([0-9]{2}))(?![\w²³/])", self._height),
            rule(r"24 ?h(?:eures)?(?:/| sur )24", "vingt-quatre heures sur vingt-quatre"),
            rule(r"(?<=[0-9]) ?M(?= d['’e])", " millions"),
            consumption_rule("aux"),
            rule(r"7 ?j(?:ours)?(?:/| sur )7", "sept jours sur sept"),
            *self._clock_rules(),
        ]

    def _clock_rules(self) -> list[Rule]:
        hour = r"(?<![\w.,:/])(?P<hour>[01]?[0-9]|2[0-4])"
        until = rf"(?P<until>{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}{SPACE}?[h:]))?"
        return [
            rule(
                rf"{hour}{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}{SPACE}?h\b)",
                lambda m: f"{self.cardinal(int(m['hour']))} à ",
            ),
            rule(
                rf"{hour}{SPACE}?h(?:{SPACE}?(?P<minute>[0-5][0-9])(?:{SPACE}?min|['’′](?P<second>[0-5][0-9])[\"”″]?)?)?(?![\w:/]|[.,][0-9]){until}",
                self._clock,
            ),
            rule(
                rf"{hour}:(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?(?:{SPACE}?h(?:eures)?)?(?![\w:]|[.,][0-9]){until}",
                self._clock,
            ),
            ratio_rule(self, "à"),
        ]

    def _date(self, match: Match) -> str | None:
        date = date_of(match)
        if date is None:
            return None
        said = f"{'premier' if date.day == 1 else self.cardinal(date.day)} {words.MONTHS[date.month - 1]}"
        return said if date.year is None else f"{said} {self.year(date.year)}"

    def _height(self, match: Match) -> str:
        """Say a length of one or two metres as one says one's height."""
        digits = match[2] or match[3]
        meters = f"{self.cardinal(int(match[1]))} mètre{'s' if match[1] == '2' else ''}"
        return meters if digits == "00" else f"{meters} {self.read_phone_group(digits)}"

    def _clock(self, match: Match) -> str:
        hour, minute = int(match["hour"]), match["minute"]
        second = match.groupdict().get("second")
        said = f"{self.cardinal(hour, words.FEMININE)} heure{'s' if hour > 1 else ''}"
        if minute and (minute != "00" or second):
            said += f" {self.cardinal(int(minute), words.FEMININE)}"
        if second:
            said += f" minute{'s' if minute > '01' else ''} et {self.cardinal(int(second), words.FEMININE)} secondes"
        return f"{said} à " if match["until"] else said

    def ordinal_rules(self) -> list[Rule]:
        return [
            rule(
                rf"(?<![\w.,])(?P<number>[0-9]{{1,6}}){_ORDINAL}",
                lambda m: self._say_ordinal(int(m["number"]), m["suffix"]),
            ),
            rule(r"(?<=[Aa]nnées )'([0-9]0)", lambda m: self.cardinal(int(m[1]))),
        ]

    def _say_ordinal(self, number: int, suffix: str) -> str:
        plural = "s" if suffix.endswith("s") else ""
        if number == 1:
            return ("première" if suffix[0] in "reè" and suffix[:2] != "er" else "premier") + plural
        if number == 2 and suffix.startswith("nd"):
            return "seconde" if suffix == "nde" else "second"
        return self.ordinal(number, "masculine") + plural

    def cardinal(self, number: int, form: str = "") -> str:
        # CLDR drops an s that is written, and where a vowel follows heard, before "millions"
        said = super().cardinal(number, form)
        return re.sub(r"((?:deux|trois|quatre|cinq|six|sept|huit|neuf) cent|quatre-vingt)(?= milli)", r"\1s", said)

    def ordinal(self, number: int, form: str = "") -> str:
        # CLDR has 71st for all: soixante-et-onzième, but quatre-vingt-onzième and cent unième
        said = super().ordinal(number, form)
        said = re.sub(r"(quatre-vingt)-et-(?=unième|onzième)", r"\1-", said)
        return re.sub(r"(cent|mille)[- ]et[- ](?=unième|onzième)", r"\1 ", said)

    def join_money(self, unit: str, cents: str, cent_noun: str) -> str:
        return f"{unit} {cents}"

    def join_scale(self, scaled: str, scale: Noun, currency: Noun, match: Match) -> str:
        if scale.one == "mille":
            return f"{scaled} {currency.many}"
        return f"{scaled} d'{currency.many}" if currency.many[0] in "aeiou" else f"{scaled} de {currency.many}"

    def join_range(self, low: str, high: str, match: Match) -> str:
        return f"{low} {'et' if left(match).lower().endswith('entre ') else 'à'} {high}"

    def part_of(self, name: str) -> str:
        return f"d'{name}" if name[0] in "aeiouh" else f"de {name}"

    def fraction(self, numerator: int, denominator: int, noun: str) -> str:
        if (numerator, denominator) == (1, 2) and _is_feminine(noun):
            return "une demi"
        top = self.cardinal(numerator)
        part = {2: "demi", 3: "tiers", 4: "quart"}.get(denominator)
        if part is None and (denominator > 10 or denominator < 2 or (denominator in (5, 10) and numerator > 1)):
            return f"{top} sur {self.cardinal(denominator)}"
        part = part or self.ordinal(denominator, "masculine")
        return f"{top} {part if numerator == 1 or part.endswith('s') else part + 's'}"

    def mixed_fraction(self, whole: int, part: tuple[int, int], noun: str) -> str:
        return f"{self.cardinal(whole)} et {'demi' if part[1] == 2 else self.fraction(*part, noun)}"

    def mixed_fraction_of(self, whole: int, part: tuple[int, int], noun: Noun) -> str:
        name = noun.many if whole > 1 else noun.one
        half = "demie" if noun.form == words.FEMININE else "demi"
        return f"{self.cardinal(whole, noun.form)} {name} et {half if part[1] == 2 else self.fraction(*part, name)}"

    def read_phone_group(self, digits: str) -> str:
        if len(digits) == 10 and digits[0] == "0":
            return ", ".join(self.read_phone_group(digits[i : i + 2]) for i in range(0, 10, 2))
        if len(digits) > 3:
            return self.digits(digits)
        zeros = len(digits) - len(digits.lstrip("0"))
        rest = [self.cardinal(int(digits))] if digits.strip("0") else []
        return " ".join([*self.digits("0" * zeros).split(), *rest])

    def is_plural(self, amount: Amount) -> bool:
        return len(amount.whole.lstrip("0")) > 1 or amount.whole.lstrip("0") > "1"

    def plain_number(self, amount: Amount, match: Match) -> str:
        noun = (match["noun"] or "").lower()
        return self.speak(amount, words.FEMININE if _is_feminine(noun) else "")


def _is_feminine(noun: str) -> bool:
    singular = noun[:-1] if noun.endswith("s") and noun not in ("fois", "brebis", "souris") else noun
    if singular in words.MASCULINE_NOUNS:
        return False
    return singular in words.FEMININE_NOUNS or singular.endswith(words.FEMININE_ENDINGS)


normalize = make_normalizer(French())
