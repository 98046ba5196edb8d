"""Rules for what is counted or measured: money, units, fractions, ranges and plain numbers."""

from __future__ import annotations

import re

from flashtts_core.text.normalize.european.grammar import DASH, MINUS, SPACE, YEARS, Amount, Currency, Grammar, Noun
from flashtts_core.text.normalize.european.rules import Match, Rule, closing, left, one_of, rule

# A sign belongs to a number only where no word or number stands right before it: "-5" but not "A-5" or "3-5".
_SIGN = rf"(?:(?<![\w.,)\]%°]){MINUS}(?=[0-9]))?"
# Behind the dash of a range only these are minus signs: "–3–−2", "-5--3".
_HIGH_SIGN = r"(?:[-\u2212](?=[0-9]))?"
_START = r"(?<!\w)(?<![0-9][.,:/])"
_PAGE = re.compile(r"\b(?:page|part|seite|teil|página|parte|pagina|partie)\s$", re.IGNORECASE)
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8),
}  # fmt: skip


def money_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for amounts with a currency before or after them, and perhaps a scale such as "million"."""
    symbol = rf"(?P<currency>{one_of(grammar.currencies)})"
    scale = rf"(?:(?:{SPACE}|-)?(?P<scale>{one_of(grammar.scales)})(?!\w))?"
    to = rf"{SPACE}?{DASH}{SPACE}?"
    sign = rf"(?P<sign>(?<!\w){MINUS})?(?<![^\W_])(?:(?<![0-9]{SPACE})|(?=[^\w\s][0-9])){symbol}{SPACE}?"
    high = rf"(?P<high>{_HIGH_SIGN}{grammar.number})"
    again = rf"(?:{to}(?:(?:{one_of(grammar.currencies)}){SPACE}?)?{high})?"
    before = rf"{sign}(?P<low>{_SIGN}{grammar.number}){again}{scale}(?![^\W_]|[.,]?[0-9])"
    after = rf"(?P<low>{_SIGN}{_START}{grammar.number})(?:{to}{high})?{scale}{SPACE}?{symbol}(?!\w)"

    def say(match: Match) -> str:
        said = _say_money(grammar, match) + _per(grammar, match)
        return closing(
            f"{grammar.minus} {said}" if match.groupdict().get("sign") else said, match, grammar.sentence_start
        )

    per = _per_pattern(grammar)
    return [rule(before + per, say), rule(after + per, say)]


def unit_rules(grammar: Grammar) -> list[Rule]:
    """Make the rule for amounts, or ranges of amounts, with a unit after them."""
    low = rf"(?P<low>{_SIGN}{_START}{grammar.number})"
    high = rf"(?P<high>{_HIGH_SIGN}{grammar.number})"
    unit = rf"(?P<unit>{one_of(grammar.units)})(?![\w²³'’])"

    def say(match: Match) -> str:
        return closing(
            _say_span(grammar, match, grammar.units[match["unit"]]) + _per(grammar, match),
            match,
            grammar.sentence_start,
        )

    # "5 %-10 %" and "5-10 %" are said alike
    twice = rf"{low}{SPACE}?{unit}{SPACE}?{DASH}{SPACE}?{high}{SPACE}?(?P=unit)(?![\w²³'’]){_per_pattern(grammar)}"
    once = rf"{low}(?:{SPACE}?{DASH}{SPACE}?{high})?{SPACE}?{unit}{_per_pattern(grammar)}"
    return [rule(twice, say), rule(once, say)]


def fraction_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for ``1/2``, ``2 1/2``, ``½`` and ``2½``, with a unit or a noun after them."""

    def written(match: Match) -> str | None:
        part = int(match["numerator"]), int(match["denominator"])
        if match["whole"] is None and _PAGE.search(left(match)):
            return f"{grammar.cardinal(part[0])} {grammar.of} {grammar.cardinal(part[1])}"
        return _say_fraction(grammar, match, part) if part[1] else None

    def vulgar(match: Match) -> str:
        return _say_fraction(grammar, match, _VULGAR[match["fraction"]])

    whole = rf"(?<![\w.,:/-])(?:(?P<whole>[0-9]{{1,3}}){SPACE}"
    parts = r"(?P<numerator>[0-9]{1,3})[/⁄](?P<denominator>[0-9]{1,3})(?![\w/]|[.,][0-9])"
    what = rf"(?:{SPACE}?(?P<unit>{one_of(grammar.units)})(?![\w²³'’])|(?={SPACE}(?P<noun>[^\W\d_]+))|)"

    def rest(match: Match) -> str:
        ends = [grammar.parse(match[1]), grammar.parse(match[2])]
        if len(ends[0].whole) == 4 and len(ends[1].whole) in (2, 4) and not ends[0].fraction + ends[1].fraction:
            return " ".join(grammar.read_code(end.whole) for end in ends)  # 2020/2021, 1990/91
        # "law 39/2015" is a name, "4.5/5" a mark
        over = grammar.marks["/"] if int(ends[1].whole[:9]) in YEARS else grammar.operators["/"]
        return f" {over} ".join(grammar.speak(end) for end in ends)

    ratio = rf"(?<![\w.,:/-])({grammar.number})/({grammar.number})(?![\w/])"
    return [
        rule(f"{whole})?{parts}{what}", written),
        rule(ratio, rest),
        rule(rf"{whole}?)?(?P<fraction>{one_of(_VULGAR)}){what}", vulgar),
    ]


