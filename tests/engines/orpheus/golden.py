"""The golden checkpoint and vectors of Orpheus-TTS, compared at the tolerances of their manifest."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

CHECKPOINT = Path(__file__).parents[2] / "golden" / "orpheus-tiny"
_VECTORS = CHECKPOINT / "vectors"
_TENSORS = {**load_file(_VECTORS / "snac.safetensors"), **load_file(_VECTORS / "llm.safetensors")}
_TOLERANCES: dict[str, Any] = json.loads((_VECTORS / "manifest.json").read_text(encoding="utf-8"))["tolerance"]
PROMPTS: dict[str, Any] = json.loads((_VECTORS / "prompts.json").read_text(encoding="utf-8"))
TOKEN_STREAMS: list[dict[str, Any]] = json.loads((_VECTORS / "token_stream.json").read_text(encoding="utf-8"))["cases"]


def tensor(name: str) -> NDArray[Any]:
    """Return a golden tensor."""
    return _TENSORS[name]


FRAMES: list[tuple[int, ...]] = [tuple(int(code) for code in frame) for frame in tensor("stream_codes")]
"""The twelve frames that the golden language model writes."""


def assert_golden(name: str, value: NDArray[Any]) -> None:
    """Fail unless ``value`` is the golden tensor, at the manifest's tolerance."""
    rules = ((f"*{pattern}", rule) for patterns, rule in _TOLERANCES.items() for pattern in patterns.split(", "))
    told = next(rule for pattern, rule in rules if fnmatch(name, pattern))
    tolerance = 0 if told == "exact" else told["abs"]
    assert value.shape == tensor(name).shape, name
    np.testing.assert_allclose(value, tensor(name), rtol=0, atol=tolerance, err_msg=name)
