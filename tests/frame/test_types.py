"""The values that cross the layers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.types import IdRanges


@given(st.lists(st.integers(0, 60)))
def test_ranges_of_ids_hold_those_and_no_others_and_do_not_touch(ids: list[int]) -> None:
    found = IdRanges.of(ids)
    assert {token for token in range(-2, 64) if token in found} == set(ids)
    assert len(found) == len(set(ids))
    assert all(end < first for (_, end), (first, _) in pairwise(found.ranges))
