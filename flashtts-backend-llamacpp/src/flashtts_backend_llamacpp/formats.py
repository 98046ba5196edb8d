"""The number formats that ``flashtts convert gguf`` can write, from the largest to the smallest."""

from __future__ import annotations

from typing import Literal, get_args

NumberFormat = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
FORMATS: tuple[NumberFormat, ...] = get_args(NumberFormat)
