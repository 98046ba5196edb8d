"""Reads the tokenizer of a checkpoint so that markers in a user's text are only text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Tokenizer

from flashtts_core.errors import BadCheckpoint


def read_tokenizer(path: Path) -> tuple[Tokenizer, dict[str, int]]:
    """Return a tokenizer for text, which does not know the added tokens of ``tokenizer.json``, and their ids by name.

    Raises ``BadCheckpoint`` that names the file.
    """
    try:
        content: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        tokens = {token["content"]: token["id"] for token in content["added_tokens"]}
        return Tokenizer.from_str(msgspec.json.encode({**content, "added_tokens": []}).decode()), tokens
    except Exception as error:  # the tokenizers library raises plain Exception for a content it cannot use
        raise BadCheckpoint(f"{path} is damaged or not a tokenizer ({error!r}). Fetch it again.") from error
