"""What the host checks of every engine: that it speaks as a generator, and that what comes is the sound it promised.

Samples of another form would be heard: whole numbers as noise, another rate at another pitch.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from flashtts_core.errors import EngineError
from flashtts_core.types import AudioChunk, Usage

_REMEDY = "This is a mistake in the engine's plugin: report it to its author."


def begun(speech: object) -> AsyncGenerator[object, None]:
    """Return what ``Engine.speak`` gave; raises ``EngineError`` if that is no async generator."""
    if isinstance(speech, AsyncGenerator):
        return speech
    raise EngineError(f"The engine's speak gave {_named(speech)} in place of an async generator. {_REMEDY}")


def sound(chunk: Any, sample_rate: int) -> AudioChunk:
    """Return a chunk; raises ``EngineError`` unless it is mono float32 at ``sample_rate``."""
    samples, usage = getattr(chunk, "samples", None), getattr(chunk, "usage", None)
    if not isinstance(chunk, AudioChunk):
        wrong = _named(chunk)
    elif not isinstance(samples, np.ndarray):
        wrong = f"samples as {_named(samples)}"
    elif samples.dtype != np.float32 or samples.ndim != 1:
        wrong = f"samples of {samples.dtype} in the shape {list(samples.shape)}"
    elif chunk.sample_rate != sample_rate:
        wrong = f"samples at {chunk.sample_rate} Hz"
    elif not isinstance(usage, Usage):
        wrong = f"a chunk with {_named(usage)} as its usage"
    else:
        return chunk
    raise EngineError(f"The engine gave {wrong}; a chunk holds float32 samples [N] at {sample_rate} Hz. {_REMEDY}")


def _named(value: object) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"
