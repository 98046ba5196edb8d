"""Speed and memory of the torch backend against transformers' ``generate``, on random weights of real layer shapes.

Run ``python benchmarks/llm_torch.py`` for Spark's LLM (4.5 GB of memory, some minutes; needs torch and transformers),
``... --shape orpheus --layers 4`` for a cut of Orpheus' (8 GB). Both sides run in one process, one after the other,
with the same sampling; tokens per second count the reading of the prompt. The rows marked ``audio ids`` restrict the
answer as the engine does: Spark to 8192 ids, Orpheus to 4096 others at each of seven turns. Memory is the peak of
anonymous pages of a fresh process that loads the model and writes a few tokens, above those of a process that only
imports torch.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import torch

from flashtts_core.backends.torch.model import load_model
from flashtts_core.settings import Settings
from flashtts_core.types import IdRanges, Sampling, TokenRequest

PROMPT = 64
ALONE = "transformers generate, 1 prompt"


class Shape(msgspec.Struct, frozen=True):
    """The language model of an engine: what it is, its configuration, and the ids it may write."""

    kind: str
    layers: int
    vocab_size: int
    allowed: tuple[IdRanges, ...]
    config: dict[str, Any]


SHAPES = {
    "spark": Shape(
        "Qwen2",
        24,
        166_000,
        (IdRanges(((150_000, 158_192),)),),
        {
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32_768,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        },
    ),
    "orpheus": Shape(
        "Llama",
        28,
        156_940,
        tuple(IdRanges(((first, first + 4096),)) for first in range(128_266, 128_266 + 7 * 4096, 4096)),
        {
            "hidden_size": 3072,
            "intermediate_size": 8192,
            "num_attention_heads": 24,
            "num_key_value_heads": 8,
            "max_position_embeddings": 131_072,
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 500_000.0,
                "factor": 32.0,
                "high_freq_factor": 4.0,
                "low_freq_factor": 1.0,
                "original_max_position_embeddings": 8192,
            },
        },
    ),
}


def make_model(folder: Path, shape: Shape, layers: int) -> None:
    """Write a model with random weights and the embeddings as its head, as both have it."""
    import transformers  # noqa: PLC0415  # its memory is not the backend's

    config = getattr(transformers, f"{shape.kind}Config")(
        vocab_size=shape.vocab_size, num_hidden_layers=layers, tie_word_embeddings=True, **shape.config
    )
    torch.manual_seed(0)
    getattr(transformers, f"{shape.kind}ForCausalLM")(config).save_pretrained(folder)


def prompts(shape: Shape, count: int) -> list[tuple[int, ...]]:
    """Return prompts of random ids."""
    draw = torch.Generator().manual_seed(1)
    return [tuple(torch.randint(0, shape.vocab_size, (PROMPT,), generator=draw).tolist()) for _ in range(count)]


def rates(runs: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    """Return tokens per second of each run: the best of ``rounds``, taken in turn so that all meet the same weather."""
    best = dict.fromkeys(runs, 0.0)
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            best[name] = max(best[name], run() / (time.perf_counter() - start))
    return best


def transformers_side(folder: Path, shape: Shape, tokens: int) -> Callable[[int], int]:
    """Return a function that writes ``tokens`` ids for each of a number of prompts and counts them."""
    from transformers import AutoModelForCausalLM  # noqa: PLC0415  # its memory is not the backend's

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def run(streams: int) -> int:
        ids = torch.tensor(prompts(shape, streams))
        written = model.generate(  # type: ignore[misc]  # transformers is half typed
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=0.9,
            top_k=50,
            top_p=0.95,
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            pad_token_id=0,
        )
        return int(written[:, PROMPT:].numel())

    return run


def own_side(folder: Path, shape: Shape, tokens: int) -> Callable[[int, bool], int]:
    """Return the same for the torch backend; the flag restricts the answer to the audio ids."""
    model = load_model(folder, Settings(llm_device="cpu"))

    def run(streams: int, restricted: bool) -> int:
        allowed = shape.allowed if restricted else ()
        left = {}
        for number, prompt in enumerate(prompts(shape, streams)):
            sampling = Sampling(0.9, 50, 0.95, 1.0, tokens, number)
            model.admit(TokenRequest(str(number), prompt, frozenset(), sampling, allowed))
            left[str(number)] = tokens
        while left:
            for key in model.step():
                left[key] -= 1
                if not left[key]:
                    del left[key]
                    model.release(key)
        return streams * tokens

    return run


def anonymous_memory() -> int:
    """Return the bytes of this process that no file backs."""
    fields = Path("/proc/self/status").read_text(encoding="ascii").split()
    return int(fields[fields.index("RssAnon:") + 1]) * 1024


@contextmanager
def peak_of_anonymous_memory() -> Iterator[Callable[[], int]]:
    """Watch this process; the function given returns the peak of its anonymous pages in bytes so far."""
    peak, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.002):
            peak[0] = max(peak[0], anonymous_memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: max(peak[0], anonymous_memory())
    finally:
        stop.set()
        thread.join()


def report_memory(folder: Path, shape: Shape) -> None:
    """Print the memory that loading the model and writing a little takes, in this process."""
    bare = "import torch; print(open('/proc/self/status').read().split('RssAnon:')[1].split()[0])"
    before = int(subprocess.run([sys.executable, "-c", bare], check=True, capture_output=True).stdout) * 1024
    with peak_of_anonymous_memory() as peak:
        own_side(folder, shape, 8)(1, False)
        taken = peak() - before
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    print(f"peak memory: {taken / 1e6:.0f} MB for {weights / 1e6:.0f} MB of weights: {taken / weights:.3f}x")


def report_speed(folder: Path, shape: Shape, tokens: int, rounds: int) -> None:
    """Print tokens per second of both sides, alone and with 8 streams."""
    theirs, ours = transformers_side(folder, shape, tokens), own_side(folder, shape, tokens)
    theirs(1), ours(1, False)  # the first run loads kernels and pages
    runs = {
        ALONE: lambda: theirs(1),
        "transformers generate, 8 prompts": lambda: theirs(8),
        "torch backend, 1 stream": lambda: ours(1, False),
        "torch backend, 8 streams": lambda: ours(8, False),
        "torch backend, 1 stream, audio ids": lambda: ours(1, True),
        "torch backend, 8 streams, audio ids": lambda: ours(8, True),
    }
    found = rates(runs, rounds)
    print(f"{'':44}{'tokens/s':>10}{'x generate alone':>18}")
    for name, speed in found.items():
        print(f"{name:44}{speed:10.1f}{speed / found[ALONE]:17.2f}x")


def main() -> None:
    """Make the model, then measure speed here and memory in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="spark")
    parser.add_argument("--layers", type=int, help="left out: the full size, 24 or 28")
    parser.add_argument("--tokens", type=int, default=48, help="tokens to write for each prompt")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all runs; the best of each counts")
    parser.add_argument("--memory_of", type=Path, help="only measure the memory of the model in this folder")
    arguments = parser.parse_args()
    shape = SHAPES[arguments.shape]
    if arguments.memory_of:
        report_memory(arguments.memory_of, shape)
        return
    layers = arguments.layers or shape.layers
    with tempfile.TemporaryDirectory() as name:
        make_model(Path(name), shape, layers)
        print(f"{shape.kind}, {layers} layers, float32, {torch.get_num_threads()} threads", flush=True)
        subprocess.run([sys.executable, __file__, "--shape", arguments.shape, "--memory_of", name], check=True)
        report_speed(Path(name), shape, arguments.tokens, arguments.rounds)


if __name__ == "__main__":
    main()
