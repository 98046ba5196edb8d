"""The command that serves a model, as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def served(*flags: str) -> Iterator[tuple[str, str]]:
    """Run ``flashtts serve`` on a free port; give its address and what it has said until it was ready.

    At the end it is told to stop, and has to do so in order.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "flashtts_core", "serve", "--host", "127.0.0.1", "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # as in the tests: with more, sums differ in their last bit
    )
    assert process.stdout is not None
    try:
        shown = ""
        while "is ready at" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        (address,) = re.findall(r"is ready at (\S+)", shown)
        yield address, shown
    finally:
        process.terminate()
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert "Traceback" not in rest
