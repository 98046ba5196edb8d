"""What SNAC costs per second of speech: streamed as flashtts does, in the reference's windows, and by the package snac.

Run ``python benchmarks/codec_snac.py`` (1 GB of memory, a minute; needs torch). The networks have the official sizes
and random weights. The package is compared where it is installed (``pip install "snac==1.2.1"``, in an environment of
its own if you like), with the same weights.

``whole``: all frames at once. ``stream``: the chunks of the default settings. ``windows``: the reference's scheme by
the same code: for every frame that comes, the last four are decoded and one is kept.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from flashtts_core.audio.window import due_spans
from flashtts_core.engines.orpheus import OrpheusSettings
from flashtts_core.engines.orpheus.codec.config import SnacConfig
from flashtts_core.engines.orpheus.codec.decoder import Frame, Piece, SnacDecoder, levels_of
from flashtts_core.engines.orpheus.codec.loading import UNUSED
from flashtts_core.engines.orpheus.engine import schedule_of
from flashtts_core.nn.weights import Placement, WeightFile, load

OFFICIAL = {
    "sampling_rate": 24_000,
    "encoder_dim": 48,
    "encoder_rates": [2, 4, 8, 8],
    "decoder_dim": 1024,
    "decoder_rates": [8, 8, 4, 2],
    "attn_window_size": None,
    "codebook_size": 4096,
    "codebook_dim": 8,
    "vq_strides": [4, 2, 1],
    "noise": True,
    "depthwise": True,
}
WINDOW = 4


def make_decoder() -> SnacDecoder:
    """Return a decoder of the official sizes with random weights."""
    decoder = SnacDecoder(msgspec.convert(OFFICIAL, SnacConfig))
    for name, parameter in decoder.named_parameters():
        if name.endswith("alpha"):
            nn.init.ones_(parameter)
        elif parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
    return decoder.requires_grad_(False).eval()


def whole(decoder: SnacDecoder, frames: list[Frame]) -> NDArray[np.float32]:
    """Decode all frames at once."""
    return decoder.decode([Piece(frames, 0, 0, len(frames), 0)])[0]


def streamed(decoder: SnacDecoder, frames: list[Frame]) -> NDArray[np.float32]:
    """Decode in the chunks of the default settings."""
    spans = due_spans(schedule_of(OrpheusSettings(), decoder.reach), done=0, known=len(frames), ended=True)
    return np.concatenate(
        [
            decoder.decode(
                [
                    Piece(
                        frames[span.context_start : span.context_end],
                        span.context_start,
                        span.start - span.context_start,
                        span.end - span.start,
                        0,
                    )
                ]
            )[0]
            for span in spans
        ]
    )


def windows(decoder: SnacDecoder, frames: list[Frame]) -> NDArray[np.float32]:
    """Decode as the reference does: four frames for each one that is kept, none kept of the first and the last two."""
    size = decoder.config.frame_samples
    return np.concatenate(
        [whole(decoder, frames[start : start + WINDOW])[size : 2 * size] for start in range(len(frames) - WINDOW + 1)]
    )


def of_package(decoder: SnacDecoder, frames: list[Frame]) -> Callable[[], NDArray[np.float32]]:
    """Return a whole decode by the package; ``decoder`` takes its random weights over."""
    model = importlib.import_module("snac").SNAC(**OFFICIAL).eval()
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    load(
        WeightFile(Path("the package's weights"), shapes, tensors.__getitem__),
        [Placement(decoder, "", torch.device("cpu"))],
        unused=UNUSED,
    )
    levels = levels_of(torch.tensor([frames]))

    def decode() -> NDArray[np.float32]:
        with torch.inference_mode():
            sound: NDArray[np.float32] = model.decode(levels)[0, 0].numpy()
        return sound

    return decode


def fastest(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the seconds of the fastest of ``rounds`` of each way; they take turns, so that a busy spell hits all."""
    best = dict.fromkeys(ways, math.inf)
    for _ in range(rounds + 1):  # the first warms up, and seldom wins
        for name, decode in ways.items():
            start = time.perf_counter()
            decode()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Time all ways in one process and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=96, help="length of the line, 11.7 frames a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    frames = [tuple(frame) for frame in torch.randint(0, 4096, (options.frames, 7)).tolist()]
    decoder = make_decoder()
    ways: dict[str, Callable[[], object]] = {}
    if importlib.util.find_spec("snac"):
        ways["package snac, whole"] = of_package(decoder, frames)
    ways["flashtts, whole"] = lambda: whole(decoder, frames)
    ways["flashtts, stream"] = lambda: streamed(decoder, frames)
    ways["reference's windows, same code"] = lambda: windows(decoder, frames)
    seconds = options.frames * decoder.config.frame_samples / decoder.config.sampling_rate
    print(f"{seconds:.1f} s of speech, {options.threads} threads, torch {torch.__version__}")
    for name, taken in fastest(ways, options.rounds).items():
        print(f"{name:32} {1000 * taken / seconds:7.1f} ms per second of speech")
    chunks = {count: Piece(frames[10 : 16 + count], 10, 3, count, 0) for count in (1, 2, 5, 24)}
    singles = {f"one chunk, frames: {count}": partial(decoder.decode, [piece]) for count, piece in chunks.items()}
    for name, taken in fastest(singles, options.rounds).items():
        print(f"{name:32} {1000 * taken:7.1f} ms")
    error = np.abs(streamed(decoder, frames) - whole(decoder, frames)).max()
    print(f"largest difference of stream and whole: {error:.1e}")


if __name__ == "__main__":
    main()