def range_rules(grammar: Grammar) -> list[Rule]:
    """Make the rule for ranges and scores without a unit; with spaces, only what rises is one, not "2010 - 5"."""
    number = r"[0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]+(?:[.,][0-9]+)?"
    pattern = (
        rf"(?<![\w.,:/-])(?P<low>{_SIGN}(?:{number}))(?P<gap>{SPACE}?){DASH}(?P=gap)(?P<high>{_HIGH_SIGN}(?:{number}))"
        rf"(?![\w/]|:[0-9]|-[A-Z0-9]|[.,][0-9])(?:(?={SPACE}(?P<noun>[^\W\d_]+))|)"
    )

    def say(match: Match) -> str | None:
        low, high = _ends(grammar, match)
        if match["gap"] and low.value >= high.value:
            return None
        if match["low"].isdigit() and len(low.whole) + 1 < len(high.whole) and match["high"].isdigit():
            return f"{grammar.read_code(low.whole)} {grammar.read_code(high.whole)}"  # order 55-1234
        years = not (low.fraction or high.fraction) and len(match["low"]) == 4 and int(low.whole) in YEARS
        if years and (len(match["high"]) == 2 or (len(match["high"]) == 4 and int(high.whole) in YEARS)):
            ends = grammar.year(int(low.whole)), grammar.year(int(high.whole))
        else:
            ends = grammar.speak(low), grammar.plain_number(high, match)
        return grammar.join_range(*ends, match)

    return [rule(pattern, say)]


def ratio_rule(grammar: Grammar, to: str) -> Rule:
    """Make the rule for a ratio or score with a colon, 3:1, which comes after those for times of day."""
    return rule(
        r"(?<![\w.,:/-])([0-9]{1,3}):([0-9]{1,3})(?![\w:]|[.,][0-9])",
        lambda m: f"{grammar.cardinal(int(m[1]))} {to} {grammar.cardinal(int(m[2]))}",
    )


def consumption_rule(per: str) -> Rule:
    """Make the rule for what a car uses on 100 km, 6 l/100 km, which is no quotient; ``per`` stands before the 100."""
    return rule(r"(?<=[0-9] )(l|L|kWh)/100 ?(?=km\b)", lambda m: f"{m[1]} {per} 100 ")


