"""Opens the language model of a checkpoint, and refuses one that lacks ids which its tokenizer names."""

from __future__ import annotations

from pathlib import Path

from flashtts_core.backends import Backend
from flashtts_core.engines import EngineContext
from flashtts_core.errors import BadCheckpoint

LINES_AT_ONCE = 16
"""Lines of one request beyond which a language model gains little from company."""


async def open_language_model(context: EngineContext, folder: Path, *, highest: int) -> Backend:
    """Open the backend on ``folder``; ``highest`` is the largest id that prompts and answers may hold.

    Raises ``BadCheckpoint`` if the model has no such id, and what the backend raises.
    """
    backend = await context.open_backend(folder)
    if highest >= backend.vocab_size:
        await backend.aclose()
        raise BadCheckpoint(
            f"The language model in {folder} has {backend.vocab_size} ids; its tokenizer names {highest}. "
            f"Fetch both from the same model."
        )
    return backend
