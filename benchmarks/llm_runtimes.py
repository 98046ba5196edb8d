"""Speed of a backend against a plain loop over its runtime's own API, on random weights of Spark's LLM shape.

Run ``python benchmarks/llm_runtimes.py vllm`` or ``... mlx-lm`` in an environment of that runtime (3.5 GB of memory,
some minutes). Both sides share one loaded model and take turns, with the same sampling and fresh prompts; tokens per
second count the reading of the prompts. The rows marked ``semantic ids`` restrict the answer to 8192 ids, as Spark
does; the runtime's side does that where its API can. On a CPU mlx-lm needs ``--layers 4 --prompt 8``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from flashtts_core.backends import Backend, BackendContext
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.testing.checkpoints import make_checkpoint
from flashtts_core.types import IdRanges, Sampling, TokenRequest

VOCAB = 166_000
SEMANTIC = (150_000, 158_192)
Side = Callable[[int, int, bool], Awaitable[None]]
"""Writes a number of tokens for each of a number of streams, restricted or not."""

_prompt_numbers = itertools.count()


def fresh_prompt(length: int) -> list[int]:
    """Return a prompt of random ids that was not asked before: a runtime may remember."""
    draw = random.Random(next(_prompt_numbers))
    return [draw.randrange(VOCAB) for _ in range(length)]


def own_side(backend: Backend, length: int) -> Side:
    """Return the way through our backend, inside the host's guard."""
    guarded = GuardedBackend(backend, max_length=1 << 20)

    async def stream(tokens: int, restricted: bool) -> None:
        prompt = tuple(fresh_prompt(length))
        allowed = (IdRanges((SEMANTIC,)),) if restricted else ()
        request = TokenRequest(f"{prompt[:8]}", prompt, frozenset(), Sampling(0.9, 50, 0.95, 1.0, tokens, 1), allowed)
        async with aclosing(guarded.generate(request)) as deltas:
            written = sum([len(delta) async for delta in deltas])
        assert written == tokens, written

    return together(stream)


def vllm_side(backend: Any, length: int) -> Side:
    """Return a plain loop over ``AsyncLLM.generate``."""
    from vllm import SamplingParams  # noqa: PLC0415  # one runtime an environment
    from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415

    engine = backend._engine

    async def stream(tokens: int, restricted: bool) -> None:
        params = SamplingParams(
            temperature=0.9,
            top_k=50,
            top_p=0.95,
            seed=1,
            max_tokens=tokens,
            ignore_eos=True,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            allowed_token_ids=list(range(*SEMANTIC)) if restricted else None,
        )
        prompt = fresh_prompt(length)
        written = 0
        async for output in engine.generate({"prompt_token_ids": prompt}, params, f"plain {prompt[:8]}"):
            written += len(output.outputs[0].token_ids)
        assert written == tokens, written

    return together(stream)


def mlx_side(backend: Any, length: int) -> Side:
    """Return a plain loop over ``BatchGenerator`` with mlx-lm's own samplers; they know no restriction."""
    from mlx_lm.generate import BatchGenerator  # noqa: PLC0415  # one runtime an environment
    from mlx_lm.sample_utils import make_sampler  # noqa: PLC0415

    network = backend._model._model.network

    def run(streams: int, tokens: int) -> None:
        batch = BatchGenerator(network, max_tokens=tokens)
        samplers = [make_sampler(temp=0.9, top_k=50, top_p=0.95) for _ in range(streams)]
        batch.insert([fresh_prompt(length) for _ in range(streams)], samplers=samplers)
        written = 0
        while answers := batch.next_generated():
            written += len(answers)
        assert written == streams * tokens, written
        batch.close()

    async def side(streams: int, tokens: int, restricted: bool) -> None:
        await asyncio.to_thread(run, streams, tokens)

    return side


PLAIN = {"mlx-lm": mlx_side, "vllm": vllm_side}


def together(stream: Callable[[int, bool], Awaitable[None]]) -> Side:
    """Return a side that runs several of a stream at once."""

    async def side(streams: int, tokens: int, restricted: bool) -> None:
        await asyncio.gather(*(stream(tokens, restricted) for _ in range(streams)))

    return side


async def compare(sides: dict[str, Side], tokens: int, rounds: int, most: int) -> None:
    """Print tokens per second of both sides, and the median over the rounds of ours by theirs."""
    for side in sides.values():
        await side(2, 4, False)  # the first run loads kernels and pages
        await side(2, 4, True)
    print(f"{'streams':22}{'runtime tokens/s':>18}{'backend tokens/s':>18}{'backend / runtime':>19}")
    for streams, restricted in ((1, False), (8, False), (8, True)):
        if streams > most:
            continue
        found: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(rounds):
            order = list(sides.items())
            for name, side in order[:: 1 if number % 2 else -1]:
                start = time.perf_counter()
                await side(streams, tokens, restricted)
                found[name].append(streams * tokens / (time.perf_counter() - start))
        ratio = statistics.median(ours / theirs for theirs, ours in zip(*found.values(), strict=True))
        label = f"{streams}{', semantic ids' if restricted else ''}"
        theirs, ours = (statistics.median(speeds) for speeds in found.values())
        print(f"{label:22}{theirs:18.1f}{ours:18.1f}{ratio:18.3f}x", flush=True)


async def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Open the backend on the folder and compare it with its runtime."""
    spec = Plugins.discover().backend(arguments.backend)
    settings = Settings(llm_device=arguments.device, max_length=1024, llm_batch_size=8)
    backend = await spec.open(BackendContext(folder, settings, spec.own() if spec.own else None))
    try:
        length = arguments.prompt
        sides = {"runtime": PLAIN[spec.name](backend, length), "backend": own_side(backend, length)}
        await compare(sides, arguments.tokens, arguments.rounds, arguments.streams)
    finally:
        await backend.aclose()


def main() -> None:
    """Make the model, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", choices=PLAIN)
    parser.add_argument("--device", default="auto", help="as --llm_device")
    parser.add_argument("--layers", type=int, default=24, help="24 is the full size")
    parser.add_argument("--prompt", type=int, default=64, help="tokens of each prompt")
    parser.add_argument("--tokens", type=int, default=24, help="tokens to write for each prompt")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of both sides")
    parser.add_argument("--streams", type=int, default=8, help="leave out the rows with more streams than this")
    parser.add_argument("--folder", type=Path, help="where the model is, or is to be kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        if not (folder / "config.json").exists():
            make_checkpoint(
                folder,
                "qwen2",
                vocab_size=VOCAB,
                hidden_size=896,
                intermediate_size=4864,
                num_hidden_layers=arguments.layers,
                num_attention_heads=14,
                num_key_value_heads=2,
                max_position_embeddings=32_768,
                initializer_range=0.02,
            )
        print(
            f"{arguments.backend}: Qwen2, {arguments.layers} layers, prompts of {arguments.prompt} tokens", flush=True
        )
        asyncio.run(measure(folder, arguments))


if __name__ == "__main__":
    main()
