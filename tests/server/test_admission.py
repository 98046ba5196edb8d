"""Who may speak and who is sent away: places, queue, how long to wait, long and short requests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashtts_core.testing import ToneSettings
from flashtts_server.admission import LONG_TEXT, Admission, AdmissionLimits, Demand, Place, Refused
from flashtts_server.settings import ServerSettings
from flashtts_server.testing import LiveServer

SHORT = Demand(100)
LONG = Demand(LONG_TEXT + 1)
LISTENER = Demand(100, listening=True)

Start = Callable[..., LiveServer]
Eventually = Callable[[LiveServer, Callable[[], bool]], None]


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def limits(places: int, *, queue: int = 64, wait: float = 1e6, stream_wait: float = 0.0) -> AdmissionLimits:
    return AdmissionLimits(places, queue, wait, stream_wait)


async def waiting(admission: Admission, *demands: Demand) -> list[asyncio.Task[Place]]:
    """Let requests queue up in this order."""
    tasks = []
    for demand in demands:
        tasks.append(asyncio.create_task(admission.enter(demand)))
        await asyncio.sleep(0)
    return tasks


async def served(tasks: list[asyncio.Task[Place]]) -> list[int]:
    """Return which of them have a place."""
    for _ in range(3):
        await asyncio.sleep(0)
    return [number for number, task in enumerate(tasks) if task.done()]


def run(check: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(check(), 60))


def test_places_are_handed_on_and_given_back_once() -> None:
    async def check() -> None:
        admission = Admission(limits(1, queue=2))
        first = await admission.enter(SHORT)
        second, third = await waiting(admission, SHORT, SHORT)
        with pytest.raises(Refused) as refusal:
            await admission.enter(SHORT)
        assert (refusal.value.reason, refusal.value.retry_after >= 1) == ("queue_full", True)
        second.cancel()
        await asyncio.wait([second])
        assert admission.queued == 1
        first.release()
        first.release()  # harmless
        place = await third
        assert (admission.running, admission.queued) == (1, 0)
        place.release()
        assert admission.running == 0

    run(check)


def test_a_place_that_comes_too_late_is_not_lost() -> None:
    async def check() -> None:
        admission = Admission(limits(1))
        first = await admission.enter(SHORT)
        (task,) = await waiting(admission, SHORT)
        first.release()  # the place goes to the one that waits ...
        task.cancel()  # ... who is gone before it can take it
        await asyncio.wait([task])
        assert admission.running == 0

    run(check)


def test_who_would_wait_too_long_is_refused_at_once_and_told_for_how_long() -> None:
    async def check() -> None:
        clock = Clock()
        admission = Admission(limits(2, wait=5.0), clock)
        for _ in range(60):  # the server learns that 100 characters take 3 s
            place = await admission.enter(SHORT)
            clock.now += 3.0
            place.release(complete=True)
        held = [await admission.enter(SHORT) for _ in range(2)]
        assert admission.expected_wait(SHORT) == pytest.approx(3.0, rel=0.01)
        tasks = await waiting(admission, SHORT, SHORT)  # 3 s
        with pytest.raises(Refused) as refusal:
            await admission.enter(SHORT)  # 6 s
        assert (refusal.value.reason, refusal.value.retry_after) == ("long_wait", 6)
        clock.now += 2.0  # 4 s
        tasks += await waiting(admission, SHORT)
        assert (await served(tasks), admission.queued) == ([], 3)
        held[0].release(complete=True)
        assert await served(tasks) == [0]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    run(check)


def test_what_was_expected_wrongly_ends_the_wait_in_a_refusal() -> None:
    async def check() -> None:
        admission = Admission(limits(1, wait=0.05))
        place = await admission.enter(Demand(0))  # nothing, one should think
        with pytest.raises(Refused) as refusal:
            await admission.enter(SHORT)
        assert refusal.value.reason == "waited"
        assert admission.queued == 0
        place.release()
        assert admission.running == 0

    run(check)


def test_listeners_wait_for_a_part_of_what_the_first_sound_takes() -> None:
    async def check() -> None:
        admission = Admission(limits(1))
        for _ in range(60):
            admission.heard(0.4)
        assert admission.longest_wait(listening=True) == pytest.approx(0.2, rel=0.2)
        for _ in range(60):
            admission.heard(0.1)
        for _ in range(5):
            admission.heard(5.0)  # a loaded server does not raise what is usual so soon
        assert admission.longest_wait(listening=True) < 0.3
        assert admission.longest_wait(listening=False) == 1e6
        place = await admission.enter(LISTENER)  # 2 s by the first guess
        with pytest.raises(Refused):
            await admission.enter(LISTENER)
        (patient,) = await waiting(admission, SHORT)
        place.release()
        (await patient).release()
        assert Admission(limits(1, stream_wait=3.0)).longest_wait(listening=True) == 3.0

    run(check)


def test_long_requests_leave_places_to_short_ones() -> None:
    async def check() -> None:
        admission = Admission(limits(4))
        for _ in range(3):
            await admission.enter(LONG)
        tasks = await waiting(admission, LONG, SHORT)
        assert await served(tasks) == [1]
        assert admission.queued == 1
        tasks[0].cancel()
        await asyncio.wait(tasks)

    run(check)


def test_a_short_request_overtakes_a_long_one_that_came_just_before_but_not_one_that_waits_long() -> None:
    async def check() -> None:
        clock = Clock()
        admission = Admission(limits(1), clock)  # by the first guess a LONG takes 20 s, a SHORT 2 s
        place = await admission.enter(SHORT)
        tasks = await waiting(admission, LONG)
        clock.now = 10.0
        tasks += await waiting(admission, SHORT)  # due at 12: before the long one
        clock.now = 19.0
        tasks += await waiting(admission, SHORT)  # due at 21: after it
        order = []
        for _ in range(3):
            place.release()
            (now_served,) = [number for number in await served(tasks) if number not in order]
            order.append(now_served)
            place = tasks[now_served].result()
        assert order == [1, 0, 2]

    run(check)


@given(
    places=st.integers(1, 6),
    steps=st.lists(st.tuples(st.sampled_from(["enter", "leave", "cancel"]), st.integers(0, 3000)), max_size=60),
)
def test_no_place_is_ever_lost_or_given_twice(places: int, steps: list[tuple[str, int]]) -> None:
    async def check() -> None:
        admission = Admission(limits(places, queue=10))
        tasks: list[asyncio.Task[Place]] = []
        for step, number in steps:
            held = [task for task in tasks if task.done() and not task.cancelled() and task.exception() is None]
            if step == "enter":
                tasks.append(asyncio.create_task(admission.enter(Demand(number))))
            elif step == "leave" and held:
                held[number % len(held)].result().release(complete=True)
            elif step == "cancel" and tasks:
                tasks[number % len(tasks)].cancel()
            for _ in range(number % 3):
                await asyncio.sleep(0)
            assert admission.running <= places
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
        for task in tasks:
            if not task.cancelled() and task.exception() is None:
                task.result().release()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (admission.running, admission.queued) == (0, 0)

    run(check)


ENDLESS = {"text": "word " * 3000, "stream": True, "response_format": "pcm"}
SPEAK = {"text": "one", "response_format": "pcm"}


def test_a_full_server_refuses_before_it_reads_the_body(start: Start) -> None:
    server = start(ToneSettings(real_time_factor=0.5), ServerSettings(max_concurrency=1, max_queue=0))
    head = b"POST /speak HTTP/1.1\r\nHost: here\r\nContent-Length: 10000000\r\n\r\n{"
    with httpx.Client() as client, client.stream("POST", f"{server.url}/speak", json=ENDLESS):
        with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=30) as connection:
            connection.sendall(head)
            answer = b"".join(iter(lambda: connection.recv(4096), b""))  # and the server closes it
        assert answer.startswith(b"HTTP/1.1 429")
        assert httpx.post(f"{server.url}/speak", json={**SPEAK, "name": 5}).status_code == 429
        assert httpx.post(f"{server.url}/v1/audio/speech", json={}).status_code == 429


def test_nothing_is_fetched_for_a_request_that_will_be_refused(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []
    server = start(ToneSettings(real_time_factor=0.5), ServerSettings(max_concurrency=1))

    async def fetch(*given: object) -> bytes:
        fetched.append(given)
        return b""

    monkeypatch.setattr(server.service.media, "_fetch", fetch)
    with httpx.Client() as client, client.stream("POST", f"{server.url}/speak", json=ENDLESS):
        body = {"text": "one", "reference_audio": "http://example.com/a.wav", "stream": "true"}
        answer = httpx.post(f"{server.url}/clone_voice", data=body)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) == 60
    assert fetched == []


def test_a_listener_is_refused_at_once_where_a_whole_answer_waits(start: Start, eventually: Eventually) -> None:
    settings = ServerSettings(max_concurrency=1, max_queue_wait=1000)
    server = start(ToneSettings(real_time_factor=0.5), settings)
    with ThreadPoolExecutor(1) as pool, httpx.Client() as client:
        with client.stream("POST", f"{server.url}/speak", json=ENDLESS) as answer:
            sound = answer.iter_raw()  # kept: an iterator that is dropped closes the answer
            next(sound)
            whole = pool.submit(httpx.post, f"{server.url}/speak", json=SPEAK, timeout=30)
            eventually(server, lambda: server.service.admission.queued == 1)
            refused = httpx.post(f"{server.url}/speak", json={**SPEAK, "stream": True})
            assert refused.status_code == 429
            metrics = httpx.get(f"{server.url}/metrics").text
            assert 'reason="long_wait"} 1.0' in metrics
        assert whole.result().status_code == 200
