"""Emotion tags in a text, as ``<laugh>``: kept where the model knows them, else taken out by a fixed rule.

The rule, for every ``<name>`` of at most 40 characters:

- a tag of the model's own language is kept, spelled as the model knows it (``<Laugh>`` becomes ``<laugh>``);
- a tag that only models of other languages know is dropped: it is a direction, not a word;
- anything else loses its brackets and is read as words: ``<really>`` becomes ``really``.

Where this would leave nothing to say, the dropped tags are read as words too.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from flashtts_core.engines.orpheus.languages import ALL_TAGS
from flashtts_core.text.alphabet import speakable

_TAG = re.compile(r"(\s*)<([^<>\s](?:[^<>\n]{0,38}[^<>\s])?)>(?=(\s*)(\w?))")


def settle_tags(text: str, known: AbstractSet[str]) -> str:
    """Return a text in which only tags of ``known`` are left, by the rule above."""
    settled = _settled(text, known, dropped=ALL_TAGS)
    return settled if speakable(settled, frozenset()) else _settled(text, known, dropped=frozenset())


def _settled(text: str, known: AbstractSet[str], *, dropped: AbstractSet[str]) -> str:
    def settle(match: re.Match[str]) -> str:
        before, written, after, next_letter = match.groups()
        name = written.casefold()
        if name in known:
            return f"{before}<{name}>"
        if name not in dropped:
            return before + written
        return " " if before and next_letter and not after else ""

    return _TAG.sub(settle, text).strip()
