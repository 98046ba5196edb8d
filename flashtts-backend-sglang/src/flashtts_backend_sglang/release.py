"""Finds SGLang and checks that it is a release this backend knows."""

from __future__ import annotations

import re
from typing import Any

from flashtts_core.errors import ConfigError

OLDEST, BEFORE = (0, 5, 23), (0, 6)
_SUPPORTED = f"{'.'.join(map(str, OLDEST))} or later, before {'.'.join(map(str, BEFORE))}"


def engine_class() -> Any:
    """Return ``sglang.Engine``; raises ``ConfigError`` for another release or one that cannot be imported."""
    try:
        import sglang  # noqa: PLC0415  # heavy: only when opened

        check_release(sglang.__version__)
        return sglang.Engine  # noqa: TRY300  # a lazy attribute: this is where most of SGLang is imported
    except ImportError as error:
        raise ConfigError(
            f"SGLang is installed but cannot be imported: {error}. It needs an NVIDIA GPU, its driver and the packages "
            f'of its own release. Run in a fresh environment: pip install "flashtts[sglang]"'
        ) from error


def check_release(version: str) -> None:
    """Raise ``ConfigError`` if ``version`` is not one whose interface this backend was written for."""
    found = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if not OLDEST <= found < BEFORE:
        raise ConfigError(
            f"SGLang {version} is installed; this backend knows {_SUPPORTED}. "
            f'Run: pip install "flashtts[sglang]", or another release of flashtts-backend-sglang.'
        )
