"""The golden checkpoint and vectors of MegaTTS 3, compared at the tolerances of their manifest."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

CHECKPOINT = Path(__file__).parents[2] / "golden" / "mega-tiny"
RECORDING = (CHECKPOINT / "voices" / "ref.wav").read_bytes()
LATENT = (CHECKPOINT / "voices" / "ref.npy").read_bytes()
_VECTORS = CHECKPOINT / "vectors"
_TENSORS = load_file(_VECTORS / "mega.safetensors")
_RULES: dict[str, Any] = json.loads((_VECTORS / "manifest.json").read_text(encoding="utf-8"))["tolerance"]
G2P: dict[str, Any] = json.loads((_VECTORS / "g2p.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = json.loads((_VECTORS / "split_cases.json").read_text(encoding="utf-8"))["cases"]


_ROUNDING = 1e-6  # for the few vectors that the manifest gives no tolerance for: inputs and plain formulas


def tensor(name: str) -> NDArray[Any]:
    """Return a golden tensor."""
    return _TENSORS[name]


def numbers(name: str) -> list[int]:
    """Return a golden tensor of ids, flat."""
    return [int(number) for number in _TENSORS[name].flatten()]


def tolerance(name: str) -> float:
    """Return how far a value may be from the golden one: ids not at all, floats as the manifest says."""
    if _TENSORS[name].dtype == np.int64:
        return 0
    rules = [
        (expanded, rule) for patterns, rule in _RULES.items() if rule != "exact" for expanded in _expanded(patterns)
    ]
    told = next((rule for pattern, rule in rules if fnmatch(name, pattern)), {"abs": _ROUNDING})
    return float(told["abs"] if "abs" in told else told["abs_int"])


def assert_golden(name: str, value: NDArray[Any]) -> None:
    """Fail unless ``value`` is the golden tensor, at the manifest's tolerance."""
    expected = _TENSORS[name]
    assert value.shape == expected.shape, name
    wide = np.int64 if np.issubdtype(expected.dtype, np.integer) else np.float64
    np.testing.assert_allclose(value.astype(wide), expected.astype(wide), rtol=0, atol=tolerance(name), err_msg=name)


def _expanded(patterns: str) -> list[str]:
    """Read a list of patterns, in which the part before the first dot is said once: ``align.a, b``."""
    stem, found = "", []
    for pattern in patterns.replace(" and ", ", ").split(", "):
        head, dot, _ = pattern.partition(".")
        stem = f"{head}." if dot else stem
        found.append(pattern if dot else stem + pattern)
    return found
