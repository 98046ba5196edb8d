"""From phones to sound in all its stages, against the golden vectors; and how lines share the diffusion thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engines.mega import golden
from engines.mega.golden import assert_golden, tolerance
from flashtts_core.audio.join import join
from flashtts_core.audio.loudness import loudness, matched
from flashtts_core.batching import Job
from flashtts_core.engines.mega.diffusing import Diffuser, Drawing, Sketch, ranked
from flashtts_core.engines.mega.model.diffusion import Step
from flashtts_core.engines.mega.model.flow import Guidance
from flashtts_core.engines.mega.model.loading import Networks
from flashtts_core.engines.mega.speaking import Drawn, sound
from flashtts_core.errors import EngineError
from flashtts_core.testing.conformance import run

KNOWN = torch.from_numpy(golden.tensor("ctx.vae_latent")[0].copy())
FRAMES = {"seg0": "first_notfinal", "seg1": "notfirst_final"}
SEEDS = {("seg0", 8): 11, ("seg0", 32): 12, ("seg1", 8): 12, ("seg1", 32): 13}


def sketch(segment: str = "seg0", steps: int = 8, *, seed: int | None = None, index: int = 0) -> Sketch:
    """Return the sketch of a golden segment."""
    phones, tones = (
        torch.tensor(golden.numbers(f"align.{kind}_ref") + golden.numbers(f"{segment}.{kind}_pred"))
        for kind in ("ph", "tone")
    )
    spoken = golden.numbers(f"{segment}.{FRAMES[segment]}.mel2ph_pred")
    count = golden.tensor("align.ph_ref").shape[1]
    frames = golden.numbers("align.mel2ph_ref") + [number + count for number in spoken]
    chance = torch.Generator().manual_seed(SEEDS[segment, steps] if seed is None else seed)
    return Sketch(
        phones, tones, torch.tensor(frames), KNOWN, steps, Guidance(1.6, 2.5), chance, request="golden", index=index
    )


@asynccontextmanager
async def diffusing(networks: Networks, max_batch: int = 1) -> AsyncIterator[Diffuser]:
    diffuser = Diffuser(networks.diffusion, max_batch=max_batch)
    try:
        yield diffuser
    finally:
        await diffuser.aclose()


def assert_drawn(segment: str, steps: int, latents: Tensor) -> None:
    """Compare behind the reference, which a drawing ends with as it was given and the vectors as it was drawn."""
    name = f"{segment}.dit{steps}.x_final"
    expected = golden.tensor(name)[0]
    assert latents.shape == expected.shape
    assert torch.equal(latents[: len(KNOWN)], KNOWN)
    drawn = latents[len(KNOWN) :].numpy()
    np.testing.assert_allclose(drawn, expected[len(KNOWN) :], rtol=0, atol=tolerance(name))


@pytest.mark.parametrize("steps", [8, 32])
@pytest.mark.parametrize("segment", FRAMES)
def test_a_latent_is_drawn_as_by_the_reference(networks: Networks, segment: str, steps: int) -> None:
    async def check() -> None:
        async with diffusing(networks) as diffuser:
            assert_drawn(segment, steps, await diffuser.draw(sketch(segment, steps)))

    run(check())


@pytest.mark.parametrize("max_batch", [2, 3, 8])
def test_latents_that_share_steps_are_those_of_the_reference(networks: Networks, max_batch: int) -> None:
    async def check() -> None:
        async with diffusing(networks, max_batch) as diffuser:
            asked = [(segment, steps) for segment in FRAMES for steps in (8, 32)]
            drawn = await asyncio.gather(*(diffuser.draw(sketch(*each)) for each in asked))
            for each, latents in zip(asked, drawn, strict=True):
                assert_drawn(*each, latents)

    run(check())


def test_the_final_audio_is_that_of_the_reference(networks: Networks) -> None:
    async def check() -> list[Tensor]:
        async with diffusing(networks, 2) as diffuser:
            return await asyncio.gather(*(diffuser.draw(sketch(segment, 32)) for segment in FRAMES))

    target = float(golden.tensor("ref.loudness_prompt")[0])
    lines = sound(networks.codec, [Drawn(latents, len(KNOWN), target) for latents in run(check())])
    for segment, samples in zip(FRAMES, lines, strict=True):
        assert_golden(f"{segment}.wav", samples)
        raw = golden.tensor(f"{segment}.wav_raw")
        assert_golden(f"{segment}.loudness_pred", np.array([loudness(raw, 24_000)]))
    audio = join(lines, 3840)
    assert_golden("final.audio", audio)
    assert_golden("final.pcm16", (audio * 32767).astype(np.int16))


def test_the_peak_limit_is_that_of_the_reference() -> None:
    assert_golden("loud.limit_case", matched(golden.tensor("seg0.wav"), 24_000, 0.0))


class Watched:
    """The diffusion network, which notes how many lines each step has; it fails for lines of ``fail_for`` steps."""

    def __init__(self, networks: Networks, *, fail_for: int | None = None) -> None:
        self.inner = networks.diffusion
        self.fail_for = fail_for
        self.counts: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __call__(self, steps: Sequence[Step]) -> list[Tensor]:
        self.counts.append(len(steps))
        if any(len(step.course.last) == self.fail_for for step in steps):
            raise MemoryError("too much")
        return list(self.inner(steps))


def watching(networks: Networks, *, max_batch: int, fail_for: int | None = None) -> tuple[Watched, Diffuser]:
    watched = Watched(networks, fail_for=fail_for)
    return watched, Diffuser(watched, max_batch=max_batch)  # type: ignore[arg-type]  # stands in for the network


def test_lines_join_and_leave_between_steps(networks: Networks) -> None:
    async def check() -> None:
        watched, diffuser = watching(networks, max_batch=4)
        asked = [sketch("seg0", 8), sketch("seg1", 8), sketch("seg0", 32)]
        await asyncio.gather(*(diffuser.draw(each) for each in asked))
        await diffuser.aclose()
        assert sum(watched.counts) == 48
        assert watched.counts[-20:] == [1] * 20, "the longest goes on alone"
        assert max(watched.counts) > 1

    run(check())


def test_a_line_that_fails_fails_alone(networks: Networks) -> None:
    async def check() -> None:
        _, diffuser = watching(networks, max_batch=4, fail_for=5)
        asked = [sketch("seg0", 8), sketch("seg1", 5, seed=1), sketch("seg1", 8)]
        good, bad, other = await asyncio.gather(*(diffuser.draw(each) for each in asked), return_exceptions=True)
        await diffuser.aclose()
        assert isinstance(bad, MemoryError)
        assert isinstance(good, Tensor)
        assert isinstance(other, Tensor)
        assert_drawn("seg0", 8, good)
        assert_drawn("seg1", 8, other)

    run(check())


def test_a_line_whose_step_cannot_be_taken_fails_alone(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Drawing.advance

    def advance(drawing: Drawing, velocities: Tensor) -> bool:
        if drawing.step.number == 2 and len(drawing.step.course.last) == 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return take(drawing, velocities)

    monkeypatch.setattr(Drawing, "advance", advance)

    async def check() -> None:
        async with diffusing(networks, 2) as diffuser:
            asked = [sketch("seg0", 8), sketch("seg1", 5, seed=1)]
            good, bad = await asyncio.gather(*(diffuser.draw(each) for each in asked), return_exceptions=True)
            assert isinstance(bad, torch.OutOfMemoryError)
            assert isinstance(good, Tensor)
            assert_drawn("seg0", 8, good)
            assert_drawn("seg1", 8, await diffuser.draw(sketch("seg1", 8)))

    run(check())


def test_a_line_nobody_waits_for_stops_within_a_step(networks: Networks) -> None:
    async def check() -> None:
        watched, diffuser = watching(networks, max_batch=1)
        task = asyncio.create_task(diffuser.draw(sketch("seg0", 200, seed=1)))
        while not watched.counts:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        seen = len(watched.counts)
        await diffuser.draw(sketch("seg1", 8))
        assert len(watched.counts) - 8 <= seen + 1
        await diffuser.aclose()

    run(check())


def test_closing_fails_what_waits_and_refuses_what_comes(networks: Networks) -> None:
    async def check() -> None:
        _, diffuser = watching(networks, max_batch=1)
        tasks = [asyncio.create_task(diffuser.draw(sketch("seg0", 200, seed=seed))) for seed in range(3)]
        await asyncio.sleep(0)
        await diffuser.aclose()
        for task in tasks:
            with pytest.raises(EngineError, match="closed"):
                await task
        await diffuser.aclose()
        with pytest.raises(EngineError, match="closed"):
            await diffuser.draw(sketch())

    run(check())


def test_of_one_request_the_earlier_line_comes_first() -> None:
    async def check() -> None:
        def job(request: str, index: int) -> Job[Sketch, Tensor]:
            empty = torch.zeros(0)
            return Job(Sketch(empty, empty, empty, empty, 1, Guidance(1, 1), torch.Generator(), request, index))

        came = [job("a", 2), job("b", 0), job("a", 0), job("c", 1), job("a", 1), job("c", 0)]
        order = [(each.item.request, each.item.index) for each in ranked(came)]
        assert order == [("a", 0), ("b", 0), ("a", 1), ("c", 0), ("a", 2), ("c", 1)]

    run(check())
