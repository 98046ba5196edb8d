"""Reads JSON as clients write it: what their languages make of a text or a number is no mistake of theirs.

A mark of the byte order is passed over, and a text cut between the two halves of a character, as JavaScript cuts it, is
read. JSON has one kind of number, so 50.0 is a whole one, as JSON Schema has it.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

import msgspec

from flashtts_core.text.incoming import whole_characters

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_EXACT = 2**53
"""Below it a float is one whole number only."""


def read_json(content: bytes | str) -> Any:
    """Return what is written; halves of characters are left in texts. Raises ``msgspec.DecodeError`` and others.

    These are ``UnicodeDecodeError`` and, for what is nested too deeply, ``RecursionError``.
    """
    mark = codecs.BOM_UTF8 if isinstance(content, bytes) else "\ufeff"
    content = content.removeprefix(mark)  # type: ignore[arg-type]  # both are of one kind
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        text = content if isinstance(content, str) else content.decode()
        if not _HALF.search(text):
            raise
        try:
            return json.loads(text, parse_constant=_refuse)
        except ValueError:
            pass
        raise


def fields_of(values: dict[str, Any], *, halved: str | None = None) -> dict[str, Any]:
    """Return the fields that are given: null counts as left out. The text ``halved`` keeps halves of characters."""
    return {name: _plain(value) if name != halved else value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, str):
        return value if value.isascii() else whole_characters(value)
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
