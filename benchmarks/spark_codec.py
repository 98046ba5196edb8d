"""Speed, memory and seams of Spark-TTS's codec, on random weights of the official size.

Run ``python benchmarks/spark_codec.py`` (3 GB of memory, minutes; needs torch; if transformers is there, its wav2vec2
is timed beside ours). Both sides of each comparison run in one process, streams and whole decodes in turns; times are
the best of several runs. ``--memory`` also writes a codec of the official size (1.5 GB) and measures a fresh process
that opens it: the peak of anonymous pages above what it had after ``import torch``, in shares of the weights in use.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.audio.window import Schedule, due_spans
from flashtts_core.engines.spark.codec.decoder import BiCodecDecoder, Piece, Speaker
from flashtts_core.engines.spark.codec.encoder import BiCodecEncoder
from flashtts_core.engines.spark.codec.wav2vec2 import LISTENED, Attention, Wav2Vec2, Wav2Vec2Config
from flashtts_core.engines.spark.config import (
    BackboneConfig,
    CodecConfig,
    GeneratorConfig,
    MelConfig,
    PrenetConfig,
    QuantizerConfig,
    SpeakerConfig,
)

OFFICIAL = CodecConfig(
    mel_params=MelConfig(16_000, 1024, 640, 320, 10.0, 128),
    encoder=BackboneConfig(1024, 384, 2048, 12, 1024),
    decoder=GeneratorConfig(1024, 1536, (8, 5, 4, 2), (16, 11, 8, 4)),
    quantizer=QuantizerConfig(1024, 8192, 8),
    speaker_encoder=SpeakerConfig(128, 1024, 128, 32, (4, 4, 4, 4, 4, 4)),
    prenet=PrenetConfig(1024, 384, 2048, 12, 1024, condition_dim=1024),
)
XLSR = Wav2Vec2Config(
    hidden_size=1024,
    intermediate_size=4096,
    num_attention_heads=16,
    num_hidden_layers=24,
    conv_dim=(512,) * 7,
    conv_kernel=(10, 3, 3, 3, 3, 2, 2),
    conv_stride=(5, 2, 2, 2, 2, 2, 2),
    num_conv_pos_embeddings=128,
    num_conv_pos_embedding_groups=16,
    conv_bias=True,
    do_stable_layer_norm=True,
    feat_extract_norm="layer",
)
RATE = 50  # tokens a second
SECONDS = 6
SCHEDULES = ((25, 1.5, 200, 20), (25, 2.0, 200, 20), (15, 1.5, 200, 20), (50, 2.0, 400, 20), (25, 1.5, 200, 67))
"""First chunk, growth, largest chunk, look-ahead: the default and others."""


def randomize(network: nn.Module) -> None:
    """Draw weights as the reference implementation does before training."""
    network.requires_grad_(False).eval()
    for name, tensor in network.state_dict().items():
        end = name.rpartition(".")[2]
        if end == "gamma" and "convnext" in name:
            tensor.fill_(1 / 12)
        elif end in {"alpha", "gamma", "running_var"} or (tensor.ndim == 1 and end == "weight"):
            tensor.fill_(1)
        elif tensor.ndim == 1:
            tensor.zero_()
        elif "speaker_encoder" in name or "quantizer" in name:
            tensor.normal_(0, tensor[0].numel() ** -0.5)
        else:
            tensor.normal_(0, 0.02)


def best(work: Callable[[], object], runs: int = 3) -> float:
    """Return the shortest time of some runs, in seconds, after one that warms up."""
    return in_turns(work, runs=runs)[0]


def in_turns(*works: Callable[[], object], runs: int) -> list[float]:
    """Return the shortest time of each, in seconds; they take turns, so a machine that slows down slows all of them."""
    times: list[list[float]] = [[] for _ in works]
    for turn in range(runs + 1):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if turn:  # the first warms up
                taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


def convolutions(network: nn.Module, frames: Tensor) -> list[tuple[nn.Module, tuple[int, ...]]]:
    """Return the convolutions of a network with the shapes they get."""
    found: list[tuple[nn.Module, tuple[int, ...]]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        found.append((module, tuple(inputs[0].shape)))

    modules = [module for module in network.modules() if isinstance(module, nn.Conv1d | nn.ConvTranspose1d)]
    hooks = [module.register_forward_hook(note) for module in modules]
    network(frames, None)
    for hook in hooks:
        hook.remove()
    return found


def generator_speed(decoder: BiCodecDecoder) -> None:
    """Print the speed of the generator beside that of its convolutions and of plain operations."""
    square = torch.randn(2048, 2048)
    product = 2 * 2048**3 / best(lambda: square @ square, 5) / 1e9
    signal, kernel = torch.randn(1, 768, 800), torch.randn(768, 768, 7)
    conv = 2 * 768 * 768 * 7 * 800 / best(lambda: functional.conv1d(signal, kernel, padding=3), 5) / 1e9
    frames = torch.randn(1, 1024, 2 * RATE)
    total = best(lambda: decoder.decoder(frames, None))
    single = sum(
        best(partial(module, torch.randn(shape)), 2) for module, shape in convolutions(decoder.decoder, frames)
    )
    print(f"plain matrix product {product:.0f} GFLOP/s, plain convolution {conv:.0f} GFLOP/s")
    print(f"generator, 2 s of sound: {total:.2f} s, {55.86 * 2 / total:.0f} GFLOP/s")
    print(f"  its convolutions singly: {single:.2f} s; the whole takes {total / single:.2f} times that")


def stream(decoder: BiCodecDecoder, speaker: Speaker, tokens: list[int], schedule: Schedule) -> list[Tensor]:
    """Decode tokens as a stream would; returns the samples of each span."""
    pieces = []
    for span in due_spans(schedule, done=0, known=len(tokens), ended=True):
        context = tokens[span.context_start : span.context_end]
        pieces += decoder.decode([Piece(speaker, context, span.start - span.context_start, span.end - span.start)])
    return [torch.from_numpy(piece) for piece in pieces]


def streaming(decoder: BiCodecDecoder) -> None:
    """Print what streaming costs beside a whole decode, and how far its seams are from it."""
    chance = torch.Generator().manual_seed(1)
    tokens: list[int] = torch.randint(0, 8192, (SECONDS * RATE,), generator=chance).tolist()
    speaker = decoder.speaker(list(range(0, 4096, 128)))
    whole = partial(decoder.decode, [Piece(speaker, tokens, 0, len(tokens))])
    total = best(whole, 2)
    voice = best(partial(decoder.speaker, list(range(32))))
    print(f"whole decode of {SECONDS} s: {total:.2f} s, {total / SECONDS:.2f} of real time")
    print(f"conditioning, once for a voice: {voice * 1e3:.1f} ms")
    print("first  growth  most  look-ahead   cost of a whole   first chunk s")
    reach = decoder.reach
    for first, growth, most, ahead in SCHEDULES:
        schedule = Schedule(first, growth, most, reach, min(ahead, reach))
        cost, total = in_turns(partial(stream, decoder, speaker, tokens, schedule), whole, runs=2)
        start = Piece(speaker, tokens[: first + ahead], 0, first)
        one = best(partial(decoder.decode, [start]), 2)
        print(f"{first:5}  {growth:6}  {most:4}  {ahead:10}   {cost / total:15.2f}   {one:13.2f}")
    short = tokens[:100]
    exact = torch.from_numpy(decoder.decode([Piece(speaker, short, 0, len(short))])[0])
    print(f"seams, largest difference to the whole decode (whose deviation is {exact.std():.2f}):")
    for ahead in (5, 10, 15, 20, 25, reach):
        pieces = torch.cat(stream(decoder, speaker, short, Schedule(25, 1.0, 25, reach, ahead)))
        print(f"  look-ahead {ahead:3}: {(pieces - exact).abs().max():.1e}")


def hearing() -> None:
    """Print the speed of wav2vec2, ours and transformers'."""
    seconds = 6
    samples = torch.randn(1, 16_000 * seconds)
    attentions: tuple[Attention, ...] = ("eager", "sdpa")
    for attention in attentions:
        network = Wav2Vec2(XLSR, attention)
        randomize(network)
        print(f"wav2vec2, {seconds} s of sound, {attention}: {best(partial(network, samples, None), 2):.2f} s")
    if importlib.util.find_spec("transformers"):
        print(f"transformers cut to {max(LISTENED)} layers: {best(partial(_theirs(), samples), 2):.2f} s")


