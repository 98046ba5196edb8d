"""What vLLM and its imports warn of is theirs: it must not fail tests that turn warnings into errors."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from flashtts_backend_vllm import provider

HERE = Path(__file__).parent

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    provider.prepare()  # imports vllm, before the test modules do


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            for kind in ("DeprecationWarning", "FutureWarning", "UserWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))
