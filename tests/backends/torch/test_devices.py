"""Where the networks of engines compute: the device that is chosen, how precisely, and who waits for whom."""

from __future__ import annotations

import platform
import threading
import time

import pytest
import torch

from flashtts_core.nn.devices import choose_device, keep_single_precision
from flashtts_core.nn.turns import Turnstile, in_turn

MPS, CPU = torch.device("mps"), torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "release", "expected"),
    [
        (0, False, "", "cpu"),
        (1, False, "", "cuda"),
        (0, True, "15.1", "mps"),
        (0, True, "26.5.2", "mps"),
        (0, True, "15.0.1", "cpu"),
        (0, True, "14.7", "cpu"),
    ],
)
def test_auto_takes_the_best_device_that_can_do_it(
    monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, release: str, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(platform, "mac_ver", lambda: (release, ("", "", ""), "arm64"))
    assert choose_device("detokenizer_device", "auto").type == expected
    assert not mps or choose_device("detokenizer_device", "mps") == MPS


def test_convolutions_on_nvidia_cards_keep_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    keep_single_precision([CPU, MPS])
    assert torch.backends.cudnn.allow_tf32
    keep_single_precision([CPU, torch.device("cuda:1")])
    assert not torch.backends.cudnn.allow_tf32


def most_at_once(device: torch.device, patience: float) -> int:
    """Compute in two threads, each of which waits some seconds for the other; return how many were ever at it."""
    met = threading.Barrier(2)
    together = 1

    def compute(item: int) -> int:
        nonlocal together
        try:
            met.wait(patience)
        except threading.BrokenBarrierError:
            return item
        together = 2
        return item

    threads = [threading.Thread(target=in_turn(device, compute), args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return together


def test_threads_take_turns_on_an_apple_gpu_and_nowhere_else() -> None:
    assert most_at_once(MPS, 0.2) == 1
    assert most_at_once(CPU, 30) == 2


def test_who_comes_back_at_once_waits_behind_those_who_waited() -> None:
    turnstile, order = Turnstile(), list[str]()

    def codec(name: str) -> None:
        with turnstile:
            order.append(name)

    threads = [threading.Thread(target=codec, args=(name,)) for name in "ab"]
    with turnstile:
        for number, thread in enumerate(threads, 1):
            thread.start()
            while turnstile.waiting < number:
                time.sleep(0)
    with turnstile:
        order.append("model")
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "model"]
    with turnstile:
        assert turnstile.waiting == 0