def _theirs() -> Callable[[Tensor], object]:
    from transformers import Wav2Vec2Config as TheirConfig  # noqa: PLC0415  # optional
    from transformers import Wav2Vec2Model  # noqa: PLC0415

    keys = msgspec.structs.asdict(XLSR) | {"num_hidden_layers": max(LISTENED)}
    network: Any = Wav2Vec2Model(TheirConfig(**keys))
    theirs: Callable[[Tensor], object] = network.eval()
    return theirs


def write_checkpoint(folder: Path) -> int:
    """Write a codec of the official size with plain weights; returns the bytes of the weights in use."""
    (folder / "BiCodec").mkdir()
    wav2vec2 = folder / "wav2vec2-large-xlsr-53"
    wav2vec2.mkdir()
    (folder / "LLM").mkdir()
    (folder / "LLM" / "tokenizer.json").write_text("{}")
    (folder / "config.yaml").write_text("{sample_rate: 16000, latent_hop_length: 320, ref_segment_duration: 6}")
    config = msgspec.json.encode({"audio_tokenizer": OFFICIAL}).decode()
    (folder / "BiCodec" / "config.yaml").write_text(config)  # JSON is YAML
    (wav2vec2 / "config.json").write_bytes(msgspec.json.encode(XLSR))
    state = {**BiCodecEncoder(OFFICIAL).state_dict(), **BiCodecDecoder(OFFICIAL).state_dict()}
    heard = {f"wav2vec2.{name}": tensor for name, tensor in Wav2Vec2(XLSR, "eager").state_dict().items()}
    used: int = sum(tensor.nbytes for tensor in (*state.values(), *heard.values()))
    state["postnet.idle"] = torch.zeros(19_700_000)
    save_file(state, folder / "BiCodec" / "model.safetensors")
    save_file(heard, wav2vec2 / "model.safetensors")
    return used


