"""For authors of plugins: fakes to test against, and the conformance classes that a plugin has to pass.

Subclass ``EngineContract`` or ``BackendContract`` in a pytest module and give it a way to open your plugin.
"""

from __future__ import annotations

from flashtts_core.testing.fakes import CountingModel, ToneEngine, ToneSettings, counting_backend, tone_reference
from flashtts_core.testing.ids import IdsEngine

__all__ = ["CountingModel", "IdsEngine", "ToneEngine", "ToneSettings", "counting_backend", "tone_reference"]
