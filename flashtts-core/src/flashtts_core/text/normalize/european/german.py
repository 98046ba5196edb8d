"""German as read aloud: ordinals and a lone "1" take their ending from the words around them.

"am 3. Mai" is "am dritten Mai", "der 3. Oktober" "der dritte Oktober"; "1 Katze" is "eine Katze". A number with a
full stop before a capital is an ordinal only where an article or preposition says so: else it ends a sentence.
"""

# ruff: noqa: D102 - the overriding methods are documented in Grammar

from __future__ import annotations

import re

from flashtts_core.text.normalize.european import german_words as words
from flashtts_core.text.normalize.european.german_calendar import GermanCalendar
from flashtts_core.text.normalize.european.grammar import DASH, SPACE, Amount, Noun
from flashtts_core.text.normalize.european.pipeline import make_normalizer
from flashtts_core.text.normalize.european.quantities import consumption_rule
from flashtts_core.text.normalize.european.rules import (
    Match,
    Rule,
    abbreviations,
    closing,
    left,
    one_of,
    roman_value,
    rule,
)

_ORDINAL_NOUNS = (
    "Jahrhundert|Platz|Stock|Klasse|Liga|Auflage|Kapitel|Weltkrieg|Mal|Tag|Runde|Etage|Staffel|Folge|Quartal|Halbzeit|Advent"
    "|Jh|Minute|Versuch|Schritt|OG|UG|Obergeschoss|Bundesliga|Geburtstag|Rang|Spieltag|Chance|Hälfte|Gang"
)
_YEAR_BEFORE = re.compile(
    r"(?:\b(?:Jahre?[ns]?|im|in|seit|bis|von|ab|um|nach|vor|und|anno|zwischen|Sommer|Winter|Herbst|Frühjahr|Ende|Anfang"
    rf"|Mitte|{one_of(words.MONTHS)})|[(,])\s*$"
)
# "Absatz 1 Satz 2": the number names what comes before it and counts nothing.
_NAMED_BEFORE = re.compile(r"\b(?:Absatz|Artikel|Paragraf|Nummer|Seite|Kapitel|Band|Satz|Zeile|Gleis|Linie)\s$")
_DATIVE = re.compile(r"\b(?:mit|von|seit|nach|vor|in|aus|bei|zu|ab|unter|innerhalb von)\s*$", re.IGNORECASE)


