"""The networks against the golden vectors, alone and in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from engines.orpheus import golden
from engines.orpheus.golden import FRAMES, assert_golden
from flashtts_core.audio.window import Schedule, due_spans
from flashtts_core.engines.orpheus import OrpheusSettings
from flashtts_core.engines.orpheus.codec.config import SnacConfig
from flashtts_core.engines.orpheus.codec.decoder import Noise, Piece, SnacDecoder, levels_of
from flashtts_core.engines.orpheus.codec.extent import Extent, extents
from flashtts_core.engines.orpheus.codec.snac import Decoder, DecoderBlock
from flashtts_core.engines.orpheus.engine import schedule_of

LENGTHS = [1, 2, 4, 7, 12]
LAST = len(FRAMES)
OFFICIAL = SnacConfig(
    sampling_rate=24_000,
    encoder_dim=48,
    encoder_rates=(2, 4, 8, 8),
    decoder_dim=1024,
    decoder_rates=(8, 8, 4, 2),
    codebook_size=4096,
    codebook_dim=8,
    vq_strides=(4, 2, 1),
)


def silent(block: int, starts: Sequence[int], length: int) -> None:
    """Give no noise."""


def recorded(length: int) -> Noise:
    """Give the noise that the reference drew when it decoded the first ``length`` frames."""

    def breath(block: int, starts: Sequence[int], count: int) -> NDArray[np.float32]:
        drawn = golden.tensor(f"F{length}.noise_{block}")
        return np.concatenate([drawn[:, :, start : start + count] for start in starts])

    return breath


def whole(length: int = LAST, seed: int = 0) -> Piece:
    return Piece(FRAMES[:length], 0, 0, length, seed)


def piece(first: int, end: int, context: int = 3, seed: int = 0) -> Piece:
    """Return the frames [first, end) of the golden stream with context."""
    start = max(0, first - context)
    return Piece(FRAMES[start : min(LAST, end + context)], start, first - start, end - first, seed)


def batched(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples[None, None]


def test_the_codes_of_a_frame_go_to_their_levels_in_time_order() -> None:
    levels = levels_of(torch.tensor([FRAMES]))
    for number, codes in enumerate(levels):
        assert_golden(f"F12.codes_{number}", codes.numpy())


@pytest.mark.parametrize("length", LENGTHS)
def test_latents_are_golden(codec: SnacDecoder, length: int) -> None:
    levels = [torch.from_numpy(golden.tensor(f"F{length}.codes_{level}")) for level in range(3)]
    assert_golden(f"F{length}.z_q", codec.quantizer(levels).numpy())


def test_every_stage_of_the_decoder_is_golden(codec: SnacDecoder) -> None:
    x = torch.from_numpy(golden.tensor("F4.z_q"))
    for number, layer in enumerate(codec.decoder.model):
        x = layer(x, None, None) if isinstance(layer, DecoderBlock) else layer(x)
        assert_golden(f"stages.F4.decoder_model_{number}", x.numpy())


def test_weight_norm_is_folded_for_convolutions_and_for_transposed_ones(codec: SnacDecoder) -> None:
    weights = codec.state_dict()
    assert_golden("weight_effective.decoder_model_0", weights["decoder.model.0.weight"].numpy())
    assert_golden("weight_effective.decoder_model_2_block_1", weights["decoder.model.2.block.1.weight"].numpy())


@pytest.mark.parametrize("length", LENGTHS)
def test_the_sound_is_golden_without_noise_and_with_the_noise_of_the_reference(codec: SnacDecoder, length: int) -> None:
    (plain,) = codec.render([whole(length)], silent)
    assert_golden(f"F{length}.wav_nonoise", batched(plain))
    (noisy,) = codec.render([whole(length)], recorded(length))
    assert_golden(f"F{length}.wav_seeded", batched(noisy))


def test_every_piece_with_its_context_is_that_part_of_the_whole(codec: SnacDecoder) -> None:
    (full,) = codec.render([whole()], recorded(LAST))
    assert_golden("F12.wav_seeded", batched(full))
    for first in range(LAST):
        for end in (first + 1, min(first + 2, LAST), LAST):
            (part,) = codec.render([piece(first, end)], recorded(LAST))
            np.testing.assert_allclose(part, full[first * 2048 : end * 2048], rtol=0, atol=1e-5)


def test_less_context_than_the_reach_is_heard(codec: SnacDecoder) -> None:
    (full,) = codec.decode([whole()])
    (part,) = codec.decode([piece(6, 7, context=codec.reach - 1)])
    assert np.abs(part - full[6 * 2048 : 7 * 2048]).max() > 1e-3


def test_pieces_of_different_lengths_and_seeds_in_one_batch_are_those_decoded_alone(codec: SnacDecoder) -> None:
    pieces = [
        *(whole(length, seed) for seed, length in enumerate(LENGTHS)),
        *(piece(first, end, seed=first) for first, end in ((0, 1), (0, 5), (4, 5), (3, 9), (9, 12), (11, 12))),
    ]
    for alone, samples in zip(pieces, codec.decode(pieces), strict=True):
        np.testing.assert_allclose(samples, codec.decode([alone])[0], rtol=0, atol=1e-5)
        assert len(samples) == alone.count * 2048


@given(at_once=st.integers(1, 13), first=st.integers(1, 5), growth=st.floats(1, 3), length=st.integers(1, LAST))
@settings(max_examples=15, deadline=None)
def test_a_stream_is_the_whole_however_its_frames_arrive(
    codec: SnacDecoder, at_once: int, first: int, growth: float, length: int
) -> None:
    schedule = schedule_of(OrpheusSettings(first_chunk=first, chunk_growth=growth), codec.reach)
    parts: list[NDArray[np.float32]] = []
    done = 0
    for known in [*range(at_once, length, at_once), length]:
        for span in due_spans(schedule, done=done, known=known, ended=known == length):
            frames = FRAMES[span.context_start : span.context_end]
            parts += codec.decode(
                [Piece(frames, span.context_start, span.start - span.context_start, span.end - span.start, 7)]
            )
            done = span.end
    np.testing.assert_allclose(np.concatenate(parts), codec.decode([whole(length, 7)])[0], rtol=0, atol=1e-5)


def test_a_golden_stream_without_noise_is_the_reference_s_full_decode(codec: SnacDecoder) -> None:
    schedule = Schedule(start=1, growth=1.25, maximum=24, left=codec.reach, right=codec.reach)
    spans = due_spans(schedule, done=0, known=LAST, ended=True)
    parts = [samples for span in spans for samples in codec.render([piece(span.start, span.end)], silent)]
    assert_golden("stream.full_wav", batched(np.concatenate(parts)))


def test_the_reach_is_what_samples_depend_on(codec: SnacDecoder) -> None:
    """Move the latents of one frame and see which samples change; in float64, since influence fades quickly."""
    model = codec.decoder.double()
    try:
        z_q = torch.randn(1, 64, 4 * 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        moved = z_q.clone()
        moved[:, :, 24:28] += 1
        changed = torch.nonzero(_decoded(model, z_q) != _decoded(model, moved))[:, 1]
    finally:
        codec.decoder.float()
    first, last = int(changed.min()), int(changed.max())
    assert (first // 2048, last // 2048) == (6 - codec.reach, 6 + codec.reach)
    for sample in (first - 1, first, last, last + 1):
        seen = extents(codec.config.decoder_rates, Extent(sample, sample + 1))[0]
        assert (seen.start < 28 and seen.end > 24) == (first <= sample <= last)


def _decoded(model: Decoder, z_q: Tensor) -> Tensor:
    x = z_q
    with torch.inference_mode():
        for layer in model.model:
            x = layer(x, None, None) if isinstance(layer, DecoderBlock) else layer(x)
    return x[:, 0]


def test_the_networks_of_the_official_config_hold_the_official_numbers() -> None:
    with torch.device("meta"):
        decoder = SnacDecoder(OFFICIAL)
    shapes = {name: tensor.shape for name, tensor in decoder.state_dict().items()}
    normed = [shape for name, shape in shapes.items() if name.endswith(".weight") and "codebook" not in name]
    gains = sum(shape[0] for shape in normed)
    used = 13_012_418 + 139_824 - 3 * (8 + 8 + 8 * 768)  # decoder and quantizer, without the encoder's in_proj
    assert sum(shape.numel() for shape in shapes.values()) + gains == used
    assert len(shapes) + len(normed) == 130 + 21 - 3 * 3
    assert decoder.reach == 3


@pytest.mark.parametrize("noise", [True, False])
@pytest.mark.parametrize("depthwise", [True, False])
@pytest.mark.parametrize("rates", [(8, 8, 4, 2), (5, 4)])
def test_every_build_streams_as_it_decodes_whole(noise: bool, depthwise: bool, rates: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    decoder = SnacDecoder(
        SnacConfig(24_000, 2, (2, 2), 16, rates, 4096, 4, (4, 2, 1), noise=noise, depthwise=depthwise)
    )
    decoder.requires_grad_(False)
    for name, parameter in decoder.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "alpha" in name else 0.0, 0.2)
    frame = decoder.config.frame_samples
    frames = FRAMES * 2
    (full,) = decoder.decode([Piece(frames, 0, 0, 24, 1)])
    start = 12 - decoder.reach
    (part,) = decoder.decode([Piece(frames[start : 14 + decoder.reach], start, decoder.reach, 2, 1)])
    np.testing.assert_allclose(part, full[12 * frame : 14 * frame], rtol=0, atol=1e-5)
    assert len(full) == 24 * frame
