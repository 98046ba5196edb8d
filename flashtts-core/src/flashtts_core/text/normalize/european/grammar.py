"""What every European language here has in common: how numbers are written, parsed and said.

A language is a subclass of ``Grammar``: tables of words as class attributes, and the methods in which it differs
(agreement of numerals with nouns, decimals, ranges). ``pipeline`` turns a grammar into a normaliser.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flashtts_core.text.normalize.european.numerals import LARGEST, spell, spell_digits
from flashtts_core.text.normalize.european.rules import CAPITAL, Match, Rule, roman_value

SPACE = "[ \u00a0\u202f\u2009]"
DASH = "[-\u2010\u2011\u2012\u2013\u2014]"
MINUS = "[-\u2212\u2010\u2011\u2013]"
YEARS = range(1100, 2100)


class Noun(NamedTuple):
    """What is counted: singular, plural, and the cardinal form that agrees with it."""

    one: str
    many: str
    form: str = ""


class Currency(NamedTuple):
    """A currency and its hundredth part, if it has one."""

    unit: Noun
    cent: Noun | None = None


class Amount(NamedTuple):
    """A number as written, taken apart: digits before and after ``mark`` (``.``, ``,`` or none)."""

    whole: str
    mark: str = ""
    fraction: str = ""
    negative: bool = False

    @property
    def value(self) -> float:
        """Its value, to compare it with others."""
        return float(f"{'-' if self.negative else ''}{self.whole}.{self.fraction}")

    @property
    def is_one(self) -> bool:
        """Whether it is exactly one, which takes the singular everywhere."""
        return self.whole.lstrip("0") == "1" and not self.fraction.strip("0")


class Grammar(ABC):
    """Tables and readings of one language; holds no state, so threads may share it."""

    language: str
    group: str  # pattern of the language's thousands separator
    decimal: str  # "." or ","
    default_form = "numbering"
    minus: str
    per: str  # between a unit and "per what": 3 €/kg
    version: str
    point: str  # "." between digits
    comma: str  # "," before decimals
    marks: Mapping[str, str]  # names of characters in addresses
    operators: Mapping[str, str]  # signs between or before numbers
    signs: Mapping[str, str]  # & # @ = ² ³ and C++, where they stand for words
    units: Mapping[str, Noun]
    currencies: Mapping[str, Currency]
    scales: Mapping[str, Noun]  # million, Mio., k ... between an amount and its currency
    of: str  # page 1 of 3
    times: Noun  # 3x
    numbered: str  # the word for #; long numbers after it are spelled too
    codes: Iterable[str]  # words after which a number of four digits or more is spelled: PIN 1234
    sentence_start = CAPITAL  # what shows, behind an abbreviation, that its full stop ended the sentence
    phones: Sequence[str]  # patterns of phone numbers, besides international ones

    # What a language must say ----------------------------------------------------------------------------------

    @abstractmethod
    def abbreviation_rules(self) -> list[Rule]:
        """Return the rules for abbreviations and Roman numerals, which hold hardly any digits."""

    @abstractmethod
    def calendar_rules(self) -> list[Rule]:
        """Return the rules for dates and times of day."""

    @abstractmethod
    def ordinal_rules(self) -> list[Rule]:
        """Return the rules for ordinals written with digits, and other rules that come before plain numbers."""

    @abstractmethod
    def join_money(self, unit: str, cents: str, cent_noun: str) -> str:
        """Join the spoken part of at least one unit with the cents."""

    @abstractmethod
    def join_range(self, low: str, high: str, match: Match) -> str:
        """Join the ends of a range or a score; ``match`` has them as groups ``low`` and ``high``."""

    @abstractmethod
    def fraction(self, numerator: int, denominator: int, noun: str) -> str:
        """Say a fraction without a whole part; ``noun`` is the word after it, or empty."""

    @abstractmethod
    def mixed_fraction(self, whole: int, part: tuple[int, int], noun: str) -> str:
        """Say a whole number with a fraction, such as 2 1/2."""

    # What most languages say alike -----------------------------------------------------------------------------

    def symbol_rules(self) -> list[Rule]:
        """Return the rules for signs that only this language says; they run late, when no digits are left."""
        return []

    def cardinal(self, number: int, form: str = "") -> str:
        """Spell a whole number; ``form`` as in ``Noun``."""
        return spell(self.language, form or self.default_form, number)

    def ordinal(self, number: int, form: str = "") -> str:
        """Spell an ordinal; ``form`` is CLDR's without its ``ordinal-`` prefix."""
        return spell(self.language, f"ordinal-{form}" if form else "ordinal", number)

    def year(self, number: int) -> str:
        """Spell a year; years are plain numbers in most languages."""
        return self.cardinal(number)

    def digits(self, text: str) -> str:
        """Say digit after digit."""
        return spell_digits(self.language, text)

    def read_code(self, digits: str) -> str:
        """Say a number that names rather than counts, as in an address or ``B12``."""
        if len(digits) > 4 or (digits.startswith("0") and len(digits) > 1):
            return self.digits(digits)
        return self.year(int(digits)) if int(digits) in YEARS else self.cardinal(int(digits))

    def read_phone_group(self, digits: str) -> str:
        """Say one group of a phone number; a number written without gaps is split into threes."""
        if len(digits) < 9:
            return self.digits(digits)
        return f"{self.digits(digits[:3])}, {self.read_phone_group(digits[3:])}"

    def plain_number(self, amount: Amount, match: Match) -> str:
        """Say a number that no other rule knew; the group ``noun`` of ``match`` is the word after it, if any."""
        return self.speak(amount)

    def form(self, noun: Noun, match: Match) -> str:
        """Return the cardinal form for a number counting ``noun`` at the place of ``match``."""
        return noun.form

    def is_plural(self, amount: Amount) -> bool:
        """Tell whether what is counted takes the plural."""
        return not amount.is_one

    def join_scale(self, scaled: str, scale: Noun, currency: Noun, match: Match) -> str:
        """Join "two million" and "dollars"."""
        return f"{scaled} {currency.many}"

    def repeated(self, amount: Amount) -> str:
        """Say how often: 3x."""
        return f"{self.speak(amount, self.times.form)} {self.name(amount, self.times)}"

    def per_what(self, name: str) -> str:
        """Say "per kilogram"."""
        return f"{self.per} {name}"

    def mixed_fraction_of(self, whole: int, part: tuple[int, int], noun: Noun) -> str:
        """Say a whole number with a fraction of a unit."""
        return f"{self.mixed_fraction(whole, part, noun.many)} {noun.many}"

    def duration(self, match: Match, joint: str) -> str:
        """Say the groups ``hour``, ``minute`` and ``second`` as a length of time; ``joint`` is "and"."""
        written = ((match["hour"], "h"), (match["minute"], "min"), (match["second"], "s"))
        hours, minutes, seconds = (
            self.count(Amount(digits.lstrip("0") or "0"), self.units[unit], match) for digits, unit in written
        )
        return f"{hours}, {minutes} {joint} {seconds}"

    def roman_part(self, match: Match) -> str | None:
        """Say what is numbered in Roman, such as ``Part IV``, from the groups ``name`` and ``roman``."""
        value = roman_value(match["roman"])
        return None if value is None else f"{match['name']} {self.cardinal(value)}"

    def part_of(self, name: str) -> str:
        """Join a fraction other than a half to the unit it is a part of: un quart de litre."""
        return name

    def fraction_digits(self, digits: str) -> str:
        """Say the digits behind a decimal mark; up to three are one number, zeros before it said singly."""
        rest = digits.lstrip("0")
        if len(digits) > 3 or not rest:
            return self.digits(digits)
        zeros = self.digits(digits[: len(digits) - len(rest)])
        return f"{zeros} {self.cardinal(int(rest))}".lstrip()

    # Numbers ---------------------------------------------------------------------------------------------------

    @property
    def number(self) -> str:
        """The pattern of an unsigned number as the language writes it, or unmistakably as another does."""
        foreign = "," if self.decimal == "," else SPACE
        marks = "[.]" if self.decimal == "." else "[,.]"
        # At most nine groups: a row of them without end would take quadratic time.
        grouped = rf"[0-9]{{1,3}}(?:(?:{self.group}[0-9]{{3}}){{1,9}}|(?:{foreign}[0-9]{{3}}){{2,9}})(?![0-9])"
        english = r"[0-9]{1,3}(?:,[0-9]{3}){1,9}\.[0-9]{1,2}(?![0-9])"
        european = r"[0-9]{1,3}(?:\.[0-9]{3}){1,9},[0-9]{1,2}(?![0-9])"
        return rf"(?:{english}|{european}|(?:{grouped}|[0-9]+)(?:{marks}[0-9]+)?)"

    def parse(self, text: str) -> Amount:
        """Take a number apart that matched ``number``, with or without a sign."""
        negative = bool(re.match(MINUS, text))
        bare = re.sub(r"[^0-9.,]", "", text)
        found = re.search(r"[.,]([0-9]+)$", bare)
        if found is None or self._is_group(bare, found[0]):
            return Amount(re.sub("[.,]", "", bare), negative=negative)
        return Amount(re.sub("[.,]", "", bare[: found.start()]), found[0][0], found[1], negative)

    def _is_group(self, bare: str, tail: str) -> bool:
        """Tell a thousands separator from a decimal mark; ``tail`` is the last one with its digits."""
        own = tail[0] != self.decimal and bool(re.fullmatch(self.group, tail[0]))
        return len(tail) == 4 and (own or tail[0] in bare[: -len(tail)])

    def speak(self, amount: Amount, form: str = "") -> str:
        """Say a number; a form only matters for whole numbers."""
        if len(amount.whole) > len(str(LARGEST)) or (amount.whole[0] == "0" and len(amount.whole) > 1):
            whole = self.digits(amount.whole)
        else:
            whole = self.cardinal(int(amount.whole), "" if amount.fraction else form)
        if amount.fraction:
            # A point where the language has a comma is a version or an import: its digits make a number.
            foreign = amount.mark != self.decimal and len(amount.fraction) <= 2 and amount.fraction[0] != "0"
            digits = self.cardinal(int(amount.fraction)) if foreign else self.fraction_digits(amount.fraction)
            whole = f"{whole} {self.point if amount.mark == '.' else self.comma} {digits}"
        return f"{self.minus} {whole}" if amount.negative else whole

    def name(self, amount: Amount, noun: Noun) -> str:
        """Choose the singular or plural of what is counted."""
        return noun.many if self.is_plural(amount) else noun.one

    def count(self, amount: Amount, noun: Noun, match: Match) -> str:
        """Say an amount of something."""
        return f"{self.speak(amount, self.form(noun, match))} {self.name(amount, noun)}"
