"""Shared by all tests: with FLASHTTS_TESTS_NO_SKIPS a skipped test fails, so that CI cannot pass by skipping."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where skips are forbidden; expected failures stay what they are."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("FLASHTTS_TESTS_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where skips are forbidden: {report.longrepr}"
    return report
