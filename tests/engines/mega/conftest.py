"""Fixtures of the MegaTTS 3 tests: the networks of the golden checkpoint, open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from engines.mega import golden
from flashtts_core.engines.mega.checkpoint import find_files
from flashtts_core.engines.mega.model.loading import MegaPlan, Networks, open_networks


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread: on networks this small more of them only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def networks() -> Networks:
    return open_networks(find_files(golden.CHECKPOINT), MegaPlan())
