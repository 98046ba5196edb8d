"""Italian as read aloud: "1" agrees with the noun (un gatto, uno zio, un'amica), ordinals with theirs (al terzo piano).

The degree sign is an ordinal mark in Italian too ("il 3° piano") unless the words around it speak of temperature.
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re

from flashtts_core.text.normalize.european import italian_words as words
from flashtts_core.text.normalize.european.dates import date_of, day_first_rules, two_days_rule, weekday_rule
from flashtts_core.text.normalize.european.grammar import DASH, SPACE, Amount, Grammar, Noun
from flashtts_core.text.normalize.european.pipeline import make_normalizer
from flashtts_core.text.normalize.european.quantities import consumption_rule, ratio_rule
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

_MONTH = one_of(words.MONTHS)
_DEGREES_BEFORE = re.compile(
    r"\b(?:a|di|sono|meno|circa|quasi|oltre|sopra|sotto|fino a|i|ai|dai|erano|fanno|c'erano|ci sono)\s+$", re.IGNORECASE
)
_PREPOSITION = re.compile(
    r"\b(?:a|in|di|con|per|tra|fra|su|da|del|nel|dal|al|sul|il|la|le|i|gli|dei|delle|nei|nelle|ai|alle|dai|dalle|ogni|dopo|entro|circa)\s+$",
    re.IGNORECASE,
)


class Italian(Grammar):
    """Standard Italian."""

    language = "it"
    group = "[ \u00a0\u202f\u2009.]"
    decimal = ","
    minus = "meno"
    of = "di"
    times = Noun("volta", "volte", words.FEMININE)
    per = "al"
    version = "versione"
    point = "punto"
    comma = "virgola"
    marks = words.MARKS
    operators = words.OPERATORS
    signs = words.SIGNS
    units = words.UNITS
    currencies = words.CURRENCIES
    scales = words.SCALES
    numbered = words.NUMBERED["#"]
    codes = words.CODED
    phones = (
        r"0[0-9]{1,3}[ ./-][0-9]{5,8}",
        r"0[0-9]{1,3}(?:[ .-][0-9]{2,4}){2,3}",
        r"3[0-9]{2}[ ./-][0-9]{3}[ .-]?[0-9]{3,4}",
        r"3[0-9]{2}[ ./-][0-9]{7}",
        r"3[0-9]{9}",
        # Free and shared-cost numbers; short ones look like counts.
        r"(?!8[0-9]{2} ?000 ?000)(?:8[049][0-9]|199)"
        r"(?:[ -]?[0-9]{6}|(?P<mark>[ -])[0-9]{3}(?P=mark)[0-9]{3}|(?: [0-9]{2}){3})"
        r"(?! ?(?:€|euro|dollari|abitanti|persone|di\b|k?m\b))",
        r"(?:(?<=[Vv]erde )|(?<=[Nn]umero )|(?<=[Cc]hiama )|(?<=[Cc]hiamare )|(?<=[Tt]elefono ))8[049][0-9] [0-9]{3}",
    )

    def abbreviation_rules(self) -> list[Rule]:
        roman = r"(?P<roman>[IVXLC]+)(?![\w’'-]|\.\w)"
        capital = "A-ZÀÈÉÌÒÙ"
        return [
            abbreviations(words.INSIDE),
            weekday_rule(words.DAYS, f"(?:{_MONTH})"),
            rule(rf"(?<![\w.])S\. (?=[{capital}][a-zàèéìòù])", "San "),
            abbreviations(words.NUMBERED, followed=rf"{SPACE}?[0-9IVX]"),
            abbreviations(words.TITLES, followed=rf"\s+(?:[{capital}]|e\s|d[ei]l?\s|della\s)"),
            rule(r"\b(?P<roman>[IVXLC]+)(?= e [IVX]+ sec)", lambda m: self._say_roman(m["roman"], "masculine")),
            rule(r"\b(?P<roman>[IVXLC]+) (?:secolo\b|sec\.)", self._century),
            rule(rf"\b(?P<name>secolo|sec\.) {roman}", self._century),
            rule(
                r"\b(?P<roman>[IVX]+)(?= (?:Guerra|guerra|edizione|classe|elementare|media|Repubblica)\b)",
                lambda m: self._say_roman(m["roman"], "feminine"),
            ),
            rule(rf"\b(?P<name>{one_of(words.MONARCHS)}) {roman}", self._monarch),
            rule(rf"\b(?P<name>{one_of(words.ROMAN_AFTER)}) {roman}", self.roman_part),
            rule(
                rf"\b(?P<name>(?!Gli\b|Una\b|Uno\b)[{capital}][a-zàèéìòù]{{2,}}) "
                r"(?P<roman>[IVX]{2,})(?![\w’'-]|\.\w)",
                self.roman_part,
            ),
            abbreviations(words.CLOSING, closed=CAPITAL),
        ]

    def _say_roman(self, roman: str, gender: str) -> str | None:
        value = roman_value(roman)
        return None if value is None else self.ordinal(value, gender)

    def _century(self, match: Match) -> str | None:
        said = self._say_roman(match["roman"], "masculine")
        if said is None:
            return None
        return f"secolo {said}" if match[0].startswith("sec") else closing(f"{said} secolo", match)

    def _monarch(self, match: Match) -> str | None:
        said = self._say_roman(match["roman"], "feminine" if match["name"] in words.WOMEN else "masculine")
        return None if said is None or match["roman"] in ("C", "L") else f"{match['name']} {said}"

    def calendar_rules(self) -> list[Rule]:
        hour = r"(?<![\w.,:/])(?P<hour>[01]?[0-9]|2[0-4])"
        minute = r"(?P<minute>[0-5][0-9])"
        until = rf"(?P<until>{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}[:.][0-9]{{2}}))?"
        before = ("ore ", "alle ", "dalle ", "delle ", "le ", "l['’]", "all['’]", "h ")
        clock = "(?:" + "|".join(rf"(?<=\b(?i:{words_before}))" for words_before in before) + ")"
        return [
            *day_first_rules(self._date),
            two_days_rule(
                f"(?:{_MONTH})",
                lambda first, last: f"{'primo' if first == 1 else self.cardinal(first)} e {self.cardinal(last)}",
            ),
            rule(
                r"(?:(?<=\b[Ii]l )|(?<=\b[Dd]el )|(?<=\b[Dd]al )|(?<=\b[Aa]l )|(?<=edì )|(?<=sabato )|(?<=domenica ))"
                r"(?P<day>[0-3]?[0-9])/(?P<month>[01]?[0-9])(?P<year>)(?![\w/])",
                self._date,
            ),
            rule(rf"(?<=[0-9] )({one_of(words.MONTH_SHORT)})\.?(?= [0-9]{{4}})", lambda m: words.MONTH_SHORT[m[1]]),
            rule(rf"(?<=['’])1(?= (?:{_MONTH})\b)", "uno"),  # what is elided is uno, not primo
            rule(rf"(?<![\w.,:/-])0?1[°º]?(?= (?:{_MONTH})\b)", "primo"),
            rule(r"(?<![\w.,])([12]),([0-9]{2}) ?m(?![\w²³/])", self._height),
            rule(r"(?<=[0-9]) ?M(?= d[ei'’])", " milioni"),
            rule(rf"{hour}{DASH}(?=[0-9]{{1,2}}:[0-9]{{2}})", lambda m: f"{self.cardinal(int(m['hour']))} - "),
            consumption_rule("ogni"),
            rule(rf"{hour}:{minute}(?::(?P<second>[0-5][0-9]))?(?![\w:]|[.,][0-9]){until}", self._clock),
            rule(rf"{clock}(?P<hour>[01]?[0-9]|2[0-4])\.{minute}(?P<second>)(?![\w:]|[.,][0-9]){until}", self._clock),
            ratio_rule(self, "a"),
            rule(r"(?<![0-9] )\bh (?=[0-9]{1,2}\b)", "ore "),
            rule(r"(?:(?<=anni )|(?<=Anni ))['’]([0-9]0)(?!\w)", lambda m: self.cardinal(int(m[1]))),
            rule(r"(?<!\w)['’]([0-9]{2})(?![\w'’])", lambda m: self.cardinal(int(m[1])).capitalize()),
            rule(r"(?<!\w)['’]([3-9]00)(?!\w)", lambda m: self.cardinal(int(m[1])).capitalize()),
        ]

    def _date(self, match: Match) -> str | None:
        date = date_of(match)
        if date is None:
            return None
        first = "uno" if left(match).endswith(("'", "’")) else "primo"
        said = f"{first if date.day == 1 else self.cardinal(date.day)} {words.MONTHS[date.month - 1]}"
        return said if date.year is None else f"{said} {self.year(date.year)}"

    def _height(self, match: Match) -> str:
        """Say a length of one or two metres as one says one's height."""
        meters = "un metro" if match[1] == "1" else "due metri"
        return meters if match[2] == "00" else f"{meters} e {self.fraction_digits(match[2])}"

    def _clock(self, match: Match) -> str:
        hour, minute = int(match["hour"]), match["minute"]
        if match["second"]:
            return self.duration(match, "e")
        said = "una" if hour == 1 else self.cardinal(hour)
        if minute != "00":
            said += f" e {self.cardinal(int(minute))}"
        return f"{said} - " if match["until"] else said

    def ordinal_rules(self) -> list[Rule]:
        return [
            rule(r"(?<![\w.,:/-])(?P<number>[0-9]{1,3}) ?°(?!\w)", self._degrees),
            rule(r"(?<![\w.,])(?P<number>[0-9]{1,4})(?P<mark>[º°ª])(?!\w)", self._ordinal),
            rule(r"(?<![\w.,:/-])1 (?P<noun>[^\W\d_]+)", self._one),
            rule(r"(?<![\w.,:/-])([0-9]{1,3}) ?mila\b", lambda m: f"{self.cardinal(int(m[1]))} mila"),
        ]

    def _degrees(self, match: Match) -> str | None:
        hot = len(match["number"]) == 3 and re.match(r" (?:per|e|in|circa)\b|[.,;)]|$", right(match))  # an oven's
        if not hot and not _DEGREES_BEFORE.search(left(match)):
            return None
        return f"{self.cardinal(int(match['number']))} grad{'o' if match['number'] == '1' else 'i'}"

    def _ordinal(self, match: Match) -> str | None:
        number = int(match["number"])
        return self.ordinal(number, "feminine" if match["mark"] == "ª" else "masculine") if number else None

    def _one(self, match: Match) -> str | None:
        noun = match["noun"]
        gender = _gender(noun)
        if not gender:
            return None
        vowel = noun[0].lower() in "aeiouàèéìòù"
        if gender == words.FEMININE:
            return f"un'{noun}" if vowel else f"una {noun}"
        impure = re.match(r"s[^aeiouàèéìòù]|z|gn|ps|pn|x|y|i[aeou]", noun.lower())
        return f"{'uno' if impure else 'un'} {noun}"

    def symbol_rules(self) -> list[Rule]:
        return [
            rule(r"(?:(?<=\bvent)i|(?<=ant)a|(?<=trent)a|(?<=\bcent)o) (?=ann[io]\b)", "'"),
        ]

    def join_money(self, unit: str, cents: str, cent_noun: str) -> str:
        return f"{unit} e {cents} {cent_noun}"

    def join_scale(self, scaled: str, scale: Noun, currency: Noun, match: Match) -> str:
        return f"{scaled} {currency.many}" if scale.one == "mila" else f"{scaled} di {currency.many}"

    def join_range(self, low: str, high: str, match: Match) -> str:
        first, last = match["low"], match["high"]
        plain = first.isdigit() and last.isdigit() and len(first) < 5 and len(last) < 5
        if plain and int(first) >= int(last) and len(first) < 4:
            return f"{low} a {high}"
        if plain and int(last) == int(first) + 1 and len(first) < 3:
            return f"{low} o {high}"
        before = left(match)
        if before.lower().endswith(("tra ", "fra ")):
            return f"{low} e {high}"
        if not first[0].isdigit():
            return f"{low} a {high}"  # below zero a hyphen would be heard as a sign
        return f"{low}-{high}" if _PREPOSITION.search(before) else f"da {low} a {high}"

    def part_of(self, name: str) -> str:
        return f"di {name}"

    def fraction(self, numerator: int, denominator: int, noun: str) -> str:
        if (numerator, denominator) == (1, 2):
            return "mezza" if _gender(noun) == words.FEMININE else "mezzo"
        if not 2 <= denominator <= 20 or (denominator == 10 and numerator > 1):
            return f"{self.cardinal(numerator)} su {self.cardinal(denominator)}"
        part = self.ordinal(denominator, "masculine") if denominator > 2 else "mezzo"
        return f"un {part}" if numerator == 1 else f"{self.cardinal(numerator)} {part[:-1]}i"

    def mixed_fraction(self, whole: int, part: tuple[int, int], noun: str) -> str:
        return f"{self.cardinal(whole)} e {self.fraction(*part, noun)}"

    def mixed_fraction_of(self, whole: int, part: tuple[int, int], noun: Noun) -> str:
        name = noun.many if whole > 1 else noun.one
        return f"{self.cardinal(whole, noun.form if whole == 1 else '')} {name} e {self.fraction(*part, name)}"

    def cardinal(self, number: int, form: str = "") -> str:
        # CLDR shortens ventunomila, which Italians write and say in full
        return super().cardinal(number, form).replace("unmila", "unomila")

    def per_what(self, name: str) -> str:
        if name[0].lower() in "aeiou":
            return f"all'{name}"
        return f"alla {name}" if _gender(name) == words.FEMININE else f"al {name}"

    def count(self, amount: Amount, noun: Noun, match: Match) -> str:
        return re.sub(r"^una (?=[aeiou])", "un'", super().count(amount, noun, match))

    def speak(self, amount: Amount, form: str = "") -> str:
        # ventuno chili, not ventun chili: only one itself agrees
        return super().speak(amount, form if amount.is_one else "")


def _gender(noun: str) -> str:
    """Guess the gender of a singular noun as a cardinal form; empty if it is no noun."""
    noun = noun.lower()
    if len(noun) < 3 or noun in words.NO_NOUNS or noun in words.MONTHS:
        return ""
    if noun in words.MASCULINE_NOUNS:
        return words.MASCULINE
    if noun in words.FEMININE_NOUNS or noun.endswith(words.FEMININE_ENDINGS):
        return words.FEMININE
    return words.MASCULINE


normalize = make_normalizer(Italian())