def number_rules(grammar: Grammar) -> list[Rule]:
    """Make the rules for all numbers that are left, the last one for digits that stick to a letter."""
    pattern = (
        rf"(?P<number>{_SIGN}(?<![^\W_]){grammar.number})(?:(?={SPACE}(?P<noun>[^\W\d_]+))|)"
        r"(?=(?P<unspaced>[^\W\d_²³])?)"
    )

    def say(match: Match) -> str:
        said = grammar.plain_number(grammar.parse(match["number"]), match)
        return f"{said} " if match["unspaced"] else said

    return [rule(pattern, say), rule("[0-9]+", lambda m: f" {grammar.read_code(m[0])}")]


def _say_span(grammar: Grammar, match: Match, noun: Noun) -> str:
    """Say one amount of a noun or a range of it."""
    if match["high"] is None:
        return grammar.count(grammar.parse(match["low"]), noun, match)
    low, high = _ends(grammar, match)
    spoken = grammar.speak(low, grammar.form(noun, match))
    return grammar.join_range(spoken, grammar.count(high, noun, match), match)


def _ends(grammar: Grammar, match: Match) -> tuple[Amount, Amount]:
    """Take the ends of a range apart; a doubled hyphen is a dash (5--10) unless it starts below zero (-5--3)."""
    low, high = grammar.parse(match["low"]), grammar.parse(match["high"])
    start = match.start("high")
    doubled = match.string[start - 1 : start + 1] == "--" and not low.negative
    return low, high._replace(negative=False) if doubled else high


def _say_money(grammar: Grammar, match: Match) -> str:
    currency = grammar.currencies[match["currency"]]
    if match["scale"] is not None:
        scale = grammar.scales[match["scale"]]
        return grammar.join_scale(_say_span(grammar, match, scale), scale, currency.unit, match)
    if match["high"] is not None:
        return _say_span(grammar, match, currency.unit)
    return _say_price(grammar, grammar.parse(match["low"]), currency, match)


def _say_price(grammar: Grammar, amount: Amount, currency: Currency, match: Match) -> str:
    """Say an amount of money; two decimals are cents, others are decimals."""
    if currency.cent is None or len(amount.fraction) != 2:
        return grammar.count(amount, currency.unit, match)
    cents = Amount(amount.fraction.lstrip("0") or "0", negative=amount.negative)
    if cents.whole != "0" and not amount.whole.strip("0"):
        return grammar.count(cents, currency.cent, match)
    unit = grammar.count(amount._replace(mark="", fraction=""), currency.unit, match)
    if cents.whole == "0":
        return unit
    spoken = grammar.speak(cents._replace(negative=False), currency.cent.form)
    return grammar.join_money(unit, spoken, grammar.name(cents, currency.cent))


def _per_pattern(grammar: Grammar) -> str:
    return rf"(?:/(?P<per>(?:{one_of(grammar.units)})(?!\w)|[^\W\d_]+))?"


def _per(grammar: Grammar, match: Match) -> str:
    """Say "per kilogram" for what follows a slash."""
    what = match["per"]
    if what is None:
        return ""
    return " " + grammar.per_what(grammar.units[what].one if what in grammar.units else what)


def _say_fraction(grammar: Grammar, match: Match, part: tuple[int, int]) -> str:
    whole, unit = match["whole"], grammar.units.get(match["unit"] or "")
    if part == (24, 7):
        return f"{grammar.cardinal(24)} {grammar.cardinal(7)}"
    if whole is not None and 0 < part[0] < part[1]:
        if unit is not None:
            return grammar.mixed_fraction_of(int(whole), part, unit)
        return grammar.mixed_fraction(int(whole), part, match["noun"] or "")
    said = grammar.fraction(*part, unit.one if unit is not None else match["noun"] or "")
    if unit is not None:
        said = f"{said} {unit.one if part == (1, 2) else grammar.part_of(unit.one)}"
    return said if whole is None else f"{grammar.cardinal(int(whole))} {said}"
