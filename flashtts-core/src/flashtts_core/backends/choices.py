"""Which ids may follow, as sets of ranges: what ``TokenRequest.allowed`` and the stop ids come to at each step."""

from __future__ import annotations

from collections.abc import Iterable

from flashtts_core.errors import RequestError
from flashtts_core.types import TokenRequest

Ranges = tuple[tuple[int, int], ...]
"""A set of ids as half-open ranges: sorted, disjoint, not touching."""


def choices_of(request: TokenRequest, vocab_size: int) -> tuple[Ranges, ...]:
    """Return the ids that may be written at each step of the request's cycle, stop ids included.

    Raises ``RequestError`` if a step leaves nothing to write.
    """
    stops = [(token, token + 1) for token in request.stop]
    choices = tuple(
        merged(((max(first, 0), min(end, vocab_size)) for first, end in [*allowed.ranges, *stops]))
        for allowed in request.allowed
    ) or (((0, vocab_size),),)
    if not all(choices):
        raise RequestError(f"The ids allowed to follow hold none of the model's vocabulary of {vocab_size}.")
    return choices


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the union of ranges."""
    joined: list[tuple[int, int]] = []
    for first, end in sorted(part for part in ranges if part[0] < part[1]):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return tuple(joined)
