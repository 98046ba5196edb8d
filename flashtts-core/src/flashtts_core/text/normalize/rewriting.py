"""Rewrite text by an ordered list of patterns, leaving speech tags alone.

The Chinese, Korean and Hindi normalisers are tables of `Rule`s over this one loop. A rule sees what the rules before it
left, so written forms that contain others (a date contains numbers) come first. Patterns are compiled with `re.ASCII`:
`\\d`, `\\b` and `\\w` then mean ASCII, and a boundary lies between a Latin letter and a letter of any other script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

# `<laugh>`, `<嬉笑>`, `<|x|>`, `[笑]`, `[pause 500ms]`; not `a < b > c`, not `[3월 소식]`, not `[오전 10시 회의]`.
TAG: Final = re.compile(
    r"(<\|[^<>\n]{0,80}\|>"
    r"|</?[^\W\d_][^<>\n=+]{0,80}(?<!\s)>"
    r"|\[/?[A-Za-z|][\x20-\x5a\x5c\x5e-\x7e]{0,80}\]"
    r"|\[/?[^\W\d_][^\[\]\d\n]{0,40}\])"
)

NUMBER: Final = r"(?:(?:[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?![0-9])|[0-9]+)(?:\.[0-9]+)?)"
"""A number as written: thousands or Indian grouping, an optional decimal part, no sign."""

NUMBER_START: Final = r"(?<![0-9])(?<![0-9][.,])"
"""What must precede `NUMBER` so that a match never begins inside a longer number."""


_COUNTED: Final = r"(?:(?:19|20)[0-9]{2}|[0-9]000)"
CARD: Final = rf"(?!{_COUNTED}[ -]{_COUNTED}[ -])[0-9]{{4}}(?P<gap>[ -])[0-9]{{4}}(?P=gap)[0-9]{{4}}(?P=gap)[0-9]{{4}}"
"""A payment card in the groups it is printed in; a row of years or thousands is none."""

STAMP: Final = (
    r"(?<![A-Za-z0-9./-])(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<clock>[0-9]{2}:[0-9]{2})(?P<second>:[0-9]{2})?"
    r"(?:\.(?P<rest>[0-9]{1,9}))?(?P<zone>Z|(?P<sign>[-+])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2}))?(?![A-Za-z0-9])"
)
"""A moment as machines write it: ``2024-01-01T10:00:00Z``."""


class Rule(NamedTuple):
    """One written form and how it is spoken."""

    pattern: re.Pattern[str]
    spell: Callable[[re.Match[str]], str]


def rule(pattern: str, spell: Callable[[re.Match[str]], str] | str) -> Rule:
    """Compile a rule; `spell` is a function of the match or a template such as `\\1到`."""
    compiled = re.compile(pattern, re.ASCII)
    if isinstance(spell, str):
        template = spell
        return Rule(compiled, lambda match: match.expand(template))
    return Rule(compiled, spell)


HARD_SPACE_RULE: Final = rule("(?<=[0-9])[\u00a0\u2009\u202f](?=\\S)", " ")
"""Typographic spaces between a number and its unit become plain ones, which the other rules know."""


def spell_stamp(
    match: re.Match[str], gap: str, point: str, digits: Callable[[str], str], signs: tuple[str, str]
) -> str:
    """Set the date and the time that `STAMP` matched apart, for the rules of the calendar.

    `point` and `digits` read a fraction of a second, `signs` are the words for an offset ahead of and behind UTC.
    """
    second, rest = match["second"] or "", (match["rest"] or "").rstrip("0")
    spoken = f"{match['date']}{gap}{match['clock']}{'' if second == ':00' and not rest else second}"
    if rest:
        spoken += point + digits(rest)
    if match["zone"]:
        spoken += " UTC"
    if match["sign"] and int(match["hours"] + match["minutes"]):
        spoken += f" {signs[match['sign'] == '-']} {int(match['hours'])}"
        spoken += "" if match["minutes"] == "00" else f" {int(match['minutes'])}"
    return spoken


def rewrite(text: str, rules: Sequence[Rule]) -> str:
    """Apply the rules in order to everything outside tags."""
    parts = TAG.split(text)
    for index in range(0, len(parts), 2):  # the odd parts are the tags
        part = parts[index]
        for pattern, spell in rules:
            part = pattern.sub(spell, part)
        parts[index] = part
    return "".join(parts)


def one_of(words: Iterable[str]) -> str:
    """Return a pattern that matches the longest of `words`."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) + ")"


def plain(number: str) -> str:
    """Drop the grouping commas of a written number."""
    return number.replace(",", "")
