"""For authors of plugins: fakes to test against, and the conformance classes that a plugin has to pass.

Subclass ``EngineContract``, ``BackendContract`` or ``CheckpointContract`` of ``flashtts_core.testing.conformance`` in a
pytest module and give it a way to open your plugin. ``flashtts_core.testing.checkpoints`` makes small random language
models in the official layout.
"""

from __future__ import annotations

from flashtts_core.testing.counting import CountingModel, CountingReference, counting_backend
from flashtts_core.testing.fakes import ToneEngine, ToneSettings, tone_reference
from flashtts_core.testing.ids import IdsEngine

__all__ = [
    "CountingModel",
    "CountingReference",
    "IdsEngine",
    "ToneEngine",
    "ToneSettings",
    "counting_backend",
    "tone_reference",
]
