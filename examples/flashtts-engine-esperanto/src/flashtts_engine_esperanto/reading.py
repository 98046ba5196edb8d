"""Reads Esperanto: text to words of syllables, and what each word's melody has to do (pure).

The spelling is phonemic, so letters are sounds; the stress is on the last syllable but one.
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum

from msgspec import Struct

VOWELS = frozenset("aeiou")
_SOUNDS = VOWELS | frozenset("bcĉdfgĝhĥijĵklmnoprsŝtuŭvz")
_SPELLINGS = {"q": "k", "w": "v", "x": "ks", "y": "i"}
_X_SYSTEM = {"cx": "ĉ", "gx": "ĝ", "hx": "ĥ", "jx": "ĵ", "sx": "ŝ", "ux": "ŭ"}
_DIGITS = ("nul", "unu", "du", "tri", "kvar", "kvin", "ses", "sep", "ok", "naŭ")
_PIECE = re.compile(r"\d|[^\W\d_]+|[.,;:!?…]")


class Role(IntEnum):
    """What the melody of a word does, numbered as in the vocabulary of the language model (after the pitches)."""

    OPENING = 13
    INNER = 14
    STATING = 15
    ASKING = 16
    HOLDING = 17


_ROLES = {
    "?": Role.ASKING,
    **dict.fromkeys(",;:", Role.HOLDING),
    **dict.fromkeys(".!…", Role.STATING),
}


class Word(Struct, frozen=True):
    """A word: its syllables (strings of sounds), its role, and whether a pause follows."""

    syllables: tuple[str, ...]
    role: Role
    pause: bool = False


def read(text: str) -> list[Word]:
    """Return the words of a text; what has no sound in Esperanto is left out."""
    words: list[Word] = []
    opening = True
    for piece in [*_PIECE.findall(unicodedata.normalize("NFC", text)), "."]:
        if syllables := syllables_of(sounds_of(piece)):
            words.append(Word(syllables, Role.OPENING if opening else Role.INNER))
            opening = False
        elif words and not words[-1].pause and piece in _ROLES:
            role = _ROLES[piece]
            words[-1] = Word(words[-1].syllables, role, pause=True)
            opening = role is not Role.HOLDING
    return words


def sounds_of(piece: str) -> str:
    """Return the sounds of a word or digit: ``"ĉu"`` of ``"Cxu"``, ``"du"`` of ``"2"``, none of a mark."""
    if piece.isdecimal():
        return _DIGITS[int(piece)]
    piece = piece.lower()
    for pair, sound in _X_SYSTEM.items():
        piece = piece.replace(pair, sound)
    plain = (letter if letter in _SOUNDS else unicodedata.normalize("NFD", letter)[0] for letter in piece)
    spelled = "".join(_SPELLINGS.get(letter, letter) for letter in plain)
    return "".join(letter for letter in spelled if letter in _SOUNDS)


def syllables_of(sounds: str) -> tuple[str, ...]:
    """Cut a word after its vowels; what follows the last vowel belongs to the last syllable."""
    syllables = re.findall(r"[^aeiou]*[aeiou]", sounds)
    rest = re.sub(r".*[aeiou]", "", sounds)
    return (*syllables[:-1], syllables[-1] + rest) if syllables else (sounds,) if sounds else ()
