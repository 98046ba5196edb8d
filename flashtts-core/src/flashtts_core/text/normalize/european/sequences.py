"""Rules for numbers that name something (phones, versions, codes, words with digits in them), and for signs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flashtts_core.text.normalize.european.grammar import DASH, SPACE, Grammar
from flashtts_core.text.normalize.european.rules import Match, Rule, left, one_of, rule
from flashtts_core.text.normalize.rewriting import CARD, STAMP, spell_stamp

_RUN = re.compile(r"[0-9]+(?:\.[0-9]+)*|[^\W\d_]+")
_INTERNATIONAL = r"\+[0-9]{1,3}(?:(?:[ .\u00a0\u202f/-]| / )?\(?[0-9]{1,12}\)?){2,8}"
_PREFIXES = "+±~≈<>≤≥"
# Payment cards and bank accounts, in the groups they are printed in.
_CARD = rf"{CARD}|3[0-9]{{3}}(?P<apart>[ -])[0-9]{{6}}(?P=apart)[0-9]{{5}}"
_ACCOUNT = r"[A-Z]{2}[0-9]{2}(?: [0-9]{4}){3,7}(?: [0-9]{1,3})?"


def stamp_rules(grammar: Grammar) -> list[Rule]:
    """Make the rule that sets ``2024-01-01T10:00:00Z`` apart into a date and a time, which the calendar then reads."""
    signs = grammar.operators["+"], grammar.minus
    return [rule(STAMP, lambda m: spell_stamp(m, ", ", f" {grammar.comma} ", grammar.digits, signs))]


def phone_rules(grammar: Grammar) -> list[Rule]:
    """Make the rule for phone numbers: groups as written, with a comma for the pause between them."""

    def say(match: Match) -> str | None:
        groups = re.findall("[0-9]+", match[0].replace("(0)", " "))  # +33 (0)1: not dialled from abroad
        length = sum(map(len, groups))
        if length > 16 or (match[0].startswith("+") and length < 7):  # +14.3 is a change
            return None
        spoken = [grammar.read_phone_group(group) for group in groups]
        if match[0].startswith("+"):
            spoken[0] = f"{grammar.operators['+']} {spoken[0]}"
        return ", ".join(spoken)

    def printed(match: Match) -> str:
        groups = re.findall("[A-Z]+|[0-9]+", match[0])
        return ", ".join(group if group.isalpha() else grammar.digits(group) for group in groups)

    def spelled(match: Match) -> str:
        return match["name"] + grammar.digits(match["code"])

    codes = {form for word in grammar.codes for form in (word, word[0].upper() + word[1:])}
    named = rf"(?P<name>\b(?:{one_of(codes)}):? )(?P<code>[0-9]{{4,12}})(?![\w/:-]|[.,][0-9])"
    counted = (
        rf"(?P<name>\b(?i:{grammar.numbered}) )(?![0-9]{{0,9}}000(?![0-9]))(?P<code>[0-9]{{5,12}})(?![\w/:-]|[.,][0-9])"
    )
    either = "|".join([_INTERNATIONAL, *grammar.phones])
    long = rf"(?<![\w.,/+-])(?<![0-9]{SPACE})(?:{_CARD}|{_ACCOUNT})(?![\w/-]|[.,][0-9]|{SPACE}[0-9])"
    return [
        rule(long, printed),
        rule(named, spelled),
        rule(counted, spelled),
        rule(rf"(?<![\w.,/+-])(?<![0-9]{SPACE})(?:{either})(?![\w/-]|[.,][0-9])", say),
    ]


def repeat_rules(grammar: Grammar) -> list[Rule]:
    """Make the rule for ``3x`` as "three times"; with a space before the x, only where it cannot be a product."""

    def say(match: Match) -> str:
        said = grammar.repeated(grammar.parse(match["high"]))
        return (
            said
            if match["low"] is None
            else grammar.join_range(grammar.speak(grammar.parse(match["low"])), said, match)
        )

    number = r"[0-9]{1,9}(?:[.,][0-9]{1,3})?"
    return [
        rule(
            rf"(?<![\w.,:/-])(?:(?P<low>{number}){SPACE}?{DASH}{SPACE}?)?(?P<high>{number})"
            rf"(?:[x×](?!\w|{SPACE}?[-+(]?[0-9])|{SPACE}[x×](?={SPACE}[^\W\d_]{{2}}))",
            say,
        )
    ]


def arithmetic_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for signs between numbers, and before them."""
    operators = grammar.operators
    between = one_of(sign for sign in operators if sign not in "-/")
    prefixes = one_of(sign for sign in operators if sign in _PREFIXES)
    # "10 - 5 = 5" is a subtraction because of what follows; otherwise a dash between numbers is a range.
    difference = rf"(?<=[0-9]){SPACE}?[-−–]{SPACE}?(?=[0-9.,]+{SPACE}?=)"
    # "6 x 4 = 24" multiplies, "6 x 4" may be a size.
    product = (
        rf"(?<=[0-9]){SPACE}?x{SPACE}?(?=[0-9.,]{{1,20}}(?:{SPACE}?[x×*+-]{SPACE}?[0-9.,]{{1,20}}){{0,3}}{SPACE}?=)"
    )
    return [
        rule(r"(?<=[0-9])\+(?![\w+])", f" {operators['+']}"),
        rule(difference, f" {grammar.minus} "),
        rule(product, f" {operators['×']} "),
        rule(
            rf"(?<=[0-9])(?P<unit>{SPACE}?(?:[cmdk]?m|in|ft)){SPACE}?[x×]{SPACE}?(?=[0-9])",
            lambda m: f"{m['unit']} {operators['x']} ",
        ),
        rule(
            r"(?:(?<=\bGMT)|(?<=\bUTC))(?P<sign>[+−-])(?=[0-9]{1,2}(?![0-9]))",
            lambda m: f" {operators['+'] if m['sign'] == '+' else grammar.minus} ",
        ),
        rule(rf"(?<![\w+])−{SPACE}(?=[0-9$€£])", f"{grammar.minus} "),
        rule(rf"(?<=[0-9%)]){SPACE}?({between}){SPACE}?(?=[-−(]?[0-9])", lambda m: f" {operators[m[1]]} "),
        rule(rf"(?<![\w+])({prefixes}){SPACE}?(?=[0-9$€£])", lambda m: f"{operators[m[1]]} "),
    ]


def sign_rules(signs: Mapping[str, str]) -> list[Rule]:
    """Make the rules for signs that stand for words, from a language's names of ``& # @ = ² ³`` and ``C++``."""
    return [
        rule(r"(?<=\w)\s?&\s?(?=\w)", f" {signs['&']} "),
        rule(r"(?<=\s)&(?=\s)", signs["&"]),
        rule(r"(?<=\w)²", f" {signs['²']}"),
        rule(r"(?<=\w)³", f" {signs['³']}"),
        rule(r"\bC\+\+", signs["C++"]),
        rule(r"(?<!\w)#(?=[^\W\d_])", f"{signs['#']} "),
        rule(r"(?<![\w@])@(?=[^\W\d_])", f"{signs['@']} "),
        rule(r"(?<=\w) ?= ?(?=\w)", f" {signs['=']} "),  # after C++, whose words may stand before it
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
            r"(?<![\w@])(?<![0-9]\.)(?=[^\W_]*[0-9])(?=[0-9]*[^\W\d_²³])[^\W_]+(?:\.[0-9]+)?(?!\w|[.,][0-9])",
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
