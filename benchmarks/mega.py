"""Speed of MegaTTS 3's networks between phones and sound, on random weights of the official size.

Run ``python benchmarks/mega.py`` (3 GB of memory, two minutes on two cores; needs torch). All sides of a comparison
take turns in one process, round by round, and the best round of each counts. A step of diffusion is measured at a
reference of ``--reference`` and a line of ``--line`` seconds, beside the machine's own matrix product; its work is
counted from the shapes (linear layers and attention, nothing else). The network has 24 layers, all alike; ``--layers``
fewer make rounds short, so that both sides meet the machine in the same state. With ``--threads 1`` processor time is
taken and not the time on the wall, which others on the machine do not distort. What stays the same over the steps of a
line is measured apart, since it is made once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

import msgspec
import torch
from torch import nn

from flashtts_core.engines.mega.codec.wavvae import HOP, SAMPLE_RATE, Piece, WavVaeDecoder, WavVaeSizes
from flashtts_core.engines.mega.model.diffusion import ROWS, DiffusionNetwork, DiffusionSizes, Lane, Step
from flashtts_core.engines.mega.model.duration import DurationNetwork, DurationSizes
from flashtts_core.engines.mega.model.flow import schedule
from flashtts_core.engines.mega.model.text_encoder import TextEncoderSizes

OFFICIAL = DiffusionSizes(
    text=TextEncoderSizes(ids=302, dim=1024, heads=4, layers=6, hidden=2048, kernel=3),
    tones=32,
    latent=32,
    mark=16,
    local=512,
    dim=1024,
    hidden=2048,
    layers=24,
)
DURATION = DurationSizes(
    text=TextEncoderSizes(ids=174, dim=512, heads=2, layers=4, hidden=1024, kernel=3),
    tones=19,
    dim=768,
    layers=4,
    codes=500,
    norm_first=True,
    bias=True,
)
CODEC = WavVaeSizes(latent=32, inner=160, widest=2048)
STEPS = 32
LATENTS_PER_SECOND = SAMPLE_RATE // HOP
PHONES_PER_SECOND = 10


def made(make: Callable[[], nn.Module]) -> nn.Module:
    """Return a network whose weights are small random numbers."""
    with torch.device("meta"):
        network = make()
    network = network.to_empty(device="cpu").requires_grad_(False).eval()
    for tensor in network.state_dict().values():
        tensor.normal_(0, 0.02)
    return network


def turns(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the best time of each side in seconds; the sides take turns."""
    best = dict.fromkeys(sides, float("inf"))
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    for number in range(rounds + 1):
        for name, work in sides.items():
            start = clock()
            work()
            if number:  # the first round warms up
                best[name] = min(best[name], clock() - start)
    return best


class Line:
    """A line to draw: ``known`` latents of a reference, ``length`` latents with it."""

    def __init__(self, network: DiffusionNetwork, known: int, length: int) -> None:
        self.network = network
        phones = length * PHONES_PER_SECOND // LATENTS_PER_SECOND
        self.phones = torch.randint(3, 174, (phones,))
        self.tones = torch.full_like(self.phones, 3)
        self.frames = torch.arange(4 * length) * phones // (4 * length) + 1
        self.reference = torch.randn(known, 32)
        self.noise = torch.randn(length, 32)
        self.length = length

    def prepare(self) -> Lane:
        """Make what stays the same over the steps."""
        text = self.network.text(self.phones, self.tones, self.frames)
        return self.network.lane(text, self.network.local(self.reference, self.length), len(self.reference))


def work_of(sizes: DiffusionSizes, length: int) -> float:
    """Return the floating-point operations of one step for a line of ``length`` latents, all three rows."""
    dim, positions = sizes.dim, ROWS * length
    weights = sizes.layers * (4 * dim**2 + 2 * dim * sizes.hidden) + dim**2 + sizes.latent * dim
    attention = sizes.layers * 2 * dim * length
    return 2.0 * positions * (weights + attention) + 2.0 * length * sizes.latent * dim