MEASURE = """
import sys, pathlib, re, threading, torch
def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024
before, peak, done = anonymous(), [0], threading.Event()
def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], anonymous())
watcher = threading.Thread(target=watch)
watcher.start()
from flashtts_core.engines.spark.checkpoint import find_files
from flashtts_core.engines.spark.codec.loading import CodecPlan, open_codec
codec = open_codec(find_files(pathlib.Path(sys.argv[1])), CodecPlan())
done.set()
watcher.join()
print(max(peak[0], anonymous()) - before)
"""


def memory() -> None:
    """Print what opening a codec takes."""
    with tempfile.TemporaryDirectory() as name:
        used = write_checkpoint(Path(name))
        start = time.perf_counter()
        found = subprocess.run([sys.executable, "-c", MEASURE, name], check=True, capture_output=True, text=True)
        took = time.perf_counter() - start
    print(
        f"memory: weights in use {used / 1e6:.0f} MB, peak while opening {int(found.stdout) / used:.2f} times that; ",
        end="",
    )
    print(f"opened in {took:.1f} s, with the import of torch")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--memory", action="store_true", help="write a codec of the official size and measure opening it"
    )
    chosen = parser.parse_args()
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    decoder = BiCodecDecoder(OFFICIAL)
    randomize(decoder)
    with torch.inference_mode():
        generator_speed(decoder)
        streaming(decoder)
        hearing()
    if chosen.memory:
        memory()


if __name__ == "__main__":
    main()
