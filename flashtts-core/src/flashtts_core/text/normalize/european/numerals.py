"""Number words of one language, spelled by the Unicode CLDR rules that ``unicode-rbnf`` ships.

A *form* names the CLDR rule set without its prefix: ``cardinal-feminine``, ``ordinal-masculine-adjective``.
CLDR gives genders and shortened forms (Spanish ``veintiún``/``veintiuna``), which the usual number libraries lack.
"""

from __future__ import annotations

from functools import lru_cache

from unicode_rbnf import RbnfEngine

LARGEST = 10**15 - 1
"""Longer numbers are read digit by digit: nobody reads them otherwise, and the rules compute in floats."""


@lru_cache(maxsize=8)
def _engine(language: str) -> RbnfEngine:
    return RbnfEngine.for_language(language)


@lru_cache(maxsize=4096)
def spell(language: str, form: str, number: int) -> str:
    """Spell a whole number from 0 to ``LARGEST``."""
    return _engine(language).format_number(number, ruleset_names=[f"spellout-{form}"]).text


def spell_digits(language: str, digits: str) -> str:
    """Spell each digit of a string on its own; other characters are skipped."""
    return " ".join(spell(language, "numbering", int(digit)) for digit in digits if digit in "0123456789")
