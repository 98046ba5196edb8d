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


def chosen_format(wanted: Dtype, model_type: str, *, native: Dtype, halves: bool) -> Dtype:
    """Return the format of ``--torch_dtype`` for a model on a device that computes ``native`` itself.

    ``halves`` says that the device gains by float16 where it has no bfloat16; a family that overflows does not get it.
    """
    if wanted == "auto":
        wanted = "float16" if native == "float32" and halves and stands_half(model_type) else native
    return without_overflow(wanted, model_type, instead=native)


def without_overflow(wanted: Dtype, model_type: str, *, instead: Dtype) -> Dtype:
    """Return the format to compute in; ``instead`` stands in for a float16 that overflows, which is logged."""
    if wanted != "float16" or stands_half(model_type):
        return wanted
    logger.warning(
        "--torch_dtype float16 overflows in %s models and gives no speech; %s is used instead.", model_type, instead
    )
    return instead
