"""What a voice can say: the scripts of a text, and the text tidied of what no voice should be given.

A script is named as in Unicode: ``Latin``, ``Han``, ``Hangul``, ``Devanagari``, ``Cyrillic``, ``Hiragana`` and so on.
It is read off the Unicode name of a letter, or of a digit of a script's own such as ``३``; the first word of that name
stands for scripts of two words (``Old``). Other digits can be said by every voice. Combining marks follow their base;
punctuation, symbols and emoji belong to no script and are nothing to say by themselves (``$5`` is, for its digit).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ANY = ""  # the script of a digit that every voice can say

_SCRIPT_OF_NAME = {
    "CJK": "Han",
    "IDEOGRAPHIC": "Han",
    "KATAKANA-HIRAGANA": "Katakana",
    "HENTAIGANA": "Hiragana",
    "ARABIC-INDIC": "Arabic",
    "EXTENDED": "Arabic",  # the digits of Persian and Urdu
    "MODIFIER": None,  # apostrophes and stress marks
    "MICRO": None,  # a unit rather than Greek
}

_PICTURES = (range(0x2300, 0x2460), range(0x2500, 0x2900), range(0x2B00, 0x2C00), range(0x1F000, 0x1FC00))
_PICTURE_CATEGORIES = frozenset({"So", "Sm", "Sk"})
_INVISIBLE_MARKS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x20E0, 0x20E5))  # U+20E3: keycap
_JOINERS = "\u200c\u200d"
_GAP = "\ue000"  # stands for pictures until it is known what is around them; private, so not in the text itself

_BECOMES = {
    **dict.fromkeys("\n\v\f\r\x85\u2028", "\n"),
    "\u2029": "\n\n",
    **dict.fromkeys("\ufffc\ufffd", _GAP),  # what stands for an object or for a character that was lost
    **{kept: kept for kept in _JOINERS + "○♭♮♯"},  # the circle is a zero in Chinese dates
}

_CONJUNCT_SCRIPTS = "\u0600-\u0dff"  # Arabic to Sinhala: a joiner between two of these is spelling
_STRAY_JOINER = re.compile(rf"(?<![{_CONJUNCT_SCRIPTS}])[{_JOINERS}]+|[{_JOINERS}]+(?![{_CONJUNCT_SCRIPTS}{_JOINERS}])")
_GAPS = re.compile(rf" ?{_GAP}[ {_GAP}]*+([,.;:!?…，。；：、！？])?")
_SPACES = re.compile(r" {2,}")
_SPACES_AND_NEWLINES = re.compile(r" ?\n[ \n]*")
_REPEATS = re.compile(r"([^\w\s]|_)\1{3,}")


def speakable(text: str, scripts: frozenset[str]) -> bool:
    """Whether a voice that reads these scripts (none given: all of them) has anything to say in a text."""
    return any(
        script == _ANY or not scripts or script in scripts
        for script in map(_script_of, set(text))
        if script is not None
    )


def unreadable_scripts(text: str, scripts: frozenset[str]) -> frozenset[str]:
    """The scripts in a text that a voice which reads these (none given: all of them) can not read."""
    if not scripts:
        return frozenset()
    found = {script for script in map(_script_of, set(text)) if script}
    return frozenset(found - scripts)


def chinese_or_english(text: str) -> str:
    """Return ``zh`` for a text with any Chinese character, else ``en``."""
    return "zh" if "Han" in unreadable_scripts(text, frozenset({"Latin"})) else "en"


def tidy(text: str) -> str:
    """Return a text as a voice should be given it; ordinary prose stays as it is, and so does what is tidy.

    Characters are composed (NFC). Any kind of newline becomes ``\\n``, at most two in a row; any other white space one
    space. Control, formatting, private and unassigned characters go, except joiners that Indic and Arabic spelling
    needs; so do emoji and other pictures, which leave a space where they stood between words. The same mark more than
    three times in a row becomes three. White space at both ends goes.
    """
    if not (text.isascii() and text.isprintable()):
        text = text.replace("\r\n", "\n").translate({ord(character): _tidied(character) for character in set(text)})
        text = unicodedata.normalize("NFC", _STRAY_JOINER.sub("", text))
    text = _GAPS.sub(lambda found: found[1] or " ", _SPACES.sub(" ", text))
    text = _SPACES_AND_NEWLINES.sub(lambda found: "\n\n" if found[0].count("\n") > 1 else "\n", text)
    return _REPEATS.sub(r"\1\1\1", text).strip()


@lru_cache(maxsize=8192)
def _script_of(character: str) -> str | None:
    """The script of a letter or digit, ``_ANY`` of a digit that all scripts share, ``None`` of anything else."""
    if character.isascii():
        return "Latin" if character.isalpha() else _ANY if character.isdigit() else None
    category = unicodedata.category(character)
    if category in {"Nl", "No"}:
        return _ANY
    if category[0] not in "LN":
        return None
    word = unicodedata.name(character, "MODIFIER").split()[0]
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and word not in _SCRIPT_OF_NAME:
        return _script_of(plain[0])  # full-width, mathematical, ligatures
    return _SCRIPT_OF_NAME.get(word, word.title())


@lru_cache(maxsize=8192)
def _tidied(character: str) -> str:
    """What a character becomes: itself, a space, a newline, two newlines, a gap or nothing."""
    if character in _BECOMES or character.isalpha():
        return _BECOMES.get(character, character)
    if character.isspace():
        return " "
    category, code = unicodedata.category(character), ord(character)
    if category.startswith("C") or any(code in marks for marks in _INVISIBLE_MARKS):
        return ""
    is_picture = category in _PICTURE_CATEGORIES and any(code in pictures for pictures in _PICTURES)
    return _GAP if is_picture else character
