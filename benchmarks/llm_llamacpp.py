"""Speed of the llama.cpp backend against a plain loop over llama.cpp's own API, on random weights of Spark's LLM shape.

Run ``python benchmarks/llm_llamacpp.py`` (3.5 GB of memory and 3 GB of disk, some minutes; needs torch and transformers
to make the model). ``--folder`` keeps the GGUF files there for the next run. Both sides run in one process and take
turns, on the same threads, with the same sampling and a float16 cache; tokens per second count the reading of the
prompt. The rows marked ``semantic ids`` restrict the answer to 8192 ids, as Spark does. The event loop's longest step
is its own CPU time, so other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import llama_cpp

from flashtts_backend_llamacpp import LlamaCppSettings, flashtts_backends
from flashtts_backend_llamacpp.convert import convert_model
from flashtts_backend_llamacpp.formats import FORMATS, NumberFormat
from flashtts_core.backends import Backend, BackendContext
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.processors import processors
from flashtts_core.settings import Settings
from flashtts_core.types import IdRanges, Sampling, TokenRequest

PROMPT = 64
VOCAB = 166_000
SEMANTIC = (IdRanges(((150_000, 158_192),)),)
STREAMS = 8

_prompt_numbers = itertools.count()


class WatchedLoop(asyncio.SelectorEventLoop):
    """An event loop that remembers the CPU time of its longest step, in seconds."""

    longest = 0.0

    def _run_once(self) -> None:
        began = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # not in the typed part of asyncio
        self.longest = max(self.longest, time.thread_time() - began)


def fresh_prompt() -> list[int]:
    """Return a prompt of random ids."""
    draw = random.Random(next(_prompt_numbers))
    return [draw.randrange(VOCAB) for _ in range(PROMPT)]


class PlainLoop:
    """One sequence on llama.cpp, as its examples show it: decode, sample, decode."""

    def __init__(self, path: Path, threads: int) -> None:
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        wanted = llama_cpp.llama_context_default_params()
        wanted.n_ctx, wanted.n_batch = 512, 128
        wanted.n_threads = wanted.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, wanted)
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for part in (
            llama_cpp.llama_sampler_init_top_k(50),
            llama_cpp.llama_sampler_init_top_p(0.95, 1),
            llama_cpp.llama_sampler_init_temp(0.9),
            llama_cpp.llama_sampler_init_dist(1),
        ):
            llama_cpp.llama_sampler_chain_add(self._chain, part)

    def run(self, tokens: int) -> None:
        """Write ``tokens`` ids."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        ids = fresh_prompt()
        for _ in range(tokens):
            memory = (ctypes.c_int32 * len(ids))(*ids)  # the batch points to it
            assert llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(memory, len(ids))) == 0
            ids = [llama_cpp.llama_sampler_sample(self._chain, self._context, -1)]

    def close(self) -> None:
        """Free everything."""
        llama_cpp.llama_sampler_free(self._chain)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)


async def ask(backend: GuardedBackend, streams: int, tokens: int, allowed: tuple[IdRanges, ...] = ()) -> None:
    """Let the backend write ``tokens`` ids for each of a number of streams."""

    async def one() -> None:
        prompt = tuple(fresh_prompt())
        request = TokenRequest(f"{prompt[:8]}", prompt, frozenset(), Sampling(0.9, 50, 0.95, 1.0, tokens, 1), allowed)
        async with aclosing(backend.generate(request)) as deltas:
            assert sum([len(delta) async for delta in deltas]) == tokens

    await asyncio.gather(*(one() for _ in range(streams)))


def compare(loop: WatchedLoop, plain: PlainLoop, backend: Backend, *, tokens: int, rounds: int) -> None:
    """Print the medians over the rounds, and their ratios to the plain loop's."""
    guarded = GuardedBackend(backend, max_length=1 << 20)

    def through(streams: int, allowed: tuple[IdRanges, ...] = ()) -> Callable[[], None]:
        return lambda: loop.run_until_complete(ask(guarded, streams, tokens, allowed))

    runs: dict[str, tuple[int, Callable[[], None]]] = {
        "plain loop, 1 stream": (1, lambda: plain.run(tokens)),
        "backend, 1 stream": (1, through(1)),
        "backend, 1 stream, semantic ids": (1, through(1, SEMANTIC)),
        f"backend, {STREAMS} streams": (STREAMS, through(STREAMS)),
        f"backend, {STREAMS} streams, semantic ids": (STREAMS, through(STREAMS, SEMANTIC)),
    }
    plain.run(4)
    loop.run_until_complete(ask(guarded, 2, 4))
    loop.longest = 0.0
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds):
        order = list(runs.items())
        for name, (streams, run) in order[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            run()
            found[name].append(streams * tokens / (time.perf_counter() - began))
    (base, *_) = found.values()
    for name, speeds in found.items():
        ratio = statistics.median(own / theirs for own, theirs in zip(speeds, base, strict=True))
        print(f"{name:36}{statistics.median(speeds):8.1f} tokens/s{ratio:8.2f}x", flush=True)
    print(f"longest step of the event loop: {loop.longest * 1000:.2f} ms of CPU time")


def make_gguf(folder: Path, number_format: NumberFormat, layers: int) -> Path:
    """Return the GGUF file of a random Qwen2 of 0.5 B parameters (with 24 layers), made if it is not there."""
    path = folder / f"random-{layers}-{number_format}.gguf"
    if not path.is_file():
        from flashtts_core.testing.checkpoints import make_checkpoint  # noqa: PLC0415  # brings torch, for this alone

        with tempfile.TemporaryDirectory(dir=folder) as official:
            shape = {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": layers}
            heads = {"num_attention_heads": 14, "num_key_value_heads": 2, "initializer_range": 0.02}
            made = make_checkpoint(Path(official), "qwen2", vocab_size=VOCAB, **shape, **heads)
            convert_model(made, path, number_format)
    return path


def main() -> None:
    """Make the model, open both sides, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--type", choices=FORMATS, default="q8_0")
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=64, help="ids written for each prompt")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=processors())
    parser.add_argument("--folder", type=Path, help="where the GGUF files are kept; left out: nowhere")
    parser.add_argument("--make", action="store_true", help="only make the file")
    arguments = parser.parse_args()
    (spec,) = flashtts_backends()
    with tempfile.TemporaryDirectory() as temporary:
        path = make_gguf(arguments.folder or Path(temporary), arguments.type, arguments.layers)
        if arguments.make:
            return
        loop = WatchedLoop()
        settings = Settings(llm_device="cpu", max_length=1024, llm_batch_size=STREAMS)
        own = LlamaCppSettings(gguf=str(path), threads=arguments.threads)
        backend = loop.run_until_complete(spec.open(BackendContext(path.parent, settings, own)))
        plain = PlainLoop(path, arguments.threads)  # after the backend, which keeps llama.cpp's messages away
        print(f"{path.name}: {arguments.threads} threads, {PROMPT} prompt ids, {arguments.tokens} written", flush=True)
        try:
            compare(loop, plain, backend, tokens=arguments.tokens, rounds=arguments.rounds)
        finally:
            plain.close()
            loop.run_until_complete(backend.aclose())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()


if __name__ == "__main__":
    main()
