"""Web and e-mail addresses, read the way one dictates them: ``example.com/a`` as "example dot com slash a".

The scheme is dropped, since nobody reads it; a top-level domain of two letters is said as letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from flashtts_core.text.normalize.european.rules import Match, Rule, rule

# Without a scheme or "www." only these endings make an address: "the end.Next" is a missing space.
_DOMAINS = "com|org|net|edu|gov|info|io|ai|app|dev|biz|eu|uk|us|de|fr|es|it|ch|be|ca|mx|ar|co|tv"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_HOST = rf"(?:{_LABEL}\.)+"
_TAIL = r"(?:[:/?#][^\s<>()\[\]\"'“”«»]*[^\s<>()\[\]\"'“”«».,;:!?…])?"
_EMAIL = rf"(?<![\w.+@/-])[\w.+-]*[\w+-]@{_HOST}[A-Za-z]{{2,}}(?![\w@])"
_LINK = rf"(?<![\w@/.])(?:https?|ftp)://{_LABEL}(?:\.{_LABEL})*{_TAIL}/?"
_BARE = rf"(?<![\w@/.-])(?:www\.{_HOST}[A-Za-z]{{2,}}|(?=\w[\w-]){_HOST}(?:{_DOMAINS}))(?![\w@-]){_TAIL}/?"
_SCHEME = re.compile(r"^[a-z]+://", re.IGNORECASE)
_HOST_AND_REST = re.compile(r"(?:[^@]*@)?[^:/?#]*")
_PART = re.compile(r"[^\W\d_]+|[0-9]+|[^\s]")


def address_rules(marks: Mapping[str, str], read_number: Callable[[str], str]) -> list[Rule]:
    """Make the rules for a language from its names of ``. / @ - _ : ? = & # + % ~``."""

    def read(part: str) -> str:
        if part.lower() == "www":
            return "WWW"
        return read_number(part) if part[0] in "0123456789" else marks.get(part, part)

    def say(match: Match) -> str:
        address = _SCHEME.sub("", match[0]).rstrip("/")
        host = _HOST_AND_REST.match(address)
        end = host.end() if host else len(address)
        name, dot, top = address[:end].rpartition(".")
        spoken_top = [top.upper() if len(top) == 2 else top] if dot else _PART.findall(top)
        words = [read(part) for part in _PART.findall(name + dot)]
        rest = [read(part) for part in _PART.findall(address[end:])]
        return " ".join([*words, *spoken_top, *rest])

    return [rule(_EMAIL, say), rule(_LINK, say, re.IGNORECASE), rule(_BARE, say)]
