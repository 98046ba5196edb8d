"""What a request is told when its model cannot go on: the same words whichever runtime it is."""

from __future__ import annotations

from flashtts_core.errors import EngineError
from flashtts_core.types import TokenRequest


def short_of_memory(request: TokenRequest) -> EngineError:
    """Return the error for a request that there is no memory for."""
    return EngineError(
        f"There is no memory left to go on with a request of {len(request.prompt)} prompt tokens. Try again when less "
        f"is running, or lower --llm_batch_size or --max_length."
    )


def scores_not_numbers(dtype: str) -> EngineError:
    """Return the error for a request whose scores came out as NaN or infinite in the number format ``dtype``."""
    advice = "The checkpoint is damaged." if dtype == "float32" else "Start with --torch_dtype float32 or bfloat16."
    return EngineError(f"The language model's scores are not numbers ({dtype}). {advice}")
