from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.audio.window import Schedule, Span, due_spans

SPARK = Schedule(start=25, growth=2.0, maximum=400, left=67, right=20)
ORPHEUS = Schedule(start=1, growth=1.5, maximum=24, left=3, right=3)

schedules = st.builds(
    lambda start, growth, more, left, right: Schedule(start, growth, start + more, left, right),
    st.integers(1, 40),
    st.floats(1, 3),
    st.integers(0, 60),
    st.integers(0, 70),
    st.integers(0, 70),
)


def stream(schedule: Schedule, arrivals: list[int]) -> list[Span]:
    """Plan a stream whose codes arrive in these portions; the end is known after the last."""
    spans: list[Span] = []
    known = 0
    for count in arrivals:
        known += count
        spans += due_spans(schedule, done=spans[-1].end if spans else 0, known=known, ended=False)
    return spans + due_spans(schedule, done=spans[-1].end if spans else 0, known=known, ended=True)


@given(schedules, st.lists(st.integers(0, 50), max_size=30))
def test_spans_cover_every_code_once_and_in_order(schedule: Schedule, arrivals: list[int]) -> None:
    spans = stream(schedule, arrivals)
    ends = [0, *(span.end for span in spans)]
    assert [span.start for span in spans] == ends[:-1]
    assert all(span.start < span.end for span in spans)
    assert ends[-1] == sum(arrivals)


@given(schedules, st.lists(st.integers(0, 50), max_size=30))
def test_context_is_whole_except_at_the_true_ends(schedule: Schedule, arrivals: list[int]) -> None:
    total = sum(arrivals)
    for span in stream(schedule, arrivals):
        assert span.context_start == max(0, span.start - schedule.left)
        assert span.context_end == min(total, span.end + schedule.right)


@given(schedules, st.lists(st.integers(0, 50), max_size=30))
def test_the_cuts_do_not_depend_on_how_codes_arrive(schedule: Schedule, arrivals: list[int]) -> None:
    total = sum(arrivals)
    assert stream(schedule, arrivals) == stream(schedule, [total]) == stream(schedule, [1] * total)


@given(schedules, st.integers(0, 2_000))
def test_spans_grow_up_to_the_maximum_and_none_is_wider_to_decode(schedule: Schedule, total: int) -> None:
    spans = stream(schedule, [total])
    lengths = [span.end - span.start for span in spans[:-1]]
    assert lengths == sorted(lengths)
    assert all(schedule.start <= length <= schedule.maximum for length in lengths)
    widest = schedule.left + schedule.maximum + schedule.right
    assert all(span.context_end - span.context_start <= widest for span in spans)


@given(schedules)
def test_the_first_span_waits_for_its_look_ahead_only(schedule: Schedule) -> None:
    needed = schedule.start + schedule.right
    assert due_spans(schedule, done=0, known=needed - 1, ended=False) == []
    (first,) = due_spans(schedule, done=0, known=needed, ended=False)
    assert (first.start, first.end, first.context_start, first.context_end) == (0, schedule.start, 0, needed)


def test_lengths_follow_the_schedule() -> None:
    spans = stream(SPARK, [1_200])
    assert [span.end - span.start for span in spans] == [25, 50, 100, 200, 400, 400, 25]
    assert [span.end - span.start for span in stream(ORPHEUS, [60])] == [1, 2, 3, 5, 8, 12, 18, 11]


def test_a_factor_that_floats_cannot_hold_rounds_as_on_paper() -> None:
    schedule = Schedule(start=10, growth=1.1, maximum=100, left=0, right=0)
    assert [span.end - span.start for span in stream(schedule, [21])] == [10, 11]


def test_a_span_takes_the_context_that_there_is() -> None:
    (_, second) = stream(ORPHEUS, [2])[:1] + due_spans(ORPHEUS, done=1, known=6, ended=False)
    assert second == Span(1, 3, 0, 6)


def test_an_ended_stream_of_nothing_has_no_spans() -> None:
    assert due_spans(SPARK, done=0, known=0, ended=True) == []


def test_asking_again_after_the_end_gives_nothing_more() -> None:
    assert due_spans(SPARK, done=33, known=33, ended=True) == []


@pytest.mark.parametrize(("done", "known"), [(3, 200), (25, 24), (80, 100)])
def test_a_place_where_no_span_ends_is_a_mistake_of_the_caller(done: int, known: int) -> None:
    with pytest.raises(ValueError, match="no span ends at code"):
        due_spans(SPARK, done=done, known=known, ended=False)


@pytest.mark.parametrize(
    "bad",
    [(0, 2.0, 10, 1, 1), (10, 0.5, 10, 1, 1), (11, 2.0, 10, 1, 1), (1, 2.0, 10, -1, 1), (1, 2.0, 10, 1, -1)],
)
def test_an_impossible_schedule_is_refused(bad: tuple[int, float, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a schedule"):
        Schedule(*bad)
