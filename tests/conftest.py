"""Shared by all tests: a real server in its own process, no forbidden skips, no threads that are left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import pytest

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a background job: the processes under test would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


def pytest_unconfigure() -> None:
    """Fail if a test has left threads of ours, for which the process would wait without end."""
    left = sorted(each.name for each in threading.enumerate() if each.name.startswith("flashtts-") and not each.daemon)
    if left:
        print(f"Threads that no test has ended: {', '.join(left)}.", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run ``flashtts serve`` with no flag but a free port, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "flashtts_core", "serve", "--port", str(port)], stdout=file, stderr=file
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)  # the server is another process: there is nothing to wait on but its answer
    raise AssertionError(f"the server was not ready in a minute: {log.read_text()}")
