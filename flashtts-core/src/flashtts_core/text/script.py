"""The dialogue markup of ``/multi_speak``: ``<role:NAME>`` or ``<role:NAME,pitch:high,speed:low>`` before each turn.

A name is any text without ``<``, ``>``, ``,`` and ``:``; white space around names, attributes, levels and turns does
not count. Anything else in angle brackets, such as ``<laugh>``, belongs to what is said. Whatever looks like a role tag
but is not a correct one is refused rather than read aloud.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from msgspec import Struct

from flashtts_core.errors import RequestError
from flashtts_core.types import LEVELS, Level

FORM = "<role:NAME> or <role:NAME,pitch:high,speed:low>"

_LOOKS_LIKE_A_TAG = re.compile(r"<\s*+(?:/\s*+)?role\s*+(?=[:：,，=<>]|$)", re.IGNORECASE)
_TAG = re.compile(r"<role:([^<>]*)>")
_LEVELS: dict[str, Level] = {level: level for level in LEVELS}
_ATTRIBUTES = ("pitch", "speed")
_FORBIDDEN_IN_NAMES = frozenset("<>,:")


class Turn(Struct, frozen=True):
    """What one role says, and at which pitch and speed; ``None`` is the request's own."""

    role: str
    text: str
    pitch: Level | None = None
    speed: Level | None = None


def looks_like_script(text: str) -> bool:
    """Say whether a text has role tags, be they well formed or not."""
    return _LOOKS_LIKE_A_TAG.search(text) is not None


def parse_script(text: str) -> list[Turn]:
    """Return the turns of a dialogue, at least one; raises ``RequestError`` with the position of what is wrong."""
    starts = [match.start() for match in _LOOKS_LIKE_A_TAG.finditer(text)]
    if not starts:
        _refuse("The text has no role tag", text, 0)
    if text[: starts[0]].strip():
        _refuse("There is text before the first role tag", text, 0)
    return [_parse_turn(text, start, end) for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def format_script(turns: Sequence[Turn]) -> str:
    """Write turns as the markup that ``parse_script`` reads back as the same turns, one a line.

    Raises ``RequestError`` for a turn that the markup cannot carry: a role or text that is blank or has white space at
    its ends, a name with one of its signs, a text with a role tag in it.
    """
    return "\n".join(_format_turn(turn, number) for number, turn in enumerate(turns, start=1))


def _parse_turn(text: str, start: int, end: int) -> Turn:
    tag = _TAG.match(text, start, end)
    if tag is None:
        _refuse("A role tag is malformed", text, start)
    name, *attributes = (part.strip() for part in tag[1].split(","))
    if not name or ":" in name:
        _refuse("A role tag has no proper name (any text without < > , and :)", text, start)
    spoken = text[tag.end() : end].strip()
    if not spoken:
        _refuse(f"The turn of {name!r} has no text", text, start)
    levels: dict[str, Level] = {}
    for attribute in attributes:
        key, _, value = (part.strip() for part in attribute.partition(":"))
        if key not in _ATTRIBUTES:
            _refuse(f"The role tag of {name!r} has an unknown attribute {attribute!r}", text, start)
        if key in levels:
            _refuse(f"The role tag of {name!r} gives {key} twice", text, start)
        if value not in _LEVELS:
            _refuse(f"The role tag of {name!r} has an unknown {key} {value!r}", text, start)
        levels[key] = _LEVELS[value]
    return Turn(name, spoken, levels.get("pitch"), levels.get("speed"))


def _format_turn(turn: Turn, number: int) -> str:
    name, spoken = turn.role, turn.text
    if not name or name != name.strip() or not _FORBIDDEN_IN_NAMES.isdisjoint(name):
        raise RequestError(
            f"Turn {number} has the role name {name!r}, which a script cannot carry. "
            "A name is any text without < > , and :, with no white space at its ends.",
            param="text",
        )
    if not spoken or spoken != spoken.strip() or _LOOKS_LIKE_A_TAG.search(spoken):
        raise RequestError(
            f"The text of turn {number} cannot be part of a script. "
            "It must not be blank, begin or end with white space, or have a role tag in it.",
            param="text",
        )
    levels = "".join(
        f",{key}:{level}" for key, level in zip(_ATTRIBUTES, (turn.pitch, turn.speed), strict=True) if level
    )
    return f"<role:{name}{levels}>{spoken}"


def _refuse(what: str, text: str, position: int) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    raise RequestError(
        f"{what} (line {line}, column {column}). Begin each turn with {FORM}; "
        f"attributes are {' and '.join(_ATTRIBUTES)}, levels are {', '.join(LEVELS)}.",
        param="text",
    )
