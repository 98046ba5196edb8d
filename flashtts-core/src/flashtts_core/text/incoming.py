"""Cuts a text that arrives in pieces, as a language model writes it, at the ends of its sentences.

A sentence is handed on as soon as the word after it is there, which tells ``Dr. Who`` from an end. Where the text is
cut does not depend on the pieces it came in. Nothing is lost: what is handed on, joined, is the text.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Literal

import regex

from flashtts_core.text.segment import sentences

Granularity = Literal["sentence", "clause"]

LONG = 200
"""Characters; a sentence that is longer is handed on up to the end of a clause."""
SHORT_CLAUSE = 24
"""Characters; shorter clauses stay with the next."""
LONGEST = 600
"""Characters; what has no end by then is cut between words."""
_AHEAD = 8
"""Characters of the next word that are looked at, if it has so many."""

_CLOSERS = r"[\"'”’»›」』）】〕》)\]]*+"
_BREAK = regex.compile(
    rf"(?P<line>\n)"
    rf"|(?P<stop>[.!?…।॥؟۔]++{_CLOSERS}\s++)(?=\S)"
    rf"|(?P<wide>[。！？．｡]++{_CLOSERS})"
    rf"|(?P<clause>[,;:،؛]++{_CLOSERS}\s++(?=\S)|(?<=\s)[–—-]++\s++(?=\S)|(?<!\d(?=[，：、]\d))[，；：、]++{_CLOSERS})"
)
_HAS_WORD = regex.compile(r"[^\W_]")
_SPACE = regex.compile(r"\s")


def whole_characters(text: str) -> str:
    """Return the text with the halves (surrogates) that stand next to each other joined, and others replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class IncomingText:
    """A text on its way; ``language`` says which one a stretch of it is in.

    A piece may end within a character: in many languages a text is a row of 16-bit units.
    """

    def __init__(self, language: Callable[[str], str], granularity: Granularity = "sentence") -> None:
        self._language = language
        self._least_clause = SHORT_CLAUSE if granularity == "clause" else LONG
        self._open = ""
        self._half = ""  # of a character; the other is to come
        self._looked = 0  # no end stands before this character of what is open

    def add(self, text: str) -> list[str]:
        """Take the next piece of the text and return what is complete now."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        self._open += text if text.isascii() else whole_characters(text)
        complete = []
        while (end := self._next_end()) is not None:
            complete.append(self._open[:end])
            self._open = self._open[end:]
            self._looked = 0
        return complete

    def finish(self) -> list[str]:
        """Return what is left, and begin anew."""
        rest, self._open, self._half, self._looked = self._open, "", "", 0
        return sentences(rest, self._language(rest)) if rest else []

    def _next_end(self) -> int | None:
        """Return where the first complete part of what is open ends."""
        for found in _BREAK.finditer(self._open, self._looked):
            if found.end() > LONGEST:
                break
            if not self._is_decided(found):
                return None
            if self._is_end(found):
                return found.end()
            self._looked = found.start() + 1
        if len(self._open) < LONGEST + _AHEAD:
            return None
        spaces = [space.end() for space in _SPACE.finditer(self._open, 1, LONGEST)]
        return spaces[-1] if spaces else LONGEST

    def _is_decided(self, found: regex.Match[str]) -> bool:
        """Whether enough of the next word is there to tell."""
        after = self._open[found.end() : found.end() + _AHEAD]
        if found.lastgroup == "stop":
            return len(after) == _AHEAD or _SPACE.search(after) is not None
        return found.lastgroup == "line" or len(after) >= (2 if found.lastgroup == "wide" else 1)

    def _is_end(self, found: regex.Match[str]) -> bool:
        end = found.end()
        if _HAS_WORD.search(self._open, 0, end) is None:
            return False
        if found.lastgroup == "line":
            return True
        if found.lastgroup == "clause":
            return end >= self._least_clause
        word = self._open[end : end + (2 if found.lastgroup == "wide" else _AHEAD)]
        space = _SPACE.search(word)
        head = self._open[: end + (space.start() if space else len(word))]
        return end in accumulate(map(len, sentences(head, self._language(head))))
