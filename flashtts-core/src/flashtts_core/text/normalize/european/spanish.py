"""Spanish as read aloud: numerals agree with the noun (veintiún gatos, doscientas personas, el tercer piso).

The noun's gender is looked up or guessed from its ending. Hours up to twelve are said in words of the clock
(nueve y media), later ones as numbers (quince treinta).
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re

from flashtts_core.text.normalize.european import spanish_words as words
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

_MONTH = one_of(words.MONTH_NUMBERS)


class Spanish(Grammar):
    """Spanish of Spain."""

    language = "es"
    group = "[ \u00a0\u202f\u2009.]"
    decimal = ","
    minus = "menos"
    of = "de"
    times = Noun("vez", "veces", words.FEMININE)
    per = "por"
    version = "versión"
    point = "punto"
    comma = "coma"
    marks = words.MARKS
    operators = words.OPERATORS
    signs = words.SIGNS
    units = words.UNITS
    currencies = words.CURRENCIES
    scales = words.SCALES
    numbered = words.NUMBERED["#"]
    codes = words.CODED
    phones = (
        r"[6789][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{3}",
        r"[6789][0-9]{2}(?:[ .-][0-9]{2}){3}",
        r"9[0-9] [0-9]{3} [0-9]{2} [0-9]{2}",
        r"[679][0-9]{8}",
    )

    def abbreviation_rules(self) -> list[Rule]:
        roman = r"(?P<roman>[IVXLC]+)(?![\w’'-]|\.\w)"
        capital = "A-ZÁÉÍÓÚÑ"
        return [
            abbreviations(words.INSIDE),
            weekday_rule(words.DAYS, f"(?:de )?(?:{_MONTH})"),
            rule(rf"(?<![\w.])S\. (?=[{capital}][a-záéíóú])", "san "),
            abbreviations(words.TITLES, followed=rf"\s+(?:[{capital}]|y\s|e\s|del?\s)"),
            abbreviations(words.CLOSING, closed=CAPITAL),
            abbreviations(words.NUMBERED, followed=rf"{SPACE}?[0-9IVX]"),
            rule(rf"\b(?P<name>[Ss]iglos?) (?:(?P<first>[IVX]+) (?P<and>y|al?) )?{roman}", self._century),
            rule(
                r"\b(?P<roman>[IVX]+)(?= (?:Guerra|República|[Ee]dición)\b)",
                lambda m: self._before(m["roman"], "feminine"),
            ),
            rule(
                r"\b(?P<roman>[IVX]+)(?= (?:Congreso|Festival|Foro|Encuentro|Premio|Concurso)\b)",
                lambda m: self._before(m["roman"], "masculine-adjective"),
            ),
            rule(rf"\b(?P<name>{one_of(words.MONARCHS)}) {roman}", self._monarch),
            rule(rf"\b(?P<name>{one_of(words.ROMAN_AFTER)}) {roman}", self.roman_part),
            rule(
                rf"\b(?P<name>(?!Los?\b|Las?\b|El\b|Una?\b|Y\b)[{capital}][a-záéíóúñü]{{2,}}) "
                rf"(?P<roman>[IVX]{{2,}})(?![\w’'-]|\.\w)",
                self.roman_part,
            ),
        ]

    def _before(self, roman: str, form: str) -> str | None:
        value = roman_value(roman)
        return None if value is None else self.ordinal(value, form)

    def _century(self, match: Match) -> str | None:
        value = roman_value(match["roman"])
        if value is None:
            return None
        first = f"{self._century_number(roman_value(match['first']) or 0)} {match['and']} " if match["first"] else ""
        return f"{match['name']} {first}{self._century_number(value)}"

    def _century_number(self, value: int) -> str:
        return self.ordinal(value, "masculine") if 0 < value <= 10 else self.cardinal(value)

    def _monarch(self, match: Match) -> str | None:
        value = roman_value(match["roman"])
        if value is None or match["roman"] in ("C", "L"):
            return None
        gender = "feminine" if match["name"] in words.WOMEN else "masculine"
        return f"{match['name']} {self.ordinal(value, gender) if value <= 10 else self.cardinal(value)}"

    def calendar_rules(self) -> list[Rule]:
        short = one_of(words.MONTH_SHORT)
        return [
            *day_first_rules(self._date),
            two_days_rule(
                f"(?:de )?(?:{_MONTH})", lambda first, last: f"{self.cardinal(first)} y {self.cardinal(last)}"
            ),
            rule(
                r"(?:(?<=\b[Ee]l )|(?<=\b[Dd]el )|(?<=(?:lun|art|col|uev|ern)es )|(?<=sábado )|(?<=domingo ))"
                r"(?P<day>[0-3]?[0-9])/(?P<month>[01]?[0-9])(?P<year>)(?![\w/])",
                self._date,
            ),
            rule(rf"(?<=[0-9] )(?:de )?({short})\.?(?= (?:de )?[0-9]{{4}})", lambda m: f"de {words.MONTH_SHORT[m[1]]}"),
            # Latin America writes $1,200 and often names the currency as well.
            rule(r"(?<=\$)[0-9]{1,3}(?:,[0-9]{3})+(?![0-9.])", lambda m: m[0].replace(",", "")),
            rule(r"\$ ?([0-9.,]*[0-9])(?= (?:mil |millones de )?(?:pesos|dólares)\b)", lambda m: m[1]),
            rule(r"(?<![\w.,])([12]),([0-9]{2}) ?m(?![\w²³/])", self._height),
            rule(r"(?<=[0-9]) ?M(?= de )", " millones"),
            consumption_rule("a los"),
            *self._clock_rules(),
        ]

    def _clock_rules(self) -> list[Rule]:
        hour = r"(?<![\w.,:/])(?P<hour>[01]?[0-9]|2[0-4])"
        half = rf"(?:{SPACE}?(?P<half>[AaPp])(?:\.{SPACE}?[Mm]\.|[Mm])(?!\w))"
        until = rf"(?P<until>{SPACE}?{DASH}{SPACE}?(?=[0-9]{{1,2}}(?::[0-9]{{2}}|{SPACE}?[AaPp]\.?{SPACE}?[Mm])))?"
        minutes = r":(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?"
        return [
            rule(rf"{hour}{DASH}(?=[0-9]{{1,2}}:[0-9]{{2}})", lambda m: f"{self.cardinal(int(m['hour']))} a "),
            rule(
                r"(?:(?<=\b[Ll]as )|(?<=\b[Ll]a ))(?P<hour>[01]?[0-9]|2[0-4])\.(?P<minute>[0-5][0-9])(?P<second>)"
                rf"(?:{half}|{SPACE}?h(?!\w)|)(?![\w:%]|[.,][0-9]|{SPACE}?[%€$])(?P<until>)",
                self._clock,
            ),
            rule(rf"{hour}(?:{minutes})?{half}{until}", self._clock),
            rule(
                rf"{hour}{minutes}(?P<half>)(?:{SPACE}?(?:h|hs|hrs)(?!\w)\.?(?!$))?(?![\w:]|[.,][0-9]){until}",
                self._clock,
            ),
            ratio_rule(self, "a"),
        ]

    def _date(self, match: Match) -> str | None:
        date = date_of(match)
        if date is None:
            return None
        said = f"{self.cardinal(date.day)} de {words.MONTHS[date.month - 1]}"
        return said if date.year is None else f"{said} de {self.year(date.year)}"

    def _height(self, match: Match) -> str:
        """Say a length of one or two metres as one says one's height."""
        meters = "un metro" if match[1] == "1" else "dos metros"
        return meters if match[2] == "00" else f"{meters} {self.fraction_digits(match[2])}"

    def _clock(self, match: Match) -> str:
        hour, minute = int(match["hour"]), match["minute"] or "00"
        half = match["half"].lower() if match["half"] else ""
        if match["second"]:
            return self.duration(match, "y")
        said = self.cardinal(hour, words.FEMININE)
        if minute != "00":
            said += f" {self._minutes(int(minute), 1 <= hour <= 12)}"
        elif not 1 <= hour <= 12:
            said += " horas"
        if half:
            said += " " + self._part_of_day(hour, half)
        if match["until"]:
            return f"{said} a "
        return closing(said, match)

    def _part_of_day(self, hour: int, half: str) -> str:
        if half == "a":
            return "de la noche" if hour == 12 else "de la mañana"
        return "del mediodía" if hour == 12 else "de la tarde" if hour < 8 else "de la noche"

    def _minutes(self, minute: int, spoken: bool) -> str:
        if spoken:
            return "y " + {15: "cuarto", 30: "media"}.get(minute, self.cardinal(minute))
        return f"cero {self.cardinal(minute)}" if minute < 10 else self.cardinal(minute)

    def ordinal_rules(self) -> list[Rule]:
        feminine, masculine = "ª|a|ra|da|ta|va|ma|na", "º|o|ro|do|to|vo|mo|no"
        letters = rf"\.?(?:(?P<short>er|ᵉʳ)|(?P<feminine>{feminine})|(?P<masculine>{masculine}))(?P<plural>s?)(?!\w)"
        return [
            rule(rf"(?<![\w.,])(?P<number>[0-9]{{1,4}}){letters}", self._ordinal),
            rule(r"(?<=[Aa]ños )['’]?([0-9]0)(?!\w)", lambda m: self.cardinal(int(m[1]))),
        ]

    def _ordinal(self, match: Match) -> str | None:
        number = int(match["number"])
        if number == 0:
            return None
        noun = re.match(r"\s(?!y\b|o\b|en\b|de\b|a\b|fue\b|izq|der|int|ext|centro)[a-záéíóúñ]", right(match))
        form = "feminine" if match["feminine"] else "masculine"
        if match["short"] or (
            form == "masculine" and noun and number % 10 in (1, 3) and number < 30 and not match["plural"]
        ):
            form = "masculine-adjective"
        return self.ordinal(number, form) + match["plural"]

    def join_money(self, unit: str, cents: str, cent_noun: str) -> str:
        return f"{unit} con {cents} {cent_noun}"

    def join_scale(self, scaled: str, scale: Noun, currency: Noun, match: Match) -> str:
        return f"{scaled} {currency.many}" if scale.one == "mil" else f"{scaled} de {currency.many}"

    def join_range(self, low: str, high: str, match: Match) -> str:
        digits = match["low"].isdigit() and match["high"].isdigit() and len(match["low"] + match["high"]) < 5
        counted = match.groupdict().get("noun") or "unit" in match.groupdict()
        if left(match).lower().endswith("entre "):
            return f"{low} y {high}"
        either = "u" if high.startswith("o") else "o"
        return f"{low} {either if digits and counted and int(match['high']) == int(match['low']) + 1 else 'a'} {high}"

    def part_of(self, name: str) -> str:
        return f"de {name}"

    def fraction(self, numerator: int, denominator: int, noun: str) -> str:
        if (numerator, denominator) == (1, 2):
            return "media" if _gender(noun) == words.FEMININE else "medio"
        top = self.cardinal(numerator, words.MASCULINE)
        if not 2 <= denominator <= 10 or (denominator == 10 and numerator > 1):
            return f"{self.cardinal(numerator)} sobre {self.cardinal(denominator)}"
        part = {2: "medio", 3: "tercio"}.get(denominator) or self.ordinal(denominator, "masculine")
        return f"{top} {part if numerator == 1 else part + 's'}"

    def mixed_fraction(self, whole: int, part: tuple[int, int], noun: str) -> str:
        form = _gender(noun)
        return f"{self.cardinal(whole, form)} y {self.fraction(*part, noun)}"

    def mixed_fraction_of(self, whole: int, part: tuple[int, int], noun: Noun) -> str:
        name = noun.many if whole > 1 else noun.one
        return f"{self.cardinal(whole, noun.form)} {name} y {self.fraction(*part, name)}"

    def plain_number(self, amount: Amount, match: Match) -> str:
        noun = match["noun"] or ""
        return self.speak(amount, self._agreeing(noun, amount))

    def _agreeing(self, noun: str, amount: Amount) -> str:
        if amount.is_one:
            return _gender(noun) if not noun.endswith("s") else ""
        return _gender(noun) if noun.endswith("s") or noun in ("mil", "millones") else ""


def _gender(noun: str) -> str:
    """Guess the gender of a noun as a cardinal form; empty if it is no noun."""
    noun = noun.lower()
    if not noun or noun in words.NO_NOUNS or noun in words.MONTH_NUMBERS:
        return ""
    if noun in words.MASCULINE_NOUNS or noun.removesuffix("s") in words.MASCULINE_NOUNS:
        return words.MASCULINE
    if noun in words.FEMININE_NOUNS or noun.endswith(words.FEMININE_ENDINGS):
        return words.FEMININE
    return words.MASCULINE


normalize = make_normalizer(Spanish())
