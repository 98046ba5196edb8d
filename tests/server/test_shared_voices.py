"""Two server processes with one folder of voices: what one does the other knows, and neither breaks the other's."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest

from flashtts_core.testing import tone_reference
from flashtts_core.voices import FolderStore

PROGRAM = Path(__file__).parent / "tone_process.py"
PITCHES = (300, 400, 500)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def servers(shared: Path) -> Iterator[tuple[str, str]]:
    with ExitStack() as stack:
        addresses = []
        for _ in range(2):
            command = [sys.executable, str(PROGRAM), str(shared)]
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert process.stdout is not None
            addresses.append(process.stdout.readline().strip())
        yield addresses[0], addresses[1]


def add(client: httpx.Client, url: str, name: str, pitch: float) -> int:
    files = {"audio_file": ("a.wav", tone_reference(pitch=pitch).audio)}
    return client.post(f"{url}/add_speaker", data={"name": name, "overwrite": "true"}, files=files).status_code


def heard(client: httpx.Client, url: str, name: str) -> float | None:
    body = {"text": "one two three four five", "name": name, "response_format": "pcm"}
    answer = client.post(f"{url}/speak", json=body)
    if answer.status_code == 404:
        return None
    assert answer.status_code == 200, answer.text
    return float(np.abs(np.fft.rfft(np.frombuffer(answer.content, "<i2"))).argmax())


def test_what_one_adds_replaces_and_removes_the_other_knows_at_once(
    servers: tuple[str, str], client: httpx.Client
) -> None:
    here, there = servers
    for pitch in PITCHES:
        assert add(client, here, "anna", pitch) == 200
        assert heard(client, there, "anna") == pytest.approx(pitch, abs=3)
        assert heard(client, here, "anna") == pytest.approx(pitch, abs=3)
        here, there = there, here
    assert "anna" in client.get(f"{there}/audio_roles").json()["roles"]
    assert client.post(f"{there}/delete_speaker", json={"name": "anna"}).status_code == 200
    assert heard(client, here, "anna") is None
    assert "anna" not in client.get(f"{here}/audio_roles").json()["roles"]


def test_both_may_write_the_same_voice_at_the_same_time(servers: tuple[str, str], shared: Path) -> None:
    def work(seed: int) -> list[int]:
        rng = random.Random(seed)
        statuses = []
        with httpx.Client(timeout=60) as client:
            for _ in range(25):
                url, name = rng.choice(servers), rng.choice(("berta", "cleo"))
                match rng.randrange(4):
                    case 0:
                        statuses.append(client.post(f"{url}/delete_speaker", json={"name": name}).status_code)
                    case 1:
                        pitch = heard(client, url, name)
                        assert pitch is None or min(abs(pitch - each) for each in PITCHES) < 5
                    case _:
                        statuses.append(add(client, url, name, rng.choice(PITCHES)))
        return statuses

    with ThreadPoolExecutor(4) as pool:
        for statuses in pool.map(work, range(4)):
            assert set(statuses) <= {200, 404}
    store = FolderStore(shared)
    for name in store.names():
        assert store.load(name, "tone").codes is not None
        assert store.load(name, "none").reference is not None
    folders = [path for path in shared.iterdir() if path.is_dir()]
    assert len(folders) == len(store.names())
    assert all(len(list(folder.iterdir())) == 3 for folder in folders), "voice.json, recording, codes"
