"""Prints what the server costs beside the bare engine: first audio, overhead, parallel clients, memory.

Both sides run in one go: the same sentence by the engine in this process and through a real server in another, in turn.
``python benchmarks/server.py [--requests N]``
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

import flashtts
from flashtts_core import SpeechRequest, Synthesizer

SENTENCE = "The train to the coast leaves from platform nine in ten minutes."
ROUNDS = 30
CLIENTS = 8


@asynccontextmanager
async def server() -> AsyncIterator[tuple[str, int]]:
    """Run ``flashtts serve`` and give its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "flashtts_core", "serve", "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{url}/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        yield url, process.pid
    finally:
        process.terminate()
        await process.wait()


async def ask(client: httpx.AsyncClient, format_: str = "pcm", text: str = SENTENCE) -> tuple[float, float]:
    """Return seconds to the first byte of sound and to the end."""
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": format_}
    began, first = time.perf_counter(), 0.0
    async with client.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            first = first or time.perf_counter() - began
    return first, time.perf_counter() - began


async def speak(synthesizer: Synthesizer) -> tuple[float, float]:
    """Return the same for the engine alone, with nothing around it but the synthesizer."""
    began, first = time.perf_counter(), 0.0
    async for _ in synthesizer.speak(SpeechRequest(SENTENCE)):
        first = first or time.perf_counter() - began
    return first, time.perf_counter() - began


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def row(label: str, seconds: list[float]) -> None:
    """Print the middle and the slow end of a series of times."""
    milliseconds = sorted(1000 * value for value in seconds)
    worst = milliseconds[int(0.95 * (len(milliseconds) - 1))]
    print(f"{label:<46} median {statistics.median(milliseconds):8.1f} ms   p95 {worst:8.1f} ms")


async def latency(client: httpx.AsyncClient, synthesizer: Synthesizer) -> None:
    """Print first audio and whole time, engine alone and through the server in turn."""
    alone, served, mp3 = [], [], []
    for _ in range(ROUNDS):
        alone.append(await speak(synthesizer))
        served.append(await ask(client))
        mp3.append(await ask(client, "mp3"))
    row("first audio, engine alone", [first for first, _ in alone])
    row("first audio, server, pcm", [first for first, _ in served])
    row("first audio, server, mp3", [first for first, _ in mp3])
    row("whole sentence, engine alone", [whole for _, whole in alone])
    row("whole sentence, server, pcm", [whole for _, whole in served])
    row("whole sentence, server, mp3", [whole for _, whole in mp3])
    added = [1000 * (server[1] - engine[1]) for engine, server in zip(alone, served, strict=True)]
    first = [1000 * (server[0] - engine[0]) for engine, server in zip(alone, served, strict=True)]
    print(f"{'server adds to the first audio (pcm)':<46} median {statistics.median(first):8.1f} ms")
    print(f"{'server adds to the whole answer (pcm)':<46} median {statistics.median(added):8.1f} ms")


async def parallel(client: httpx.AsyncClient) -> None:
    """Print the same work one after the other and by parallel clients."""
    ratios = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(CLIENTS * 2):
            await ask(client)
        one_by_one = time.perf_counter() - began
        began = time.perf_counter()
        await asyncio.gather(*(_several(client, 2) for _ in range(CLIENTS)))
        together = time.perf_counter() - began
        ratios.append(one_by_one / together)
    print(
        f"{CLIENTS} parallel clients, total time: {statistics.median(ratios):.2f} times faster than one after the other"
    )


async def _several(client: httpx.AsyncClient, count: int) -> None:
    for _ in range(count):
        await ask(client)


async def memory(client: httpx.AsyncClient, pid: int, requests: int) -> None:
    """Print the server's memory after 50 requests and after many; texts vary in length."""
    texts = [" ".join([SENTENCE] * count) for count in (1, 2, 3, 4)]
    after_50 = 0.0
    for number in range(1, requests + 1):
        await ask(client, ("pcm", "mp3", "opus", "wav")[number % 4], texts[number % 4])
        if number == 50:
            after_50 = resident(pid)
    end = resident(pid)
    print(
        f"memory after 50 requests {after_50:.0f} MB, after {requests}: {end:.0f} MB "
        f"({100 * (end / after_50 - 1):+.1f} %)"
    )


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    limits = httpx.Limits(max_keepalive_connections=CLIENTS)
    async with (
        server() as (url, pid),
        await flashtts.load() as synthesizer,
        httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client,
    ):
        for _ in range(5):
            await speak(synthesizer)
            await ask(client)
        await latency(client, synthesizer)
        await parallel(client)
        await memory(client, pid, options.requests)


if __name__ == "__main__":
    asyncio.run(main())
