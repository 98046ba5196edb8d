"""The names and seeds under which a language model is asked: every answer has its own."""

from __future__ import annotations

import itertools

from flashtts_core.types import Line

_STEP = 0x9E3779B97F4A7C15  # odd and large: seeds that a user counts up do not meet those of another's retries
_SEEDS = 2**63
_numbers = itertools.count()


def request_name(line: Line) -> str:
    """Return the ``id`` of a ``TokenRequest`` for a line; no other request of this process has it."""
    return f"{line.request_id}:{line.index}:{next(_numbers)}"


def seed_at(line: Line, number: int) -> int:
    """Return the seed of a line's answer ``number``, below 2**63; that of 0 is the request's own."""
    return ((line.sampling.seed or 0) + number * _STEP) % _SEEDS
