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
