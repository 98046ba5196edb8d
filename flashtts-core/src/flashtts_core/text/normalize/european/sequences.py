"""Rules for numbers that name something: phone numbers, versions, codes and words with digits in them."""

from __future__ import annotations

import re

from flashtts_core.text.normalize.european.grammar import SPACE, Grammar
from flashtts_core.text.normalize.european.rules import Match, Rule, left, one_of, rule

_RUN = re.compile(r"[0-9]+(?:\.[0-9]+)*|[^\W\d_]+")
_INTERNATIONAL = r"\+[0-9]{1,3}(?:[ .\u00a0\u202f/-]?\(?[0-9]{1,12}\)?){2,8}"
_PREFIXES = "+±~≈<>≤≥−"


def phone_rules(grammar: Grammar) -> list[Rule]:
    """Make the rule for phone numbers: groups as written, with a comma for the pause between them."""

    def say(match: Match) -> str | None:
        groups = re.findall("[0-9]+", match[0].replace("(0)", " "))  # +33 (0)1: not dialled from abroad
        if sum(map(len, groups)) > 16:
            return None
        spoken = [grammar.read_phone_group(group) for group in groups]
        if match[0].startswith("+"):
            spoken[0] = f"{grammar.operators['+']} {spoken[0]}"
        return ", ".join(spoken)

    either = "|".join([_INTERNATIONAL, *grammar.phones])
    return [rule(rf"(?<![\w.,/+-])(?<![0-9]{SPACE})(?:{either})(?![\w/-]|[.,][0-9])", say)]


def arithmetic_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for signs between numbers, and before them."""
    operators = grammar.operators
    between = one_of(sign for sign in operators if sign not in "-/")
    prefixes = one_of(sign for sign in operators if sign in _PREFIXES)
    # "10 - 5 = 5" is a subtraction because of what follows; otherwise a dash between numbers is a range.
    difference = rf"(?<=[0-9]){SPACE}?[-−–]{SPACE}?(?=[0-9.,]+{SPACE}?=)"
    return [
        rule(r"(?<=[0-9])\+(?![\w+])", f" {operators['+']}"),
        rule(difference, f" {grammar.minus} "),
        rule(rf"(?<=[0-9%)]){SPACE}?({between}){SPACE}?(?=[-−(]?[0-9])", lambda m: f" {operators[m[1]]} "),
        rule(rf"(?<![\w+])({prefixes}){SPACE}?(?=[0-9$€£])", lambda m: f"{operators[m[1]]} "),
    ]


def version_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for ``v2.1``, ``3.11.4``, IP addresses and codes of three or more groups."""

    def dotted(text: str) -> str:
        return f" {grammar.point} ".join(grammar.read_code(part) for part in text.split("."))

    def version(match: Match) -> str:
        said = re.search(rf"{grammar.version}\s$", left(match), re.IGNORECASE)
        return dotted(match[1]) if said else f"{grammar.version} {dotted(match[1])}"

    def several(match: Match) -> str | None:
        thousands = re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+", match[0]) and re.fullmatch(grammar.group, ".")
        return None if thousands else dotted(match[0])

    def grouped(match: Match) -> str:
        groups = match[0].split("-")
        short = all(len(group) <= 2 for group in groups)
        return (" " if short else ", ").join(
            grammar.read_code(group) if short else grammar.digits(group) for group in groups
        )

    return [
        rule(r"(?<![\w.])(?:v|V(?=[0-9]+\.[0-9]))\.?([0-9]{1,6}(?:\.[0-9]{1,6})*)(?!\w|[.-][0-9])", version),
        rule(r"(?<![\w.,])[0-9]{1,6}(?:\.[0-9]{1,6}){2,}(?!\w|[.,-][0-9])", several),
        rule(r"(?<![\w.,/-])[0-9]+(?:-[0-9]+){2,}(?![\w/-]|[.,][0-9])", grouped),
    ]


def mixed_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for ``GPT-4`` and ``B12``: the number is said on its own, without the hyphen."""
    tail = r"[0-9]+(?:\.[0-9]+)?[^\W\d_]*"

    def spread(text: str) -> str:
        return " ".join(_read_run(grammar, run) for run in _RUN.findall(text))

    return [
        rule(
            rf"(?<![\w.@/-])([A-Z]\w*(?:-[A-Z]\w*)*)[-\u2010\u2011]({tail})(?![\w@]|-[0-9]|[.,][0-9])",
            lambda m: f"{spread(m[1])} {spread(m[2])}",
        ),
        rule(
            r"(?<![\w@])(?<![0-9]\.)(?=[^\W_]*[0-9])(?=[0-9]*[^\W\d_])[^\W_]+(?:\.[0-9]+)?(?!\w|[.,][0-9])",
            lambda m: spread(m[0]),
        ),
    ]


def _read_run(grammar: Grammar, run: str) -> str:
    if run[0] in "0123456789":
        if "." in run:
            return grammar.speak(grammar.parse(run))
        return grammar.read_code(run)
    # A few small letters without a vowel can only be spelled: mp3.
    return run.upper() if len(run) <= 3 and not set(run.lower()) & set("aeiouyà") and len(run) > 1 else run
