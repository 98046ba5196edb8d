"""How many processors this process may use, which is often fewer than the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processors() -> int:
    """Return how many processors this process may use: its affinity, and the quota of its container.

    Threads that compute, and spin while they wait, are many times slower if there are more of them than that.
    """
    # macOS and Windows have no affinity to ask for.
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(mine, _container_quota()))


def _container_quota() -> int:
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no container, or one without a bound ("max")
        return 1 << 16
