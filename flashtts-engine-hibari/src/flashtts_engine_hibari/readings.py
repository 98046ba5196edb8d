"""Gives the phonemes of words that the model's own front end misreads, as it takes them: ``[word](/phonemes/)``."""

from __future__ import annotations

import re

_AM = re.compile(r"(?<=[a-z] )AM\b")
"""After a number; "nine AM to five PM" was read as the verb."""
_CO = re.compile(r"\bCO(?: two\b|₂)")
"""Of CO2; was read "co"."""
_WHOLE_WORDS = (  # at the end of a sentence, read as "number", "figure" and "Sunday"; abbreviations come written out
    (re.compile(r"\bno(?=\.)"), "nˈO"),
    (re.compile(r"\bfig(?=\.)"), "fˈɪɡ"),
    (re.compile(r"(?<=\b[Tt]he )Sun(?=\.)"), "sˈʌn"),
)
_SOUNDS = (  # were spelled: "S H H"
    (re.compile(r"(?<![\w'’-])(?:[Ss]+h{2,}|SH{2,})(?![\w'’-])"), "ʃˈʌʃ"),
    (re.compile(r"(?<![\w'’-])[Bb]r{2,}(?![\w'’-])"), "bˈɜɹ"),
    (re.compile(r"(?<![\w'’-])[Gg]r{2,}(?![\w'’-])"), "ɡɹˈɜɹ"),
    (re.compile(r"(?<![\w'’])[Tt]sk(?![\w'’])"), "tˈɪsk"),
)


def with_readings(text: str) -> str:
    """Return the text with the phonemes of such words written out."""
    text = _AM.sub("[AM](/ˌAˈɛm/)", text)
    text = _CO.sub("[CO](/sˌiˈO/) two", text)
    for pattern, phonemes in (*_WHOLE_WORDS, *_SOUNDS):
        text = pattern.sub(rf"[\g<0>](/{phonemes}/)", text)
    return text
