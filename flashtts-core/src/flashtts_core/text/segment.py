"""Sentences of a text: sentencex finds the boundaries, rules of our own take back those that are wrong for speech.

Nothing is lost: the pieces are slices of the text, in order, and joined they are the text again. White space stays with
the sentence before it, so only the first piece can begin with any.

A newline always ends a sentence (headings, list items and verse carry no full stop). Every piece has a letter or digit
in it, unless the whole text has none: a stray ``...`` or ``***`` belongs to a neighbour.

sentencex knows some 300 languages; in one that it does not know it goes by the marks alone, full-width ones included.
An empty tag means English. The tables here hold the abbreviations it lacks for en, fr, de, es, it and hi, and a few
titles for all other languages; rules on the shape of the text serve every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise

import sentencex


def _by_language(**words: str) -> dict[str, frozenset[str]]:
    return {language: frozenset(listed.split()) for language, listed in words.items()}


_TITLES = _by_language(
    en="Dr Mr Mrs Ms Mx Messrs Prof Br Ft Sts approx",
    fr="MM Mme Mmes Mlle Mlles Dr Drs Pr Prof Me Mgr St Ste Sté Ets Éts Gal Cdt bd",
    de="inkl zzgl exkl Hrn Frl Fa Fam geb Hd Dipl jur phil",
    es="Dña Sras Dres Profa Cía Fr Mons aprox",
    it="dott.ssa prof.ssa gent sac on",
    hi="डॉ डा श्री श्रीमती सुश्री प्रो पं स्व मो कु इं मी सेमी किमी ग्रा",
)
"""Abbreviations after which a sentence goes on whatever follows: titles above all."""

_COMMON_TITLES = frozenset({"Dr", "Mr", "Mrs", "Ms", "Prof", "St"})
"""The same for languages that are not listed."""

_REFERENCES = _by_language(
    en="vol vols figs eq ch chap apt rm ext", fr="no n t réf", es="n", it="pag pagg n nn", hi="रु सं नं पृ क्र अनु"
)
"""Abbreviations after which a sentence goes on if a number follows: ``pag. 3``."""

_ORDINAL_LEADS = _by_language(de="der die das den dem des im am vom zum zur beim ins ein eine einen jeder seit bis")
"""Words after which a number with a full stop is an ordinal: ``im 3. Stock``."""

_OPENING_QUOTES = "“‘«‹„‚「『《〈\"'"
_CLOSING_QUOTES = "”’»›“」』\"'"
_CLOSERS = "”’」』》〉）】〕)]}"

_HAS_WORD = re.compile(r"[^\W_]")
_ABBREVIATION = re.compile(r"(?:[A-Za-zÀ-ɏ]+(?:\.[A-Za-zÀ-ɏ]+)*|[\u0900-\u097f]+)\.$")
_ROMAN_OR_DIGIT = re.compile(r"\d|[IVXLC]+\b")
_LIST_MARK = re.compile(r"\s*[(（]?(?:\d{1,3}|[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})[.)）]\s+")
_INITIAL = re.compile(r"[^\W\d_]\.")
_ASCII_AT_START = re.compile(r"^[!-~]+")
_ASCII_AT_END = re.compile(r"[!-~]+$")
_ENDS_WITH_INITIAL = re.compile(r"(?:^|[\s.-])[^\W\d_]\.$")
_DATE = re.compile(r"\d{4}\.\s*\d{1,2}\.\s*\d{1,2}\.$")
_ORDINAL = re.compile(r"(\w+)\s+\d{1,3}\.$")
_DASH_AND_SMALL_LETTER = re.compile(r"[—–-]+\s*(?=[^\W\d_])(.)")

_SPACES = dict.fromkeys(
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
)
_SPELLINGS = {
    "zh": str.maketrans(_SPACES | {"『": "「", "』": "」"}),  # sentencex leaves 』 to the next sentence
    "hi": str.maketrans(_SPACES | {"|": "।"}),  # a danda as it is often typed
}
_SPACES_ONLY = str.maketrans(_SPACES)
"""How a line is spelled for sentencex, character for character; white space beyond ASCII can make it panic."""

_BLOCK = 512  # sentencex takes quadratic time on Chinese: 20 000 characters at once cost 150 ms, in blocks 12 ms
_NEAR = 64  # characters looked at on either side of a boundary


def sentences(text: str, language: str) -> list[str]:
    """Cut a text into its sentences; joined they are the text again.

    ``language`` is a tag such as ``en`` or ``zh-CN``, whose region does not matter. A text with lone surrogates (which
    ``tidy`` drops) is a ``UnicodeEncodeError``.
    """
    language = re.split(r"[-_]", language.lower(), maxsplit=1)[0] or "en"
    ends: list[int] = []
    position = 0
    for line in text.splitlines(keepends=True):
        if _HAS_WORD.search(line):
            ends += [position + end for end in _sentence_ends(line, language)]
        elif ends:
            ends[-1] = position + len(line)
        position += len(line)
    if text and not ends:
        return [text]
    return [text[start:end] for start, end in pairwise([0, *ends])]


def _sentence_ends(line: str, language: str) -> list[int]:
    """Where the sentences of one line end; white space at its end belongs to the last one."""
    body = line.rstrip()
    found = list(_boundaries(body.translate(_SPELLINGS.get(language, _SPACES_ONLY)), language))
    ends: list[int] = []
    start = 0
    spoken = False  # whether the sentence under way has a word in it yet
    for begin, end, following in zip([0, *found], found, [*found[1:], None], strict=False):
        spoken = spoken or _HAS_WORD.search(body, begin, end) is not None
        if following is None:
            break
        if spoken and not _belongs_to_the_left(body, end, following) and not _goes_on(body, start, end, language):
            ends.append(end)
            start, spoken = end, False
    if ends and not spoken:
        ends.pop()
    return [*ends, len(line)]


def _boundaries(body: str, language: str) -> Iterator[int]:
    """Yield the sentence ends that sentencex sees, the last being the end of the line.

    It is given a block at a time, of which the boundaries in the first half count: the second half is there to show it
    how quotations end. A block without any is doubled.
    """
    start, width = 0, _BLOCK
    while start < len(body):
        ends = list(accumulate(map(len, sentencex.segment(language, body[start : start + width]))))
        if start + width < len(body):
            ends = [end for end in ends if end <= width // 2]
            if not ends:
                width *= 2
                continue
        yield from (start + end for end in ends)
        start += ends[-1]
        width = _BLOCK


def _belongs_to_the_left(body: str, start: int, end: int) -> bool:
    """Whether a piece is mere marks that are set apart from what follows them."""
    return _HAS_WORD.search(body, start, end) is None and (end == len(body) or body[end - 1].isspace())


def _goes_on(body: str, start: int, end: int, language: str) -> bool:
    """Whether the sentence that began at ``start`` goes on after the boundary that was found at ``end``."""
    left = body[max(start, end - _NEAR) : end].rstrip()
    right = body[end : end + _NEAR]
    if not body[end - 1].isspace():
        return _goes_on_unspaced(left, right, body[start])
    dash = _DASH_AND_SMALL_LETTER.match(right)
    return (
        _LIST_MARK.fullmatch(body, start, end) is not None
        or (left.endswith(".") and _stop_is_no_end(left, right, language))
        or (dash is not None and dash[1].islower())
        or _is_attribution(left, right, body[start])
    )


def _goes_on_unspaced(left: str, right: str, first: str) -> bool:
    """Whether two pieces with no space between them are one: ``J.-C.``, a URL, ``《谁？》是书``, ``“네.”라고``."""
    if right[0] in _CLOSERS or left[-1] in "》〉" or (right[0].isdigit() and left[-2:-1].isdigit()):
        return True
    if left.endswith("."):
        return _dot_is_inside_a_word(left, right)
    dash = _DASH_AND_SMALL_LETTER.match(right)
    quoted = left[-1] in _CLOSING_QUOTES
    particle = quoted and ("가" <= right[0] <= "힣" or right.startswith(("と", "って")))
    return particle or (dash is not None and dash[1].islower()) or _is_attribution(left, right, first)


def _dot_is_inside_a_word(left: str, right: str) -> bool:
    """Whether a dot with no space after it is part of a name, an address, initials or a Hindi abbreviation."""
    address = "".join(_ASCII_AT_END.findall(left) + _ASCII_AT_START.findall(right))
    if "@" in address or "://" in address or address.startswith("www."):
        return True
    if left[-2:-1].isspace():
        return True  # ".NET"
    initial = _ENDS_WITH_INITIAL.search(left)
    cased = right[0].isupper() or (right[0].isalpha() and not _is_devanagari(right[0]))
    return not cased or right[0].islower() or (initial is not None and left[-2].lower() != left[-2].upper())


def _stop_is_no_end(left: str, right: str, language: str) -> bool:
    """Whether a full stop and a space belong to an abbreviation, initials, an ordinal or a date."""
    match = _ABBREVIATION.search(left)
    word = match[0][:-1] if match else ""
    if not {word, word.lower()}.isdisjoint(_TITLES.get(language, _COMMON_TITLES)):
        return True
    if not {word, word.lower()}.isdisjoint(_REFERENCES.get(language, ())) and _ROMAN_OR_DIGIT.match(right):
        return True
    if _ENDS_WITH_INITIAL.search(left) and _goes_on_after_initial(left, right, language):
        return True
    ordinal = _ORDINAL.search(left)
    if ordinal and ordinal[1].lower() in _ORDINAL_LEADS.get(language, ()):
        return True
    return language == "ko" and left[-2:-1].isdigit() and (right[0].isdigit() or _DATE.search(left) is not None)


def _goes_on_after_initial(left: str, right: str, language: str) -> bool:
    """Whether a letter with a full stop is no end: ``C. Colombo``. In English sentencex knows ``vitamin C. She``."""
    return (
        _INITIAL.match(right) is not None
        or right[0].islower()
        or (language != "en" and left[-2].isupper() and right[0].isupper())
    )


def _is_attribution(left: str, right: str, first: str) -> bool:
    """Whether a sentence that is all quotation goes on with who said it, in a script without capitals: ``“…？”她问。``

    A quotation that a sentence leads up to (``他说：“好。”``) ends that sentence.
    """
    caseless = right[0].isalpha() and right[0].lower() == right[0].upper()
    return caseless and left[-1] in _CLOSING_QUOTES and first in _OPENING_QUOTES


def _is_devanagari(character: str) -> bool:
    return "\u0900" <= character <= "\u097f"
