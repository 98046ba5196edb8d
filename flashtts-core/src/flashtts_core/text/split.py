"""Cuts a text into pieces that fit an engine's window, at the best places: sentences, clauses, words, then characters.

Every piece is a slice of the text without the white space at its ends; nothing but white space is left out between two
pieces, so the pieces without any white space are the text without any. No piece is blank, and none has more tokens than
the window unless a single grapheme cluster or tag has.

Tokens are counted by the caller's function, often a real tokenizer (some 50 µs a call). Counts do not add up, since a
token may span a border, so every piece is counted whole. How far a piece reaches is guessed from the characters per
token seen last and then found by bisection: a few counts of about a piece each, for a text of any kind.
"""

from __future__ import annotations

import math
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate, pairwise

import regex

from flashtts_core.text.segment import sentences
from flashtts_core.types import SplitLimits

_TAG = regex.compile(r"<[^<>\s][^<>\n]{0,38}>|\[[^\[\]\s][^\[\]\n]{0,38}\]")
"""What is never cut: the tags of engines, ``<laugh>``. Not longer, lest a remark in brackets be taken for one."""

_MARKS = "[,;:.!?…،؛؟۔।॥]"
_CLOSERS = r"[\"'”’»›」』）】〕》)\]]*+"
CLAUSE_END = regex.compile(
    rf"(?<!{_MARKS}){_MARKS}++{_CLOSERS}(?=\s)|(?<=\s)[–—-]++(?=\s)|(?<!\d(?=[，：、]\d))[，；：、。！？…—]++{_CLOSERS}"
)
"""After an ASCII mark if a space follows (not in ``3.14``, ``12:30``), after a full-width one if not between digits."""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}"  # scripts that put no space between words
_WORD_END = regex.compile(
    rf"\s+|(?<=[{_UNSPACED}，；：、。！？」』”）】》])(?=[{_UNSPACED}])"
    rf"|(?<=[{_UNSPACED}])(?=[^\W\d_{_UNSPACED}])|(?<=[^\W\d_{_UNSPACED}])(?=[{_UNSPACED}])"
)
"""After white space, and on either side of a Han or kana character but before marks and beside digits (``3月``)."""

_GRAPHEME = regex.compile(r"\X")

_ENDS = (CLAUSE_END, _WORD_END, _GRAPHEME)
_SENTENCES, _CLAUSES, _WORDS, _GRAPHEMES = range(4)  # levels; level k > 0 is cut by _ENDS[k - 1]


def split(
    text: str, *, language: str, count_tokens: Callable[[str], int], limits: SplitLimits, merge: bool = True
) -> list[str]:
    """Cut a text into pieces of at most ``limits.window_size`` tokens; a blank text has none.

    A text of at most ``limits.length_threshold`` tokens is not split for its length, even if the window is smaller.
    With ``merge`` a piece takes in as many sentences as fit; without it every sentence is a piece of its own. A
    sentence over the window is cut after clauses, a clause over it between words (then into parts of about the same
    length), a word over it between grapheme clusters.
    """
    whole = text.strip()
    if not whole:
        return []
    short = count_tokens(whole) <= limits.length_threshold
    if merge and short:
        return [whole]
    packer = _Packer(whole, count_tokens, sys.maxsize if short else limits.window_size)
    found = accumulate(map(len, sentences(whole, language)))
    cuts = [cut for cut in found if cut == len(whole) or packer.may_cut(cut)]
    if merge:
        ends = packer.pack(0, cuts, _SENTENCES)
    else:
        ends = [end for start, cut in pairwise([0, *cuts]) for end in packer.pack(start, [cut], _SENTENCES)]
    pieces = (whole[start:end].strip() for start, end in pairwise([0, *ends]))
    return [piece for piece in pieces if piece]


