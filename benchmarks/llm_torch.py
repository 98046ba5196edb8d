"""Speed and memory of the torch backend against transformers' ``generate``, on random weights of Spark's LLM shape.

Run ``python benchmarks/llm_torch.py`` (4.5 GB of memory, some minutes; needs torch and transformers). Both sides run
in one process, one after the other, with the same sampling; tokens per second count the reading of the prompt. The
rows marked ``semantic ids`` restrict the answer to 8192 ids, as Spark does. Memory is the peak of anonymous pages of a
fresh process that loads the model and writes a few tokens, above those of a process that only imports torch.
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

import torch

from flashtts_core.backends.torch.model import load_model
from flashtts_core.settings import Settings
from flashtts_core.types import IdRanges, Sampling, TokenRequest

PROMPT = 64
ALONE = "transformers generate, 1 prompt"
SEMANTIC = ((150_000, 158_192),)


def make_model(folder: Path, layers: int) -> None:
    """Write a Qwen2 of 0.5 B parameters (with 24 layers) and a vocabulary of 166 000."""
    from transformers import Qwen2Config, Qwen2ForCausalLM  # noqa: PLC0415  # its memory is not the backend's

    config = Qwen2Config(
        vocab_size=166_000,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=layers,
        num_attention_heads=14,
        num_key_value_heads=2,
        max_position_embeddings=32_768,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    Qwen2ForCausalLM(config).save_pretrained(folder)  # type: ignore[no-untyped-call]  # transformers is half typed


def prompts(count: int) -> list[tuple[int, ...]]:
    """Return prompts of random ids."""
    draw = torch.Generator().manual_seed(1)
    return [tuple(torch.randint(0, 166_000, (PROMPT,), generator=draw).tolist()) for _ in range(count)]


def rates(runs: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    """Return tokens per second of each run: the best of ``rounds``, taken in turn so that all meet the same weather."""
    best = dict.fromkeys(runs, 0.0)
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            best[name] = max(best[name], run() / (time.perf_counter() - start))
    return best


def transformers_side(folder: Path, tokens: int) -> Callable[[int], int]:
    """Return a function that writes ``tokens`` ids for each of a number of prompts and counts them."""
    from transformers import Qwen2ForCausalLM  # noqa: PLC0415  # its memory is not the backend's

    model = Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def run(streams: int) -> int:
        ids = torch.tensor(prompts(streams))
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


def own_side(folder: Path, tokens: int) -> Callable[[int, bool], int]:
    """Return the same for the torch backend; the flag restricts the answer to the semantic ids."""
    model = load_model(folder, Settings(llm_device="cpu"))

    def run(streams: int, restricted: bool) -> int:
        allowed = (IdRanges(SEMANTIC),) if restricted else ()
        left = {}
        for number, prompt in enumerate(prompts(streams)):
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


def report_memory(folder: Path) -> None:
    """Print the memory that loading the model and writing a little takes, in this process."""
    bare = "import torch; print(open('/proc/self/status').read().split('RssAnon:')[1].split()[0])"
    before = int(subprocess.run([sys.executable, "-c", bare], check=True, capture_output=True).stdout) * 1024
    with peak_of_anonymous_memory() as peak:
        own_side(folder, 8)(1, False)
        taken = peak() - before
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    print(f"peak memory: {taken / 1e6:.0f} MB for {weights / 1e6:.0f} MB of weights: {taken / weights:.3f}x")


def report_speed(folder: Path, tokens: int, rounds: int) -> None:
    """Print tokens per second of both sides, alone and with 8 streams."""
    theirs, ours = transformers_side(folder, tokens), own_side(folder, tokens)
    theirs(1), ours(1, False)  # the first run loads kernels and pages
    runs = {
        ALONE: lambda: theirs(1),
        "transformers generate, 8 prompts": lambda: theirs(8),
        "torch backend, 1 stream": lambda: ours(1, False),
        "torch backend, 8 streams": lambda: ours(8, False),
        "torch backend, 1 stream, semantic ids": lambda: ours(1, True),
        "torch backend, 8 streams, semantic ids": lambda: ours(8, True),
    }
    found = rates(runs, rounds)
    print(f"{'':44}{'tokens/s':>10}{'x generate alone':>18}")
    for name, speed in found.items():
        print(f"{name:44}{speed:10.1f}{speed / found[ALONE]:17.2f}x")


def main() -> None:
    """Make the model, then measure speed here and memory in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=24, help="24 is the full size")
    parser.add_argument("--tokens", type=int, default=48, help="tokens to write for each prompt")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all runs; the best of each counts")
    parser.add_argument("--memory_of", type=Path, help="only measure the memory of the model in this folder")
    arguments = parser.parse_args()
    if arguments.memory_of:
        report_memory(arguments.memory_of)
        return
    with tempfile.TemporaryDirectory() as name:
        make_model(Path(name), arguments.layers)
        print(f"Qwen2, {arguments.layers} layers, float32, {torch.get_num_threads()} threads", flush=True)
        subprocess.run([sys.executable, __file__, "--memory_of", name], check=True)
        report_speed(Path(name), arguments.tokens, arguments.rounds)


if __name__ == "__main__":
    main()
