"""How many processors are used: what the system allows, whichever way it says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flashtts_core import processors as module
from flashtts_core.processors import processors
from flashtts_core.testing.conformance import run
from flashtts_engine_hibari.engine import HibariEngine


@pytest.fixture(autouse=True)
def no_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of the quota, which is not there unless a test writes it."""
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(module, "_QUOTA", quota)
    return quota


def test_the_processors_are_those_that_the_system_gives_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5}, raising=False)
    assert processors() == 2


@pytest.mark.parametrize(("written", "count"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 8)])
def test_a_container_bounds_them(written: str, count: int, no_container: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    no_container.write_text(f"{written}\n", encoding="ascii")
    assert processors() == count


def test_where_no_affinity_is_known_all_of_the_machine_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert processors() == 3


def test_the_embedded_voice_opens_where_no_affinity_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)

    async def workers() -> int:
        engine = await HibariEngine.load()
        await engine.aclose()
        return engine.parallel

    assert run(workers()) == 3
