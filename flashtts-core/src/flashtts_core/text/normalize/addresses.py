"""Read e-mail and web addresses aloud: the marks become words, digits are read one by one, names stay as they are.

A bare domain is recognised by a lower-case ending from a short list, so `ASP.NET`, `Node.js` and "end.Next" stay prose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from .rewriting import Rule, rule

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = rf"(?:{_LABEL}\.){{1,8}}"
_ENDINGS: Final = r"com|net|org|edu|gov|cn|kr|io|ai|app|dev|(?:co|gov|ac|org)\.in"
_PATH: Final = r"(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9\-._~:/?#@!$&*+;=%]*)?"
_ADDRESS: Final = (
    r"(?<![A-Za-z0-9@._-])(?:"
    rf"[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}@{_DOMAIN}[A-Za-z]{{2,24}}"
    rf"|https?://{_DOMAIN}[A-Za-z]{{2,24}}{_PATH}"
    rf"|www\.{_DOMAIN}[A-Za-z]{{2,24}}{_PATH}"
    rf"|{_DOMAIN}(?:{_ENDINGS})(?![A-Za-z0-9-]|\.[A-Za-z0-9]){_PATH}"
    r")"
)
_TRAILING: Final = re.compile(r"[.!?:;,~*&/-]+\Z")
_PIECE: Final = re.compile(r"[0-9]+|[A-Za-z]+|.", re.DOTALL)


class AddressWords(NamedTuple):
    """How one language reads an address."""

    marks: Mapping[str, str]
    digits: Callable[[str], str]
    gap: str
    """What separates the words: a space, or nothing in Chinese."""


def address_rule(words: AddressWords) -> Rule:
    """Return the rule that spells addresses in the language of `words`."""
    return rule(_ADDRESS, lambda match: _spell(match[0], words))


def _spell(address: str, words: AddressWords) -> str:
    body = _TRAILING.sub("", address)
    ending = address[len(body) :].lstrip("/")  # punctuation of the sentence, not of the address
    body = re.sub(r"\Ahttps?://", "", body)
    spoken = [_piece(piece, words) for piece in _PIECE.findall(body)]
    return words.gap.join(word for word in spoken if word) + ending


def _piece(piece: str, words: AddressWords) -> str:
    if piece.isdigit():
        return words.digits(piece)
    return words.marks.get(piece, "") if not piece.isalpha() else piece