class German(GermanCalendar):
    """Standard German."""

    language = "de"
    sentence_start = words.STARTS
    group = "[ \u00a0\u202f\u2009.'’]"
    decimal = ","
    minus = "minus"
    of = "von"
    times = Noun("mal", "mal")
    per = "pro"
    version = "Version"
    point = "Punkt"
    comma = "Komma"
    marks = words.MARKS
    operators = words.OPERATORS
    signs = words.SIGNS
    units = words.UNITS
    currencies = words.CURRENCIES
    scales = words.SCALES
    numbered = words.NUMBERED["#"]
    codes = words.CODED
    phones = (
        r"\(?0[0-9]{2,5}\)?(?:[ /-]{1,3}[0-9]{2,}){1,5}",
        r"01[5-7][0-9]{8,9}",
    )

    def abbreviation_rules(self) -> list[Rule]:
        day = one_of(words.DAYS)
        roman = r"(?P<roman>[IVXLC]+)"
        name = r"(?!Der\b|Die\b|Das\b|Und\b)[A-ZÄÖÜ][a-zäöüß]{2,}"
        return [
            rule(
                rf"\b({day})\.?{SPACE}?{DASH}{SPACE}?({day})(?:\.|\b)",
                lambda m: closing(f"{words.DAYS[m[1]]} bis {words.DAYS[m[2]]}", m),
            ),
            rule(
                rf"\b({day})\.(?=,|\s?[0-9]{{1,2}}[.:]|\s(?:bis|und|oder|ab|von)\b(?! (?:Hr|Hrn|Dr)\b))",
                lambda m: words.DAYS[m[1]],
            ),
            rule(
                rf"\b({day})(?=\s[0-9]{{1,2}}(?:[:.][0-9]{{2}})?(?:\s?{DASH}\s?[0-9]{{1,2}}(?:[:.][0-9]{{2}})?)?\s?Uhr)",
                lambda m: words.DAYS[m[1]],
            ),
            rule(r"(?<=[a-zäöüß])nr\.(?= ?[0-9])", "nummer"),
            rule(r"\bv\.(?= ?[0-9]{1,2}\.[0-9])", "vom"),
            rule(r"(?<=[0-9]\. )Aufl\.", lambda m: closing("Auflage", m, words.STARTS)),
            rule(r"(?P<section>\bAbs\. ?[0-9]{1,3}[a-z]?,? )S\.(?= ?[0-9])", lambda m: f"{m['section']}Satz"),
            rule(r"(?<=[a-zäöüß])str\.", lambda m: closing("straße", m, words.STARTS)),
            rule(r"-Str\.", lambda m: closing("-Straße", m, words.STARTS)),
            abbreviations(
                words.TITLES, followed=r"\s+(?:[A-ZÄÖÜ]|[a-z]{1,4}\.|(?:und|&)\s+(?:Fr|Hr|Dr|Prof|Frau|Herr))"
            ),
            rule(r"(?<![\w.])(?<![0-9][ \u00a0])min\.(?= ?[0-9])", "minimal"),
            abbreviations(words.INSIDE),
            abbreviations(words.CLOSING, closed=words.STARTS),
            abbreviations(words.NUMBERED, followed=rf"{SPACE}?[0-9IVX]"),
            rule(rf"\b(?P<name>{one_of(words.MONARCHS)})(?P<genitive>s?) {roman}(?P<dot>\.?)(?![\w-])", self._monarch),
            rule(rf"\b(?P<name>{one_of(words.ROMAN_AFTER)}) {roman}(?![\w-]|\.\w)", self.roman_part),
            rule(rf"\b(?P<name>{name})(?P<genitive>) (?P<roman>[IVX]+)(?P<dot>\.)(?=\s[a-zäöüß])", self._monarch),
            rule(rf"\b(?P<name>{name}) (?P<roman>[IVX]{{2,}})(?![\w'’-]|\.\w)", self.roman_part),
        ]

    def _monarch(self, match: Match) -> str | None:
        value = roman_value(match["roman"])
        if value is None or match["roman"] in ("C", "L"):
            return None
        dative = re.search(r"\b(?:[Vv]on|[Mm]it|[Uu]nter|[Bb]ei|[Zz]u|[Nn]ach)(?: \w+)?\s$", left(match))
        article = "des" if match["genitive"] else "dem" if dative else "die" if match["name"] in words.WOMEN else "der"
        if dative and match["name"] in words.WOMEN:
            article = "der"
        number = self.ordinal(value, "n" if match["genitive"] or dative else "").capitalize()
        said = f"{match['name']}{match['genitive']} {article} {number}"
        return closing(said, match, words.STARTS)

    def calendar_rules(self) -> list[Rule]:
        # Ordinals look at the words behind them, so they come before numbers there have become words.
        attribute = rule(
            rf"(?<![\w.,:/-])([0-9]+)-({one_of(self.units)})(?=-[A-ZÄÖÜ])",
            lambda m: f"{self.speak(Amount(m[1]))}-{self.units[m[2]].one}",
        )
        compound = rule(r"(?<![\w.,:/-])([0-9]{1,4})(?:-|(%))(?=[a-zäöü]{2})", self._compound)
        # "12,– €" and "19,- Euro" have no cents; Swiss prices write it with a point.
        full = [
            rule(r"(?<=[0-9]),[-–—]{1,2}(?![\w-])", ""),
            rule(rf"(?<=[0-9])\.[-–—]{{1,2}}(?={SPACE}?(?:CHF|Fr\.|€|Euro\b))", ""),
            rule(r"(?P<sign>\b(?:CHF|Fr\.|€) ?[0-9.'’]{0,15}[0-9])\.[-–—]{1,2}(?![\w-])", lambda m: m["sign"]),
        ]
        full.append(consumption_rule("auf"))
        return [*full, attribute, compound, *super().calendar_rules(), *self._inflected_rules()]

    def ordinal_rules(self) -> list[Rule]:
        return [
            rule(r"(?<=, )[0-9]{5}(?= [A-ZÄÖÜ])", lambda m: self.digits(m[0])),
        ]

    def _inflected_rules(self) -> list[Rule]:
        number = r"(?<![\w.,:/-])(?P<number>[0-9]{1,3})\."
        after_article = r"(?=\s(?P<after>[A-ZÄÖÜ]\w*))"
        return [
            rule(rf"{number}(?P<to>\s?[-–/]\s?)(?=(?P<last>[0-9]{{1,3}})\.\s(?P<after>[A-ZÄÖÜa-z]\w*))", self._first),
            rule(rf"{number}(?=\s(?P<after>{_ORDINAL_NOUNS})\w*)", self._ordinal),
            rule(rf"{number}(?=\s(?P<after>[a-zäöüß]\w*))", self._ordinal),
            rule(rf"{number}{after_article}", lambda m: self._ordinal(m) if self._ending(m) is not None else None),
            rule(
                rf"{number}(?=\s?,?\s?[0-9]{{1,3}}\.\s(?P<after>[A-ZÄÖÜa-z]\w*))",
                lambda m: self._ordinal(m) if self._ending(m) is not None else None,
            ),
            rule(rf"{number}(?=\s*$)", self._last),
        ]

    def _first(self, match: Match) -> str | None:
        """Say the first of two ordinals with a dash or a slash between them: 1.-3. Klasse."""
        sure = self._ending(match) is not None or re.match(_ORDINAL_NOUNS, match["after"])
        if not sure or int(match["number"]) >= int(match["last"]):
            return None
        return f"{self._ordinal(match)} {'und' if '/' in match['to'] else 'bis'} "

    def _last(self, match: Match) -> str | None:
        """Say "heute ist der 5." at the end of a text, whose full stop it keeps."""
        return f"{self._inflect(int(match['number']), match, '')}." if self._ending(match) is not None else None

    def _compound(self, match: Match) -> str:
        number = "ein" if match[1] == "1" else self.cardinal(int(match[1]))
        return f"{number}prozent" if match[2] else number

    def _ordinal(self, match: Match) -> str:
        bare = {words.FEMININE: "", words.NEUTER: "s", words.MASCULINE: "r"}.get(_gender(match["after"]), "")
        return self._inflect(int(match["number"]), match, bare)

    def join_money(self, unit: str, cents: str, cent_noun: str) -> str:
        return f"{unit} {cents}"

    def join_range(self, low: str, high: str, match: Match) -> str:
        short = len(match["low"]) < 3 and len(match["high"]) < 3
        # Only plain counts that fall are a score; what has a sign is a range of temperatures or the like.
        plain = short and match["low"].isdigit() and match["high"].isdigit()
        falls = plain and int(match["low"]) > int(match["high"]) and not left(match).endswith(f"{self.minus} ")
        if left(match).lower().endswith("zwischen "):
            return f"{low} und {high}"
        return f"{low} {'zu' if falls else 'bis'} {high}"

    def fraction(self, numerator: int, denominator: int, noun: str) -> str:
        if (numerator, denominator) == (1, 2):
            endings = {words.FEMININE: "eine halbe", words.NEUTER: "ein halbes", words.MASCULINE: "ein halber"}
            return endings.get(_gender(noun), "ein halb")
        if numerator == denominator:
            return f"{self.cardinal(numerator)} zu {self.cardinal(denominator)}"
        if denominator < 2 or denominator > 100 or (denominator in (10, 20, 100) and numerator > 1):
            return f"{self.cardinal(numerator)} von {self.cardinal(denominator)}"
        part = {2: "Halbe", 3: "Drittel", 7: "Siebtel", 8: "Achtel"}.get(denominator)
        part = part or (self.cardinal(denominator) + ("tel" if denominator < 20 else "stel")).capitalize()
        return f"{'ein' if numerator == 1 else self.cardinal(numerator)} {part}"

    def mixed_fraction(self, whole: int, part: tuple[int, int], noun: str) -> str:
        said = "ein" if whole == 1 else self.cardinal(whole)
        return f"{said}einhalb" if part == (1, 2) else f"{self.cardinal(whole)} {self.fraction(*part, noun)}"

    def repeated(self, amount: Amount) -> str:
        said = "ein" if amount.is_one and not amount.fraction else self.speak(amount)
        return f"{said} mal" if amount.fraction else f"{said}mal"

    def fraction_digits(self, digits: str) -> str:
        return self.digits(digits)

    def year(self, number: int) -> str:
        if 1100 <= number < 2000:
            rest = self.cardinal(number % 100) if number % 100 else ""
            return f"{self.cardinal(number // 100)}hundert{rest}"
        return self.cardinal(number)

    def speak(self, amount: Amount, form: str = "") -> str:
        return super().speak(amount, form if amount.is_one else "")

    def form(self, noun: Noun, match: Match) -> str:
        before = left(match)
        if _DATIVE.search(before):
            return "cardinal-r" if noun.form == words.FEMININE else "cardinal-m"
        starts = not before.strip() or before.rstrip()[-1] in '.!?:„"»'
        return "cardinal-n" if noun.form == words.MASCULINE and not starts else noun.form

    def plain_number(self, amount: Amount, match: Match) -> str:
        noun = match["noun"] or ""
        if amount.is_one and not amount.fraction and _gender(noun) and not _NAMED_BEFORE.search(left(match)):
            return self.speak(amount, self.form(Noun(noun, noun, _gender(noun)), match))
        if len(amount.whole) == 4 and amount.whole in match[0] and not amount.fraction and not amount.negative:
            dated = _YEAR_BEFORE.search(left(match))
            if dated or (not noun[:1].isupper() and int(amount.whole) >= 1800):
                return self.year(int(amount.whole))
        return self.speak(amount)


def _gender(noun: str) -> str:
    """Guess the gender of a singular noun as a cardinal form; empty if unknown or no noun."""
    if not noun[:1].isupper():
        return ""
    for nouns, form in ((words.MASCULINE_NOUNS, words.MASCULINE), (words.NEUTER_NOUNS, words.NEUTER)):
        if noun in nouns:
            return form
    if noun in words.FEMININE_NOUNS or noun.endswith(words.FEMININE_ENDINGS):
        return words.FEMININE
    if noun.endswith(("chen", "lein", "ment", "nis", "um", "gramm", "byte")):
        return words.NEUTER
    return words.MASCULINE if noun.endswith(("er", "ling", "or", "ismus", "meter", "liter")) else ""


normalize = make_normalizer(German())
