"""What is heard against what was said: words and their error rate."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Hear = Callable[[NDArray[np.float32], int], str]
"""Writes down what is said in mono samples at a rate."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, lower-cased, without punctuation."""
    return re.findall(r"[a-z0-9']+", text.lower())


def word_error_rate(said: str, heard: str) -> float:
    """Return the edits (insert, delete, replace a word) from what was said to what was heard, per word said."""
    reference, found = words_of(said), words_of(heard)
    row = list(range(len(found) + 1))
    for number, word in enumerate(reference, 1):
        previous, row[0] = row[0], number
        for at, other in enumerate(found, 1):
            previous, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, previous + (word != other))
    return row[-1] / len(reference)
