"""The randomness of a request: its own, and nothing else's."""

from __future__ import annotations

import random

from flashtts_core.types import TokenRequest

COLDEST = 1e-5
"""Below this temperature sampling is greedy: scores divided by it leave the range of float32."""


def generator_of(request: TokenRequest) -> random.Random:
    """Return a generator that follows from the seed and the prompt.

    The prompt is part of it: the lines of a text share a seed, and their draws must not be tied.
    """
    return random.Random(f"{request.sampling.seed or 0} {request.prompt}")  # noqa: S311  # not a secret