class _Packer:
    """Packs units of one text into pieces within the window; positions are offsets into the text."""

    def __init__(self, text: str, count_tokens: Callable[[str], int], window: int) -> None:
        self._text = text
        self._count_tokens = count_tokens
        self._window = window
        self._pace = 4.0  # characters per token, as last seen
        self._tags = [match.span() for match in _TAG.finditer(text)]

    def count(self, start: int, end: int) -> int:
        """Tokens of a slice without the white space at its ends."""
        tokens = self._count_tokens(self._text[start:end].strip())
        if tokens:
            self._pace = (end - start) / tokens
        return tokens

    def may_cut(self, position: int) -> bool:
        """Whether a cut here is inside neither a tag nor a grapheme cluster."""
        return not self._is_in_tag(position) and not _is_in_cluster(self._text, position)

    def pack(self, start: int, cuts: list[int], level: int) -> list[int]:
        """Return where the pieces end; ``cuts`` are the ends of the units, which begin at ``start``.

        A unit that is over the window by itself is replaced by its parts of the next level, each within the window.
        """
        cuts = list(cuts)
        ends: list[int] = []
        taken = parted = 0  # units in pieces already; units before this one are parts and need no cutting
        total = self.count(start, cuts[-1]) if level >= _WORDS else 0
        while taken < len(cuts):
            begin = cuts[taken - 1] if taken else start
            share = self._even_share(total * (cuts[-1] - begin) / (cuts[-1] - start)) if total else self._window
            if share == self._window:
                reach = self._reach(begin, cuts, taken, share)
            else:  # the first that is not under the share: a little less each time would leave a stub at the end
                reach = self._reach(begin, cuts, taken, share - 1)
                reach += reach < len(cuts) and self.count(begin, cuts[reach]) <= self._window
            if reach == taken and taken >= parted and level < _GRAPHEMES:
                parts = self.pack(begin, self._units(begin, cuts[taken], level + 1), level + 1)
                cuts[taken : taken + 1] = parts
                parted = taken + len(parts)
                continue
            taken = max(reach, taken + 1)
            ends.append(cuts[taken - 1])
        return ends

    def _even_share(self, tokens: float) -> int:
        """The tokens each part has if this many are dealt out evenly to as few parts as the window allows."""
        return min(self._window, math.ceil(tokens / max(1, math.ceil(tokens / self._window))))

    def _reach(self, begin: int, cuts: list[int], taken: int, limit: int) -> int:
        """How many units are taken once a piece of ``limit`` tokens is filled; as many as before if none fits."""

        def fits(reach: int) -> bool:
            return self.count(begin, cuts[reach - 1]) <= limit

        guess = bisect_right(cuts, begin + limit * self._pace, lo=taken)
        fitting, failing = taken, len(cuts) + 1
        probe, step = max(guess, taken + 1), 1
        while fitting < probe < failing:
            if fits(probe):
                fitting = probe
                probe = min(probe + step, len(cuts)) if failing > len(cuts) else (fitting + failing) // 2
            else:
                failing = probe
                probe = max(probe - step, taken + 1) if fitting == taken else (fitting + failing) // 2
            step *= 2
        return fitting

    def _units(self, start: int, end: int, level: int) -> list[int]:
        """The ends of the units of a level between two positions."""
        found = (match.end() for match in _ENDS[level - 1].finditer(self._text, start, end))
        allowed = (lambda cut: not self._is_in_tag(cut)) if level == _GRAPHEMES else self.may_cut
        return [*(cut for cut in found if start < cut < end and allowed(cut)), end]

    def _is_in_tag(self, position: int) -> bool:
        before = bisect_left(self._tags, (position, 0)) - 1
        return before >= 0 and position < self._tags[before][1]


def _is_in_cluster(text: str, position: int) -> bool:
    """Whether the characters on both sides of a position that follows a space, a mark or a word belong together."""
    before, after = text[position - 1], text[position]
    if before.isascii() and after.isascii():
        return False
    joined = unicodedata.category(after).startswith("M") or unicodedata.category(before) == "Cf"
    cluster = _GRAPHEME.match(text, position - 1)
    return joined or cluster is None or cluster.end() != position
