"""Names of voices: any words of any script, in one spelling, and never a path."""

from __future__ import annotations

import hashlib
import unicodedata

from flashtts_core.errors import RequestError

MAX_NAME_LENGTH = 128
_FORBIDDEN = frozenset("<>,:")
"""What the markup of dialogues, ``<role:NAME,pitch:high>``, needs for itself."""


def spelled(name: str) -> str:
    """Return a name in its one spelling: composed (NFC), without space around it."""
    return unicodedata.normalize("NFC", name).strip()


def checked_name(name: str, param: str = "name") -> str:
    """Return ``name`` in its one spelling; raises ``RequestError`` for one that cannot be a name.

    ``param`` is the field of the request that the name comes from.
    """
    name = spelled(name)
    if not name or len(name) > MAX_NAME_LENGTH:
        raise RequestError(f"A voice name has 1 to {MAX_NAME_LENGTH} characters.", param=param)
    if any(char in _FORBIDDEN or unicodedata.category(char)[0] == "C" for char in name) or len(name.splitlines()) > 1:
        raise RequestError("A voice name has no control characters, no line breaks and none of < > , :", param=param)
    if not name.strip("./"):
        raise RequestError(
            "A voice name is more than dots and slashes, since those vanish from web addresses.", param=param
        )
    return name


def folder_name(name: str) -> str:
    """Return the name of the folder of a voice: 32 hexadecimal digits, which no file system takes for anything else.

    Names that differ only by case have different folders, also where the file system ignores case.
    """
    return hashlib.sha256(spelled(name).encode("utf-8", "surrogatepass")).hexdigest()[:32]
