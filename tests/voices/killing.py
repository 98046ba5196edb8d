"""Kills writers of a voice store, again and again, and looks each time at what they left; run by ``test_crashes``.

``python killing.py FOLDER SEED ROUNDS`` prints how many writers were killed and how often a voice had changed, or ends
with an error. Writers are forks of this process, so that none has to start from nothing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parents[1]))

from flashtts_core.disk import Disk
from flashtts_core.errors import UnknownVoice
from flashtts_core.voices import FolderStore
from voices.disks import Death, DyingDisk, QuickDisk
from voices.test_crashes import State, state, voice

LONGEST_LIFE = 0.02
"""Seconds; a writer gets through several voices in it."""


def write(root: Path, seed: int, disk: Disk) -> NoReturn:
    """Replace, remove and encode one voice until killed."""
    rng = random.Random(seed)
    store = FolderStore(root, disk)
    while True:
        mark = rng.randrange(1, 100)
        try:
            if rng.random() < 0.2:
                store.remove("anna")
            elif rng.random() < 0.2:
                store.save_codes(voice(mark), "other", store.load("anna", "none").content)
            else:
                store.save(voice(mark), "tone", overwrite=True)
        except UnknownVoice:
            pass


def fork_writer(root: Path, seed: int, last: int | None) -> int:
    """Return the process of a writer, which kills itself at its ``last``-th effect if that is given."""
    child = os.fork()
    if child:
        return child
    try:
        write(root, seed, Disk() if last is None else DyingDisk(last, half=seed % 4 == 1))
    except Death:
        os.kill(os.getpid(), signal.SIGKILL)
    finally:
        os._exit(1)


def main(root: Path, seed: int, rounds: int) -> int:
    """Kill ``rounds`` writers; return the exit code."""
    rng = random.Random(seed)
    FolderStore(root, QuickDisk()).save(voice(1), "tone", overwrite=True)
    killed = changed = 0
    before: State = state(root)
    for number in range(rounds):
        by_itself = number % 2 == 1
        child = fork_writer(root, rng.randrange(10**6), rng.randrange(1, 60) if by_itself else None)
        if not by_itself:
            time.sleep(rng.uniform(0, LONGEST_LIFE))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"writer {number} ended by an error of its own, status {status}"
        killed += 1
        found = state(root)
        assert found is None or found[0].split()[0] == b"%d" % found[1], f"writer {number} left {found}"
        changed += found != before
        before = found
    print(killed, changed)  # noqa: T201  # the answer to the test
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
