"""Where an answer ends: at the first stop id, or when the tokens it may have are used up."""

from __future__ import annotations

from collections.abc import Sequence, Set


def cut(ids: Sequence[int], *, stop: Set[int], left: int) -> tuple[list[int], bool]:
    """Return the ids that belong to the answer (at most ``left``, none from a stop id on) and whether it ends here."""
    end = next((at for at, token in enumerate(ids) if token in stop), len(ids))
    kept = list(ids[: min(end, left)])
    return kept, end < len(ids) or len(kept) == left
