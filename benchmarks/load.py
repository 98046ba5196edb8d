"""Prints the figures of the server under load: event loop, overload, disconnects, overhead.

A real server process with real sockets around a fake engine that makes tone at a set pace (``paced.py``); the load
comes from this process. ``python benchmarks/load.py [loop|overload|disconnects|overhead ...] [--requests N]``
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from paced import PIECE_SECONDS, SAMPLE_RATE, PacedEngine

from flashtts_core import SpeechRequest
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer

LEAD = 0.1
"""Seconds before the engine's first sound."""
LOOP_STREAMS = 64
OVERHEAD_STREAMS = 32
OVERLOAD = 4
PLACES = 16


class Heard(msgspec.Struct):
    """What a client heard: the status, seconds to the first sound (or to the refusal), bytes of sound."""

    status: int
    first: float
    size: int = 0


class Reader:
    """Asks over a plain socket, as a client that costs next to nothing itself."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, pieces: int, *, leave_after: float | None = None, whole: bool = False) -> Heard:
        """Speak ``pieces`` times 0.1 s; ``leave_after`` seconds the connection is cut off."""
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(_request(pieces, whole=whole, keep=False))
            async with asyncio.timeout(leave_after):
                return await self._heard(reader, began)
        except TimeoutError:
            writer.transport.abort()
            return Heard(0, time.perf_counter() - began)
        finally:
            writer.close()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[Callable[[int], Coroutine[Any, Any, float]]]:
        """Keep a connection; give what asks over it and returns the seconds to the first sound."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)

        async def ask(pieces: int) -> float:
            began = time.perf_counter()
            writer.write(_request(pieces, whole=False, keep=True))
            await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"\r\n")  # the length of the first piece, which comes with the piece
            first = time.perf_counter() - began
            await reader.readuntil(b"\r\n0\r\n\r\n")
            return first

        try:
            yield ask
        finally:
            writer.close()

    async def _heard(self, reader: asyncio.StreamReader, began: float) -> Heard:
        status = int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
        size = len(await reader.read(65_536))
        first = time.perf_counter() - began
        while piece := await reader.read(65_536):
            size += len(piece)
        return Heard(status, first, size)


