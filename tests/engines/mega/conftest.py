"""Fixtures of the MegaTTS 3 tests: the networks of the golden checkpoint, open."""

from __future__ import annotations

import pytest

from backends.torch.threads import one_thread  # noqa: F401  # used by itself
from engines.mega import golden
from flashtts_core.engines.mega.checkpoint import find_files
from flashtts_core.engines.mega.model.loading import MegaPlan, Networks, open_networks


@pytest.fixture(scope="session")
def networks() -> Networks:
    return open_networks(find_files(golden.CHECKPOINT), MegaPlan())
