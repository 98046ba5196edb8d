"""The number formats that ``flashtts convert gguf`` can write, from the largest to the smallest."""

from __future__ import annotations

import logging
from typing import Literal, get_args

from flashtts_core.backends.formats import stands_half

logger = logging.getLogger(__name__)

NumberFormat = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
FORMATS: tuple[NumberFormat, ...] = get_args(NumberFormat)


def unpacked(model_type: str) -> NumberFormat:
    """Return the smallest format that does not pack rows and in which models of this family speak everywhere."""
    return "f16" if stands_half(model_type) else "bf16"


def warn_of_overflow(model_type: str) -> None:
    """Warn of weights in float16, with which GPUs compute in float16, if models of this family overflow in it."""
    if not stands_half(model_type):
        logger.warning(
            "%s models with weights in f16 may overflow on GPUs and give no speech. Convert with --type bf16, which is "
            "as large, or q8_0, which is half of it.",
            model_type,
        )
