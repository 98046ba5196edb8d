"""Write numbers, dates, money, units and abbreviations out as the words one reads aloud.

Plain words, punctuation and tags such as ``<laugh>`` come back as they were. A language's rules are imported when it
is first asked for: they take some tens of milliseconds to compile.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from flashtts_core.errors import NotSupported

LANGUAGES = {
    "en": "european.english",
    "zh": "chinese",
    "fr": "european.french",
    "de": "european.german",
    "es": "european.spanish",
    "it": "european.italian",
    "ko": "korean",
    "hi": "hindi",
}
"""ISO 639-1 codes of the languages there are rules for, with the module that holds them."""


def normalize(text: str, language: str) -> str:
    """Return ``text`` as it is read aloud in ``language``; deterministic and safe to call from several threads.

    Raises ``NotSupported`` for a language without rules.
    """
    if language not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        message = f"There are no rules to write out text in the language {language!r}; there are for {known}."
        raise NotSupported(message, param="language")
    module = import_module(f"{__name__}.{LANGUAGES[language]}")
    return cast(str, module.normalize(text))
