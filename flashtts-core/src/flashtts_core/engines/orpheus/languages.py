"""The languages of the Orpheus-TTS checkpoints: their voices, their emotion tags, and how a folder names them.

Sources: the model cards of ``canopylabs/orpheus-3b-0.1-ft`` and its siblings in other languages.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from flashtts_core.errors import ConfigError


class Language(Struct, frozen=True):
    """What one checkpoint speaks.

    ``codes`` are its languages (ISO 639-1); ``voices`` maps names to languages, the first is the default; ``scripts``
    are the writing systems it reads.
    """

    codes: tuple[str, ...]
    voices: dict[str, str]
    tags: frozenset[str]
    scripts: frozenset[str] = frozenset({"Latin"})


def _language(code: str, voices: str, tags: tuple[str, ...], script: str = "Latin") -> Language:
    return Language((code,), dict.fromkeys(voices.split(), code), frozenset(tags), frozenset({script, "Latin"}))


_ENGLISH = ("laugh", "chuckle", "sigh", "cough", "sniffle", "groan", "yawn", "gasp")
_MANDARIN = ("嬉笑", "轻笑", "呻吟", "大笑", "咳嗽", "抽鼻子", "咳")
_FRENCH = ("chuckle", "cough", "gasp", "groan", "laugh", "sigh", "sniffle", "whimper", "yawn")
_GERMAN = ("chuckle", "cough", "gasp", "groan", "laugh", "sigh", "sniffle", "yawn")
_KOREAN = ("한숨", "헐", "헛기침", "훌쩍", "하품", "낄낄", "신음", "작은 웃음", "기침", "으르렁")
_SPANISH = _language("es", "javi sergio maria", ("groan", "chuckle", "gasp", "resoplido", "laugh", "yawn", "cough"))
_ITALIAN = _language(
    "it", "pietro giulia carlo", ("sigh", "laugh", "cough", "sniffle", "groan", "yawn", "gemito", "gasp")
)
_BOTH = {**_SPANISH.voices, **_ITALIAN.voices}

LANGUAGES = {
    "english": _language("en", "tara leah jess leo dan mia zac zoe", _ENGLISH),
    "mandarin": _language("zh", "长乐 白芷", _MANDARIN, "Han"),
    "french": _language("fr", "pierre amelie marie", _FRENCH),
    "german": _language("de", "jana thomas max", _GERMAN),
    "korean": _language("ko", "유나 준서", _KOREAN, "Hangul"),
    "hindi": _language("hi", "ऋतिका", (), "Devanagari"),
    "spanish": _SPANISH,
    "italian": _ITALIAN,
    "spanish_italian": Language(
        ("es", "it"),
        {"javi": "es", **{name: _BOTH[name] for name in sorted(_BOTH)}},
        _SPANISH.tags | _ITALIAN.tags,
    ),
}
"""By the name that ``--lang`` takes."""

ALL_TAGS = frozenset(tag for language in LANGUAGES.values() for tag in language.tags)

_NAME_PARTS = {
    "zh": "mandarin",
    "chinese": "mandarin",
    "hi": "hindi",
    "ko": "korean",
    "fr": "french",
    "de": "german",
    "es": "spanish",
    **{name: name for name in LANGUAGES},
}
"""Whole parts of a folder's name, in order of precedence; ``it`` alone mostly means instruction-tuned."""

_SPANISH_SIGNS = re.compile(
    r"[ñ¿¡]|\b(?:el|los|las|del|al|y|es|está|que|con|por|para|pero|muy|hola|yo|mi|tu|esto|este|hoy|buenos|gracias)\b"
)
_ITALIAN_SIGNS = re.compile(
    r"[èìò]|\b(?:il|gli|della|dello|dei|delle|è|che|con|per|di|ma|molto|ciao|io|mio|tuo|questo|oggi|buongiorno|grazie"
    r"|sono|non)\b|\w'\w"
)


def choose_language(folder: Path, chosen: str | None) -> Language:
    """Return what the checkpoint in ``folder`` speaks: ``chosen``, else what its name says, else English.

    Raises ``ConfigError`` for a language that no checkpoint speaks.
    """
    name = chosen or language_in_name(_telling_name(folder)) or "english"
    if name not in LANGUAGES:
        raise ConfigError(f"--lang {name} is not a language of Orpheus-TTS. Choose one of: {', '.join(LANGUAGES)}.")
    return LANGUAGES[name]


def language_in_name(name: str) -> str | None:
    """Return the language that whole parts of a folder's name tell: ``3b-fr-ft`` is French, ``my-model`` nothing."""
    parts = re.split(r"[\W_]+", name.casefold())
    if any(pair in {("es", "it"), ("spanish", "italian")} for pair in pairwise(parts)):
        return "spanish_italian"
    return next((language for part, language in _NAME_PARTS.items() if part in parts), None)


def spanish_or_italian(text: str) -> str:
    """Return ``es`` or ``it``, whichever has more of its small words and letters in a text; in doubt Spanish."""
    lowered = text.casefold()
    return "it" if len(_ITALIAN_SIGNS.findall(lowered)) > len(_SPANISH_SIGNS.findall(lowered)) else "es"


def _telling_name(folder: Path) -> str:
    """Return the name of the model's folder; in a hub's cache it stands two levels above the snapshot."""
    full = folder.absolute() if folder.name not in {"", ".."} else folder.resolve()
    return full.parent.parent.name if full.parent.name == "snapshots" else full.name
