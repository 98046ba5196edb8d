"""``python -m flashtts_core`` is the command ``flashtts``."""

from __future__ import annotations

from flashtts_core.cli.main import run

run()
