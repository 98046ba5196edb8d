"""Where an answer ends (at the first stop id, or when the tokens it may have are used up), and whether it has room."""

from __future__ import annotations

from collections.abc import Sequence, Set

from flashtts_core.errors import RequestError
from flashtts_core.types import TokenRequest


def cut(ids: Sequence[int], *, stop: Set[int], left: int) -> tuple[list[int], bool]:
    """Return the ids that belong to the answer (at most ``left``, none from a stop id on) and whether it ends here."""
    end = next((at for at, token in enumerate(ids) if token in stop), len(ids))
    kept = list(ids[: min(end, left)])
    return kept, end < len(ids) or len(kept) == left


def check_room(request: TokenRequest, max_length: int) -> None:
    """Raise ``RequestError`` unless prompt and answer fit a context of ``max_length``.

    The host has cut ``max_tokens`` to what is left; a model checks what it could not survive.
    """
    wanted = request.sampling.max_tokens
    if wanted is None or not 0 < len(request.prompt) <= max_length - wanted:
        raise RequestError(
            f"A prompt of {len(request.prompt)} tokens and an answer of {wanted} do not fit the context of "
            f"{max_length}; set max_tokens to what is left.",
            param="max_tokens",
        )
