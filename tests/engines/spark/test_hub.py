"""A checkpoint given as a hub id: what is fetched, what is not, and what is said when that fails.

The library reads its variables when it is imported, so each start is a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.hub_server import REPOSITORY, Hub, only_this_hub, running_hub
from engines.spark import golden
from flashtts_core.engines.spark import flashtts_engines
from flashtts_core.hub import is_hub_id


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


WEIGHTS = "BiCodec/model.safetensors"
NEEDED = files_in(golden.CHECKPOINT) - {"wav2vec2-large-xlsr-53/preprocessor_config.json"}
UNNEEDED = ["README.md", "src/figures/demo.png", "LLM/pytorch_model.bin", "optimizer.safetensors"]
FETCH = """
import asyncio, sys
from flashtts_core.errors import FlashTTSError
from flashtts_core.hub import fetch
try:
    print(asyncio.run(fetch(sys.argv[1], sys.argv[2:])))
except FlashTTSError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "repository"))
    for name in UNNEEDED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not needed" * 100_000)
    with running_hub(folder) as hub:
        yield hub


@pytest.fixture
def environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """The variables of a process that knows no hub but ours and has an empty cache."""
    return only_this_hub(hub, tmp_path / "cache")


def fetched(environment: dict[str, str], hub_id: str = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Fetch, in a process of its own, what the engine asks for."""
    (spec,) = flashtts_engines()
    command = [sys.executable, "-c", FETCH, hub_id, *spec.files]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def infer(environment: dict[str, str], folder: Path, model: str = REPOSITORY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flashtts_core", "infer", "-i", "Hello.", "-o", "out.wav", "-m", model]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_a_model_named_by_its_hub_id_speaks_and_then_again_offline(
    hub: Hub, environment: dict[str, str], tmp_path: Path
) -> None:
    first = infer(environment, tmp_path)
    assert first.returncode == 0, first.stderr
    assert "%|" not in first.stderr, "progress is for terminals"
    assert hub.names == NEEDED
    spoken = (tmp_path / "out.wav").read_bytes()
    hub.fetched.clear()
    again = infer({**environment, "HF_HUB_OFFLINE": "1"}, tmp_path)
    assert again.returncode == 0, again.stderr
    assert hub.fetched == []
    assert (tmp_path / "out.wav").read_bytes() == spoken


def test_a_folder_of_that_name_wins(hub: Hub, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / REPOSITORY).mkdir(parents=True)
    done = infer(environment, tmp_path)
    assert done.returncode == 2
    assert "No installed engine knows the files in" in done.stderr
    assert hub.fetched == []


def test_a_broken_connection_is_taken_up_where_it_broke(hub: Hub, environment: dict[str, str]) -> None:
    content = bytes(range(256)) * 2**17
    (hub.folder / WEIGHTS).write_bytes(content)  # several of the library's pieces of 10 MiB
    hub.break_off[WEIGHTS] = 1
    done = fetched(environment)
    assert done.returncode == 0, done.stderr
    first, second = [start for name, start in hub.fetched if name == WEIGHTS]
    assert first == 0 < second <= len(content) // 2
    assert (Path(done.stdout.strip()) / WEIGHTS).read_bytes() == content


STOPS = {
    "infer": (["-i", "Hello.", "-o", "out.wav"], signal.SIGINT, 130),
    "serve": (["--host", "127.0.0.1", "--port", "0"], signal.SIGTERM, 0),
}


@pytest.mark.parametrize("command", STOPS)
def test_an_interrupted_download_ends_in_order_and_goes_on_later(
    hub: Hub, environment: dict[str, str], tmp_path: Path, command: str
) -> None:
    flags, stop, code = STOPS[command]
    hub.break_off[WEIGHTS] = 1
    hub.hold = threading.Event()
    hub.wanted = frozenset(NEEDED)
    started = [sys.executable, "-m", "flashtts_core", command, *flags, "-m", REPOSITORY]
    process = subprocess.Popen(started, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert hub.halfway.wait(30)
    process.send_signal(stop)
    hub.hold.set()
    told = process.communicate(timeout=30)[1]
    assert process.returncode == code, told
    assert "Traceback" not in told
    (snapshot,) = (tmp_path / "cache").rglob("snapshots/*")
    there = files_in(snapshot)
    assert there
    assert WEIGHTS not in there
    hub.fetched.clear()
    done = fetched(environment)
    assert done.returncode == 0, done.stderr
    assert hub.names == NEEDED - there
    assert files_in(snapshot) == NEEDED


def test_progress_is_shown_on_a_terminal(environment: dict[str, str]) -> None:
    (spec,) = flashtts_engines()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    command = [sys.executable, "-c", FETCH, REPOSITORY, *spec.files]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=theirs, check=False, timeout=60)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # its end is an error
        while piece := terminal.read(4096):
            shown += piece
    assert done.returncode == 0
    assert b"100%" in shown


def test_an_unknown_model_is_said_to_be_neither_folder_nor_repository(environment: dict[str, str]) -> None:
    done = fetched(environment, "tiny/nothing")
    assert done.stderr.splitlines()[-1].startswith("BadCheckpoint: There is no folder tiny/nothing here and no model")
    assert environment["HF_ENDPOINT"] in done.stderr


def test_a_model_that_no_engine_can_use_is_refused(hub: Hub, environment: dict[str, str]) -> None:
    for path in hub.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (hub.folder / "config.yaml").unlink()
    done = fetched(environment)
    assert "BadCheckpoint" in done.stderr
    assert "none of the files that the installed engines need" in done.stderr
    assert hub.fetched == []


def test_offline_the_reason_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    done = infer({**environment, "HF_HUB_OFFLINE": "1"}, tmp_path)
    assert done.returncode == 2
    assert "while HF_HUB_OFFLINE is set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_out_of_reach_is_named(environment: dict[str, str]) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = fetched({**environment, "HF_ENDPOINT": endpoint})
    assert f"ConfigError: There is no folder {REPOSITORY}" in done.stderr
    assert f"{endpoint} cannot be reached" in done.stderr


def test_without_the_library_the_command_that_brings_it_is_named(environment: dict[str, str]) -> None:
    code = f"import sys; sys.modules['huggingface_hub'] = None\n{FETCH}"
    command = [sys.executable, "-c", code, REPOSITORY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert 'pip install "flashtts[torch]"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SparkAudio/Spark-TTS-0.5B", "a/b", "models/spark_1.0"])
def test_owner_and_model_make_a_hub_id(name: str) -> None:
    assert is_hub_id(name)


@pytest.mark.parametrize(
    "name", ["Spark-TTS-0.5B", "./a/b", "../b", "/a/b", "~/b", "a/b/c", "a/b/", "a\\b", "a/ b", ""]
)
def test_paths_make_none(name: str) -> None:
    assert not is_hub_id(name)
