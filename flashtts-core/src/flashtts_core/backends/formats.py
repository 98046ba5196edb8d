"""Which number formats a family of models stands."""

from __future__ import annotations

import logging

from flashtts_core.settings import Dtype

logger = logging.getLogger(__name__)

_OVERFLOWS_IN_HALF = frozenset({"qwen2"})
"""Families whose activations exceed 65504, the largest float16: seen as NaN logits with Spark's Qwen2 0.5B."""


def stands_half(model_type: str) -> bool:
    """True if models of this family can be computed in float16."""
    return model_type not in _OVERFLOWS_IN_HALF


def without_overflow(wanted: Dtype, model_type: str, *, instead: Dtype) -> Dtype:
    """Return the format to compute in; ``instead`` stands in for a float16 that overflows, which is logged."""
    if wanted != "float16" or stands_half(model_type):
        return wanted
    logger.warning(
        "--torch_dtype float16 overflows in %s models and gives no speech; %s is used instead.", model_type, instead
    )
    return instead
