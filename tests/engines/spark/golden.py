"""The golden checkpoint and vectors of Spark-TTS, compared at the tolerances of their manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

FOLDER = Path(__file__).parents[2] / "golden"
CHECKPOINT = FOLDER / "spark-tiny"
MANIFEST: dict[str, Any] = json.loads((FOLDER / "spark-tiny-vectors.json").read_text(encoding="utf-8"))
_TENSORS = load_file(FOLDER / "spark-tiny-vectors.safetensors")


def tensor(name: str) -> NDArray[Any]:
    """Return a golden tensor."""
    return _TENSORS[name]


def numbers(name: str) -> tuple[int, ...]:
    """Return a golden tensor of ids."""
    return tuple(int(number) for number in _TENSORS[name])


def recording(name: str) -> bytes:
    """Return the file of a reference recording."""
    return (FOLDER / "spark-wavs" / f"{name}.wav").read_bytes()


def assert_golden(name: str, value: NDArray[Any]) -> None:
    """Fail unless ``value`` is the golden tensor, at the manifest's tolerance."""
    expected, told = _TENSORS[name], MANIFEST["tensors"][name]
    assert value.shape == expected.shape, name
    tolerance = 0 if told.get("exact") else told["suggested_atol"]
    np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance, err_msg=name)
