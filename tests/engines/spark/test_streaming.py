"""Decoding in chunks gives the whole decode, with context that follows from the networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engines.spark import golden
from engines.spark.golden import assert_golden
from engines.spark.test_checkpoint import OFFICIAL_CONFIG
from flashtts_core.audio.window import Schedule, due_spans
from flashtts_core.engines.spark import SparkSettings
from flashtts_core.engines.spark.codec import generator
from flashtts_core.engines.spark.codec.decoder import BiCodecDecoder, Piece
from flashtts_core.engines.spark.codec.loading import Codec
from flashtts_core.engines.spark.config import AudioConfig, GeneratorConfig, read_codec_config
from flashtts_core.engines.spark.engine import schedule_of

STREAMS = ["T150_default", "T52_default", "T97_short", "T30_only_tail"]


def decode_in_chunks(
    decoder: BiCodecDecoder, name: str, schedule: Schedule, *, at_once: int = 1
) -> NDArray[np.float32]:
    """Decode a golden stream as its tokens come, ``at_once`` of them each time."""
    tokens = golden.numbers(f"stream.{name}.semantic_tokens")
    speaker = decoder.speaker(golden.numbers("dec.T150.global_tokens"))
    parts: list[NDArray[np.float32]] = []
    done = 0
    for known in [*range(at_once, len(tokens), at_once), len(tokens)]:
        for span in due_spans(schedule, done=done, known=known, ended=known == len(tokens)):
            context = tokens[span.context_start : span.context_end]
            piece = Piece(speaker, context, span.start - span.context_start, span.end - span.start)
            parts += decoder.decode([piece])
            done = span.end
    return np.concatenate(parts)


@pytest.mark.parametrize("name", STREAMS)
def test_a_whole_decode_of_a_stream_is_golden(codec: Codec, name: str) -> None:
    everything = Schedule(start=1000, growth=1, maximum=1000, left=0, right=0)
    assert_golden(f"stream.{name}.full_audio", decode_in_chunks(codec.decoder, name, everything))


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("first", [1, 13, 25])
def test_an_exact_stream_is_the_whole_decode(codec: Codec, name: str, first: int) -> None:
    own = SparkSettings(first_chunk=first, look_ahead=4096)
    wave = decode_in_chunks(codec.decoder, name, schedule_of(own, codec.decoder.reach))
    assert_golden(f"stream.{name}.full_audio", wave)


def test_the_default_look_ahead_is_close_to_the_whole_decode(codec: Codec) -> None:
    schedule = schedule_of(SparkSettings(), codec.decoder.reach)
    wave = decode_in_chunks(codec.decoder, "T150_default", schedule)
    error = np.abs(wave - golden.tensor("stream.T150_default.full_audio")).max()
    assert 1e-5 < error < 2e-2, "the golden weights decay in about 25 tokens"


def test_too_little_context_is_noticed(codec: Codec) -> None:
    reach = codec.decoder.reach
    for left, right in ((reach, 2), (2, reach)):
        schedule = Schedule(start=25, growth=1.5, maximum=200, left=left, right=right)
        wave = decode_in_chunks(codec.decoder, "T150_default", schedule)
        assert np.abs(wave - golden.tensor("stream.T150_default.full_audio")).max() > 1e-2


@given(at_once=st.integers(1, 60), first=st.integers(1, 40), growth=st.floats(1, 3))
@settings(max_examples=8, deadline=None)
def test_chunks_do_not_depend_on_how_tokens_arrive(codec: Codec, at_once: int, first: int, growth: float) -> None:
    schedule = Schedule(start=first, growth=growth, maximum=80, left=codec.decoder.reach, right=20)
    one_by_one = decode_in_chunks(codec.decoder, "T52_default", schedule)
    np.testing.assert_array_equal(decode_in_chunks(codec.decoder, "T52_default", schedule, at_once=at_once), one_by_one)
    assert len(one_by_one) == 52 * codec.decoder.hop


def test_pieces_of_different_streams_in_one_batch_are_those_decoded_alone(codec: Codec) -> None:
    decoder = codec.decoder
    tokens = golden.numbers("dec.T150.semantic_tokens")
    one, other = (decoder.speaker(golden.numbers(f"dec.{name}.global_tokens")) for name in ("T150", "T37"))
    pieces = [Piece(one, tokens, 60, 50), Piece(other, tokens[:70], 0, 25), Piece(one, tokens[100:], 20, 30)]
    for alone, wave in zip(pieces, decoder.decode(pieces), strict=True):
        np.testing.assert_allclose(wave, decoder.decode([alone])[0], rtol=0, atol=1e-5)
        assert len(wave) == alone.count * decoder.hop


def test_the_reach_of_the_official_codec_is_67_tokens(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(OFFICIAL_CONFIG)
    with torch.device("meta"):
        decoder = BiCodecDecoder(read_codec_config(path, AudioConfig(16_000, 320, 6.0)))
    assert (decoder.prenet.reach, decoder.generator_reach, decoder.reach) == (57, 10, 67)


def test_the_reach_of_the_generator_is_what_its_samples_depend_on(codec: Codec) -> None:
    """Move one frame and see which samples change; in float64, since influence fades quickly."""
    model = codec.decoder.decoder.double()
    try:
        frames = torch.randn(1, 48, 31, dtype=torch.float64)
        moved = frames.clone()
        moved[:, :, 15] += 10
        changed = torch.nonzero(model(frames, None) != model(moved, None))[:, 1] // model.hop
    finally:
        codec.decoder.decoder.float()
    reached = max(15 - int(changed.min()), int(changed.max()) - 15)
    assert codec.decoder.generator_reach - 1 <= reached <= codec.decoder.generator_reach


@pytest.mark.parametrize(("rates", "kernels", "frames"), [((2,), (4,), 25), ((8, 5, 4, 2), (16, 11, 8, 4), 10)])
def test_reach_follows_from_the_config(rates: tuple[int, ...], kernels: tuple[int, ...], frames: int) -> None:
    assert generator.reach(GeneratorConfig(48, 64, rates, kernels)) == frames
