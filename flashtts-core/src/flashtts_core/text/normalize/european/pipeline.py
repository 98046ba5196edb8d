"""Turn a grammar into a normaliser: all rules in the order in which they must run."""

from __future__ import annotations

from collections.abc import Callable

from flashtts_core.text.normalize.european.addresses import address_rules
from flashtts_core.text.normalize.european.grammar import Grammar
from flashtts_core.text.normalize.european.quantities import (
    fraction_rules,
    money_rules,
    number_rules,
    range_rules,
    unit_rules,
)
from flashtts_core.text.normalize.european.rules import outside_tags, rewrite
from flashtts_core.text.normalize.european.sequences import (
    arithmetic_rules,
    mixed_rules,
    phone_rules,
    repeat_rules,
    sign_rules,
    stamp_rules,
    version_rules,
)


def make_normalizer(grammar: Grammar) -> Callable[[str], str]:
    """Return a function that writes out what is not a plain word; tags and plain words come back as they were."""
    rules = [
        *grammar.abbreviation_rules(),
        *address_rules(grammar.marks, grammar.read_code),
        *stamp_rules(grammar),
        *grammar.calendar_rules(),
        *phone_rules(grammar),
        *repeat_rules(grammar),
        *arithmetic_rules(grammar),
        *money_rules(grammar),
        *unit_rules(grammar),
        *grammar.ordinal_rules(),
        *version_rules(grammar),
        *fraction_rules(grammar),
        *range_rules(grammar),
        *mixed_rules(grammar),
        *number_rules(grammar),
        *grammar.symbol_rules(),
        *sign_rules(grammar.signs),
    ]

    def normalize(text: str) -> str:
        return outside_tags(text, lambda piece: rewrite(piece, rules))

    return normalize