def diffusion(sizes: DiffusionSizes, known: int, length: int, rounds: int) -> None:
    """Measure steps beside the ceiling, and what is done once."""
    network = made(lambda: DiffusionNetwork(sizes))
    assert isinstance(network, DiffusionNetwork)
    times = torch.tensor(schedule(STEPS)[:-1])
    line, half = Line(network, known, length), Line(network, known // 2, length // 2)
    lane, other = line.prepare(), half.prepare()
    course = network.course(times)
    step, short = Step(lane, line.noise, course, 3), Step(other, half.noise, course, 9)
    square = torch.randn(2048, 2048)
    took = turns(
        {
            "product": lambda: square @ square,
            "step": lambda: network([step]),
            "two lines, one pass": lambda: network([step, short]),
            "the shorter alone": lambda: network([short]),
        },
        rounds,
    )
    once = turns({"line": line.prepare, "schedule": lambda: network.course(times)}, 2)
    ceiling = 2.0 * 2048**3 / took["product"]
    reached = work_of(sizes, length) / took["step"]
    print(f"matrix product 2048 x 2048:   {ceiling / 1e9:8.1f} GFLOP/s")
    print(
        f"step, {length} latents, 3 rows:   {reached / 1e9:8.1f} GFLOP/s, {reached / ceiling:.2f} of it "
        f"({work_of(sizes, length) / 1e9:.0f} GFLOP in {took['step']:.2f} s)"
    )
    alone = took["step"] + took["the shorter alone"]
    print(f"two lines apart, not in one:  {alone / took['two lines, one pass']:8.2f} times as long")
    told = ", ".join(f"{name} {once[name] / took['step']:.2f}" for name in once)
    print(f"made once, in steps:          {told} (schedule: once for all lines)")


def duration(seconds: int) -> None:
    """Measure the duration network: reading a reference once, and each phone of a line."""
    network = made(lambda: DurationNetwork(DURATION))
    assert isinstance(network, DurationNetwork)
    known, spoken = (torch.randint(3, 174, (1, count * PHONES_PER_SECOND)) for count in (seconds, 2))
    tones = torch.full_like(known, 3)
    primed = network.prime(known, tones, torch.full_like(known, 9))
    took = turns(
        {
            "reference": lambda: network.prime(known, tones, torch.full_like(known, 9)),
            "line": lambda: network.predict(primed, spoken, tones[:, : spoken.shape[1]]),
        },
        3,
    )
    print(f"durations, a phone:           {took['line'] / spoken.shape[1] * 1e3:8.2f} ms")
    print(
        f"durations, the reference:     {took['reference'] * 1e3:8.2f} ms, once for a speaker ({known.shape[1]} phones)"
    )


def codec() -> None:
    """Measure decoding a fifth of a second behind a second of reference: with all of it, and with what can be heard."""
    network = made(lambda: WavVaeDecoder(CODEC))
    assert isinstance(network, WavVaeDecoder)
    known = LATENTS_PER_SECOND
    latents = torch.randn(known + LATENTS_PER_SECOND // 5, 32)
    took = turns(
        {
            "cut": lambda: network.decode([Piece(latents, known)]),
            "whole": lambda: network.decode([Piece(latents, 0)]),
        },
        1,
    )
    print(f"codec, with the reference:    {took['whole'] / took['cut']:8.2f} times as long as behind it")


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reference", type=int, default=8, help="seconds of the reference")
    parser.add_argument("--line", type=int, default=5, help="seconds of the line")
    parser.add_argument("--layers", type=int, default=6, help="layers of the diffusion network; the official has 24")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--rounds", type=int, default=6, help="rounds that count")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    known = chosen.reference * LATENTS_PER_SECOND
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, float32, {chosen.layers} of 24 layers",
        flush=True,
    )
    with torch.inference_mode():
        sizes = msgspec.structs.replace(OFFICIAL, layers=chosen.layers)
        diffusion(sizes, known, known + chosen.line * LATENTS_PER_SECOND, chosen.rounds)
        duration(chosen.reference)
        codec()


if __name__ == "__main__":
    main()
