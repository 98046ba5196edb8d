"""A server that speaks in tones as a process of its own: ``python tone_process.py VOICE_DIR`` prints its address.

It ends when its standard input does.
"""

from __future__ import annotations

import sys

from flashtts_core.settings import Settings
from flashtts_core.testing import ToneEngine
from flashtts_server.testing import LiveServer


async def _tone() -> ToneEngine:
    return ToneEngine()


if __name__ == "__main__":
    with LiveServer(_tone, settings=Settings(voice_dir=sys.argv[1])) as server:
        print(server.url, flush=True)  # noqa: T201  # the answer to the test
        sys.stdin.read()
