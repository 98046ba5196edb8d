"""The frame of flashtts: the names that engines, backends, servers and scripts build on.

Importing this loads neither torch nor a model; ``load`` and ``speak`` do the work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from flashtts_core.backends import Backend, BackendContext, BackendSpec
from flashtts_core.engines import Abilities, Engine, EngineContext, EngineSpec, TextRules
from flashtts_core.errors import FlashTTSError
from flashtts_core.hookspecs import hookimpl
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.types import (
    AudioChunk,
    Diffusion,
    IdRanges,
    Line,
    Reference,
    Sampling,
    SpeechRequest,
    SplitLimits,
    Style,
    TokenRequest,
    Usage,
    Voice,
)

if TYPE_CHECKING:
    from flashtts_core.blocking import Speaker, speak
    from flashtts_core.host import load, open_synthesizer
    from flashtts_core.stream import AudioStream
    from flashtts_core.synthesizer import Synthesizer

__all__ = [
    "Abilities",
    "AudioChunk",
    "AudioStream",
    "Backend",
    "BackendContext",
    "BackendSpec",
    "Diffusion",
    "Engine",
    "EngineContext",
    "EngineSpec",
    "FlashTTSError",
    "IdRanges",
    "Line",
    "Plugins",
    "Reference",
    "Sampling",
    "Settings",
    "Speaker",
    "SpeechRequest",
    "SplitLimits",
    "Style",
    "Synthesizer",
    "TextRules",
    "TokenRequest",
    "Usage",
    "Voice",
    "hookimpl",
    "load",
    "open_synthesizer",
    "speak",
]

_LAZY = {
    "AudioStream": "flashtts_core.stream",
    "Speaker": "flashtts_core.blocking",
    "Synthesizer": "flashtts_core.synthesizer",
    "load": "flashtts_core.host",
    "open_synthesizer": "flashtts_core.host",
    "speak": "flashtts_core.blocking",
}
"""Names whose modules import numpy and PyAV: plugins and ``flashtts --help`` are loaded without them."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
