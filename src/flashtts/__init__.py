"""flashtts: text to speech in one line, or streamed; the public names of ``flashtts_core`` under the product's name.

::

    import flashtts
    flashtts.speak("Hello there.", out="hello.wav")

    async with await flashtts.load() as synthesizer:
        async for chunk in synthesizer.speak("Hello there."):
            ...  # mono float32 samples, as they are made
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flashtts_core
from flashtts_core import __all__ as __all__

if TYPE_CHECKING:
    from flashtts_core import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(flashtts_core, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
