"""Rewriting rules: patterns with functions that say what they matched, and the spans no rule may touch.

Rules run one after the other over the whole text. What a rule has said contains no digits, so the number rules
that follow it do not see it again; this is why the order of a rule list matters and nothing is marked as done.
Tags such as ``<laugh>``, ``[laugh]`` and ``<|speaker_1|>`` are instructions to a model: they split the text,
and only what lies between them is rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

Match = re.Match[str]

_TAG = re.compile(
    r"(<\|[^<>\n]{1,80}\|>|</?[A-Za-z](?:(?!://|@)[^<>\n]){0,80}>|\[/?[A-Za-z][\w-]{0,40}\]"
    r"|\[(?:pause|break|silence)[^\[\]\n]{0,40}\])",
)
_ROMAN = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


class Rule(NamedTuple):
    """A pattern and how to say its matches; ``None`` leaves a match as it stands."""

    pattern: re.Pattern[str]
    say: Callable[[Match], str | None]


def rule(pattern: str, say: Callable[[Match], str | None] | str, flags: int = 0) -> Rule:
    """Compile a rule; a string is said as it is, without group references."""
    if isinstance(say, str):
        words = say
        return Rule(re.compile(pattern, flags), lambda _: words)
    return Rule(re.compile(pattern, flags), say)


def rewrite(text: str, rules: Iterable[Rule]) -> str:
    """Apply the rules in their order."""
    for pattern, say in rules:

        def replace(match: Match, say: Callable[[Match], str | None] = say) -> str:
            said = say(match)
            return match[0] if said is None else said

        text = pattern.sub(replace, text)
    return text


def outside_tags(text: str, speak: Callable[[str], str]) -> str:
    """Apply ``speak`` to what lies between the tags, and keep the tags."""
    pieces = _TAG.split(text)
    pieces[::2] = [speak(piece) for piece in pieces[::2]]
    return "".join(pieces)


def one_of(words: Iterable[str]) -> str:
    """Write a pattern for any of the words, longest first so that none hides another."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def word_set(words: str) -> frozenset[str]:
    """Make a set of the words of a string."""
    return frozenset(words.split())


def roman_value(numeral: str) -> int | None:
    """Return the value of a well-formed Roman numeral, else ``None``."""
    if not numeral or not _ROMAN.fullmatch(numeral):
        return None
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )


CAPITAL = r"[\"'“‘«„¿¡]*[A-ZÀ-ÖØ-Þ]"
_TEXT_END = re.compile(r"\s*[\"'”’»)]*\s*$")


def left(match: Match, width: int = 60) -> str:
    """Return the text before a match, as far back as a rule looks."""
    return match.string[max(0, match.start() - width) : match.start()]


def right(match: Match, width: int = 60) -> str:
    """Return the text behind a match, as far as a rule looks."""
    return match.string[match.end() : match.end() + width]


def closing(words: str, match: Match, start: str = CAPITAL) -> str:
    """Give words their full stop back where it also ended the sentence: at the text's end or before ``start``."""
    if not match[0].endswith("."):
        return words
    ends = _TEXT_END.match(match.string, match.end()) or re.match(rf"\s+{start}", right(match))
    return words + "." if ends else words


def _at_end(words: str, match: Match) -> str:
    """Keep the full stop at the very end of the text, where it cannot be the abbreviation's alone."""
    return words + "." if match[0].endswith(".") and _TEXT_END.match(match.string, match.end()) else words


def abbreviations(table: Mapping[str, str], *, followed: str = "", closed: str = "") -> Rule:
    """Make one rule for many abbreviations; spaces in them are optional, and their first letter may be a capital.

    ``followed`` is a pattern that must follow. ``closed`` is one that shows, after a space, that the sentence has
    ended, so that the full stop is not the abbreviation's alone.
    """
    words = {_squeeze(short): long for short, long in table.items()}
    words |= {_capital(short): _capital(long) for short, long in words.items() if _capital(short) not in words}
    spellings = {*table, *(_capital(short) for short in table)}
    either = one_of(spellings).replace("\\ ", "[ \u00a0\u202f]?")

    def say(match: Match) -> str:
        long = words[_squeeze(match[0])]
        said = closing(long, match, closed) if closed else _at_end(long, match)
        return f"{said} " if match.string[match.end() : match.end() + 1].isdigit() else said  # #1, §5

    end = f"(?={followed})" if followed else r"(?!\w)"
    return rule(rf"(?<![\w.@/-])(?:{either}){end}", say)


def _squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