def _request(pieces: int, *, whole: bool, keep: bool) -> bytes:
    body = msgspec.json.encode({"text": "a" * pieces, "stream": not whole, "response_format": "pcm"} | SPLIT)
    head = (
        f"POST /speak HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    return head.encode() + body


SPLIT = {"length_threshold": 100_000, "window_size": 100_000}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(*, pace: float, places: int, callbacks: bool = False) -> AsyncIterator[tuple[int, Costs]]:
    """Run the server process; give its port and what asks for its costs."""
    port = _free_port()
    command = [sys.executable, str(Path(__file__).with_name("paced.py")), "--port", str(port), "--lead", str(LEAD)]
    command += ["--pace", str(pace), "--places", str(places), *(["--callbacks"] if callbacks else [])]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(timeout=30) as client:

            async def costs() -> dict[str, Any]:
                return dict((await client.get(f"{url}/costs")).json())

            await _until_ready(client, url, process)
            yield port, costs
    finally:
        process.terminate()
        assert process.stderr is not None
        error = await process.stderr.read()
        if await process.wait() != 0:
            print(error.decode())


Costs = Callable[[], Coroutine[Any, Any, dict[str, Any]]]


async def _until_ready(client: httpx.AsyncClient, url: str, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        try:
            if (await client.get(f"{url}/ready")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of the others is not above."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def row(label: str, value: str, target: str) -> None:
    """Print one figure beside what it should be."""
    print(f"{label:<66} {value:>16}   ({target})", flush=True)


async def loop_figures() -> None:
    """64 streams of each kind: processor time of single callbacks of the event loop."""
    async with (
        serving(pace=PIECE_SECONDS, places=LOOP_STREAMS, callbacks=True) as (port, costs),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client,
    ):
        await asyncio.gather(*(_listen(client, number, 5) for number in range(12)))  # codecs are loaded once
        await costs()
        await asyncio.gather(*(_listen(client, number, 100) for number in range(LOOP_STREAMS)))
        seen = (await costs())["callbacks"]
    label = f"{LOOP_STREAMS} streams of 10 s, six formats: 99.9 % of {seen['count']} callbacks"
    row(label, f"{seen['p999_ms']:.2f} ms", "<= 20 ms")
    row("the slowest of them", f"{seen['max_ms']:.2f} ms", "no target")


async def _listen(client: httpx.AsyncClient, number: int, pieces: int) -> None:
    formats = ("pcm", "mp3", "opus", "aac", "flac", "wav")
    body = {"model": "tts-1", "voice": "tone", "input": "a" * pieces, "response_format": formats[number % 6]} | SPLIT
    body["stream_format"] = ("audio", "sse")[number % 2]
    async with client.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            pass


async def overload_figures() -> None:
    """Open-loop Poisson arrivals, first at a quarter of what the server takes, then at four times that."""
    pieces, pace = 20, PIECE_SECONDS
    seconds = LEAD + (pieces - 1) * pace
    capacity = PLACES / seconds  # requests a second
    async with serving(pace=pace, places=PLACES) as (port, _):
        reader = Reader(port)
        await _arrive(reader, pieces, rate=capacity / 4, seconds=5)
        calm = await _arrive(reader, pieces, rate=capacity / 4, seconds=25)
        full = await _arrive(reader, pieces, rate=capacity * OVERLOAD, seconds=25)
    unloaded = [each.first for each in calm if each.status == 200]
    accepted = [each.first for each in full if each.status == 200]
    refused = [each.first for each in full if each.status == 429]
    odd = len(full) - len(accepted) - len(refused)
    size = pieces * round(PIECE_SECONDS * SAMPLE_RATE) * 2
    short = sum(each.size < size for each in full if each.status == 200)
    at_ease, loaded = percentile(unloaded, 0.95), percentile(accepted, 0.95)
    row(f"first audio unloaded, p95 of {len(unloaded)} requests", f"{1000 * at_ease:.1f} ms", "no target")
    row(
        f"first audio at {OVERLOAD}x overload, p95 of {len(accepted)} accepted",
        f"{1000 * loaded:.1f} ms = {loaded / at_ease:.2f}x",
        "<= 1.5x",
    )
    row(f"refusals, p95 of {len(refused)}", f"{1000 * percentile(refused, 0.95):.1f} ms", "<= 50 ms")
    row(
        "refusals, p99 and slowest", f"{1000 * percentile(refused, 0.99):.1f}, {1000 * max(refused):.1f} ms", "<= 50 ms"
    )
    row("other answers, answers cut short", f"{odd}, {short}", "0, 0")
    row("accepted of what the places can take", f"{100 * len(accepted) / (capacity * 25):.0f} %", "no target")


async def _arrive(reader: Reader, pieces: int, *, rate: float, seconds: float) -> list[Heard]:
    """Send requests at random times, ``rate`` a second, whether those before are answered or not."""
    chance = random.Random(1)
    tasks = []
    due = time.perf_counter()
    end = due + seconds
    while due < end:
        tasks.append(asyncio.create_task(reader.ask(pieces)))
        due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    return await asyncio.gather(*tasks)


async def disconnect_figures(requests: int) -> None:
    """Requests of which most are cut off at a random moment, 32 at a time; what is left behind."""
    async with serving(pace=0.005, places=64) as (port, costs):
        reader = Reader(port)
        await _cut_off(reader, requests // 10, seed=1)
        before = await _settled(costs)
        statuses = await _cut_off(reader, requests, seed=2)
        after = await _settled(costs)
    kinds = ", ".join(
        f"{statuses.count(kind)} {name}" for kind, name in ((0, "cut off"), (200, "whole"), (429, "refused"))
    )
    print(f"{requests} requests: {kinds}")
    for name in ("tasks", "files", "places", "lines"):
        row(f"{name} before and after", f"{before[name]}, {after[name]}", "equal")
    most = 1 + 4 + min(32, (os.cpu_count() or 1) + 4)  # the loop's, those of the synthesizer, those of asyncio
    row("threads before and after", f"{before['threads']}, {after['threads']}", f"pools fill up to {most} in all")
    growth = after["memory_mb"] / before["memory_mb"] - 1
    row("memory", f"{after['memory_mb']:.1f} MB, {100 * growth:+.1f} %", "within 5 %")


async def _cut_off(reader: Reader, requests: int, *, seed: int) -> list[int]:
    chance = random.Random(seed)
    plans = [
        (chance.randrange(1, 40), 0.3 * chance.random() if chance.random() < 0.8 else None, chance.random() < 0.2)
        for _ in range(requests)
    ]
    gate = asyncio.Semaphore(OVERHEAD_STREAMS)

    async def one(pieces: int, leave: float | None, whole: bool) -> int:
        async with gate:
            try:
                return (await reader.ask(pieces, leave_after=leave, whole=whole)).status
            except (OSError, asyncio.IncompleteReadError):
                return -1

    return list(await asyncio.gather(*(one(*plan) for plan in plans)))


async def _settled(costs: Costs) -> dict[str, Any]:
    """Return the costs once nothing is being spoken."""
    found = await costs()
    while found["places"] or found["lines"]:
        await asyncio.sleep(0.1)
        found = await costs()
    await asyncio.sleep(0.5)  # for connections that are being closed
    return await costs()


async def overhead_figures() -> None:
    """What the server adds to a request, and what 32 streams of pcm cost, beside the same work without it."""
    async with serving(pace=PIECE_SECONDS, places=LOOP_STREAMS) as (port, costs), _alone() as synthesizer:
        reader = Reader(port)
        alone, anew, kept, bare_http = [], [], [], []
        async with reader.kept() as ask_again, _bare_http() as bare_port:
            for _ in range(60):
                alone.append(await _speak(synthesizer, 1))
                anew.append((await reader.ask(1)).first)
                kept.append(await ask_again(1))
                bare_http.append((await Reader(bare_port).ask(1)).first)
        base = statistics.median(alone)
        for label, found, target in (
            ("the server adds to a request (first sound, median of 60)", kept, "< 3 ms"),
            ("the same on a new connection", anew, "no target"),
            ("of which HTTP alone (uvicorn, an application of ten lines)", bare_http, "no target"),
        ):
            row(label, f"{1000 * (statistics.median(found) - base):.2f} ms", target)
        before, began = (await costs())["cpu_seconds"], time.perf_counter()
        await asyncio.gather(*(reader.ask(200) for _ in range(OVERHEAD_STREAMS)))
        used, lasted = (await costs())["cpu_seconds"] - before, time.perf_counter() - began
        usage = time.process_time()
        await asyncio.gather(*(_speak(synthesizer, 200) for _ in range(OVERHEAD_STREAMS)))
        bare = time.process_time() - usage
    row(
        f"{OVERHEAD_STREAMS} streams of pcm in pieces of 100 ms, the process",
        f"{100 * used / lasted:.2f} % of a core",
        "",
    )
    row("the engine and its streams without a server", f"{100 * bare / lasted:.2f} % of a core", "")
    row("the server", f"{100 * (used - bare) / lasted:.2f} % of a core", "< 5 %")


@asynccontextmanager
async def _bare_http() -> AsyncIterator[int]:
    """Serve the same sound from an application that does nothing else, in a process of its own; give its port."""
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "--app-dir", str(Path(__file__).parent), "--port", str(port),
        "--log-level", "error", "paced:bare", stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while process.returncode is None:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _alone() -> AsyncGenerator[Synthesizer, None]:
    async with Synthesizer(
        PacedEngine(lead=LEAD, pace=PIECE_SECONDS), Settings(voice_dir="/nonexistent")
    ) as synthesizer:
        yield synthesizer


async def _speak(synthesizer: Synthesizer, pieces: int) -> float:
    """Speak without a server; return seconds to the first sound."""
    began, first = time.perf_counter(), 0.0
    limits = msgspec.convert(SPLIT, type(SpeechRequest("").limits))
    async for _ in synthesizer.speak(SpeechRequest("a" * pieces, limits=limits)):
        first = first or time.perf_counter() - began
    return first


async def main() -> None:
    """Run the parts that were asked for."""
    parts = {"loop": loop_figures, "overload": overload_figures, "overhead": overhead_figures}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(parts)}, disconnects; left out: all")
    parser.add_argument("--requests", type=int, default=10_000, help="requests of the part disconnects")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {load:.1f}", flush=True)
    for part in options.parts or [*parts, "disconnects"]:
        await (parts[part]() if part in parts else disconnect_figures(options.requests))


if __name__ == "__main__":
    asyncio.run(main())
