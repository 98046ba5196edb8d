"""The border to TensorRT-LLM: finds it, checks its release, loads a model, words a request for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from flashtts_backend_trt.plan import Plan
from flashtts_core import TokenRequest
from flashtts_core.errors import ConfigError

OLDEST, BEFORE = (1, 2), (1, 3)

NO_END = -1
"""``end_id`` of a request without one: the runtime wants a number, or a tokenizer to ask."""


class Runtime(Struct, frozen=True):
    """A loaded model (``LLM``), and the runtime's class of sampling parameters."""

    llm: Any
    sampling_params: Callable[..., Any]


def load(plan: Plan) -> Runtime:
    """Load what was planned; blocks; raises ``ConfigError`` with what TensorRT-LLM said if it cannot."""
    try:
        import tensorrt_llm  # noqa: PLC0415  # heavy: only when opened

        check_release(tensorrt_llm.__version__)
        if plan.engine:
            from tensorrt_llm._tensorrt_engine import LLM  # noqa: PLC0415
        else:
            from tensorrt_llm import LLM  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"TensorRT-LLM is installed but cannot be imported: {error}. It needs an NVIDIA GPU and its driver; the "
            f"vendor's container brings the rest."
        ) from error
    try:
        llm = LLM(**plan.arguments)
    except (RuntimeError, ValueError, OSError, AssertionError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        advice = " Lower --llm_batch_size or --max_length." if "memory" in reason.lower() else ""
        raise ConfigError(f"TensorRT-LLM could not open {plan.arguments['model']}: {reason}.{advice}") from error
    return Runtime(llm, tensorrt_llm.SamplingParams)


def check_release(version: str) -> None:
    """Raise ``ConfigError`` if ``version`` is not one whose interface this backend was written for."""
    found = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if not OLDEST <= found < BEFORE:
        raise ConfigError(
            f"TensorRT-LLM {version} is installed; this backend knows release {'.'.join(map(str, OLDEST))}. Install "
            f"that one, or another release of flashtts-backend-trt."
        )


def sampling_arguments(request: TokenRequest) -> dict[str, Any]:
    """Return the arguments of ``SamplingParams`` for a request.

    Stop ids go as stop words, none as the end: ``ignore_eos`` would switch the stop words off too, and no end is asked
    for. Greedy is ``top_k`` 1, which both flows take for it.
    """
    sampling = request.sampling
    arguments: dict[str, Any] = {
        "end_id": NO_END,
        "pad_id": 0,
        "max_tokens": sampling.max_tokens,
        "stop_token_ids": sorted(request.stop) or None,
        "detokenize": False,
        "repetition_penalty": sampling.repetition_penalty,
        "seed": sampling.seed,
    }
    if not sampling.temperature:
        return {**arguments, "top_k": 1}
    return {**arguments, "temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
