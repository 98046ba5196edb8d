"""What counts as no speech."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.engines.spark.guard import LONGEST_PATTERN, LOOP_TOKENS, Listener, NoSpeech, loops

RATE = 1000
SILENCE = np.zeros(RATE, np.float32)
SOUND = np.full(RATE, 0.1, np.float32)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=LONGEST_PATTERN), st.lists(st.integers(0, 500)))
def test_a_short_pattern_over_and_over_is_a_loop(pattern: list[int], before: list[int]) -> None:
    repeated = (pattern * LOOP_TOKENS)[:LOOP_TOKENS]
    assert loops(before + repeated)
    assert not loops(repeated[:-1])
    assert not loops([*repeated[:-1], 501])


def test_silence_is_borne_for_a_while_before_and_between_sounds() -> None:
    listener = Listener(RATE)
    for _ in range(5):
        listener.hear(SILENCE)
    listener.hear(SOUND)
    for _ in range(5):
        listener.hear(SILENCE)
    listener.hear(SOUND)
    listener.finish()


@pytest.mark.parametrize("before", [[], [SOUND]])
def test_silence_without_end_is_no_speech(before: list[np.ndarray]) -> None:
    listener = Listener(RATE)
    for samples in [*before, *[SILENCE] * 5]:
        listener.hear(samples)
    with pytest.raises(NoSpeech, match="silent"):
        listener.hear(SOUND[:1] * 0)


def test_silence_counts_from_the_last_sound_in_a_chunk() -> None:
    listener = Listener(RATE)
    listener.hear(np.concatenate([SILENCE, SOUND, SILENCE]))
    for _ in range(4):
        listener.hear(SILENCE)
    with pytest.raises(NoSpeech):
        listener.hear(SILENCE)


def test_sound_is_heard_and_silence_is_not() -> None:
    listener = Listener(RATE)
    heard = []
    for samples in (SILENCE, SOUND, SILENCE):
        listener.hear(samples)
        heard.append(listener.heard)
    assert heard == [False, True, True]


def test_an_answer_that_was_never_heard_is_no_speech() -> None:
    listener = Listener(RATE)
    listener.hear(SILENCE)
    with pytest.raises(NoSpeech, match="no sound"):
        listener.finish()
