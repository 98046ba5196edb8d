"""The networks against the golden vectors, alone and in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engines.spark import golden
from engines.spark.golden import assert_golden
from flashtts_core.engines.spark.checkpoint import find_files
from flashtts_core.engines.spark.codec.decoder import BiCodecDecoder, Piece
from flashtts_core.engines.spark.codec.encoder import BiCodecEncoder, clip_of
from flashtts_core.engines.spark.codec.lengths import pad
from flashtts_core.engines.spark.codec.loading import Codec, CodecPlan, open_codec
from flashtts_core.engines.spark.codec.speaker import fsq_tokens, fsq_values
from flashtts_core.engines.spark.codec.wav2vec2 import LISTENED, Wav2Vec2, normalised
from flashtts_core.nn.mel import MelBands, mel_filters

RECORDINGS = ["a.norm", "b_stereo.norm", "c_quiet8k.norm"]
DECODED = ["dec.T1", "dec.T2", "dec.T5", "dec.T37", "dec.T150", "batch.0", "batch.1", "batch.2"]


def batch_of(name: str) -> Tensor:
    return torch.from_numpy(golden.tensor(name))[None]


def whole(decoder: BiCodecDecoder, name: str) -> Piece:
    tokens = golden.numbers(f"{name}.semantic_tokens")
    return Piece(decoder.speaker(golden.numbers(f"{name}.global_tokens")), tokens, 0, len(tokens))


@pytest.fixture(scope="module")
def hearing(codec: Codec) -> BiCodecEncoder:
    return codec.encoder.codec


@pytest.fixture(scope="module")
def wav2vec2(codec: Codec) -> Wav2Vec2:
    return codec.encoder.wav2vec2


@pytest.mark.parametrize("name", RECORDINGS)
def test_wav2vec2_gives_the_golden_streams_and_features(wav2vec2: Wav2Vec2, name: str) -> None:
    samples = normalised(torch.from_numpy(golden.tensor(f"enc.{name}.wav")))
    assert_golden(f"enc.{name}.w2v_input", samples.numpy())
    streams = wav2vec2.streams(samples[None], None)
    for layer in (0, *LISTENED):
        assert_golden(f"enc.{name}.w2v_h{layer}", streams[layer][0].numpy())
    assert_golden(f"enc.{name}.feat", wav2vec2(samples[None], None)[0].numpy())


@pytest.mark.parametrize("name", [*RECORDINGS, "a.raw"])
def test_the_semantic_encoder_gives_the_golden_vectors(hearing: BiCodecEncoder, name: str) -> None:
    z = hearing.encoder(batch_of(f"enc.{name}.feat").transpose(1, 2).contiguous(), None)
    assert_golden(f"enc.{name}.z", z[0].numpy())
    assert_golden(f"enc.{name}.z_e", hearing.quantizer.in_project(z)[0].numpy())
    assert_golden(f"enc.{name}.semantic_tokens", hearing.quantizer(z)[0].numpy())


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_speaker_encoder_gives_the_golden_vectors(codec: Codec, hearing: BiCodecEncoder, name: str) -> None:
    clip = clip_of(torch.from_numpy(golden.tensor(f"enc.{name}.wav")), codec.audio.clip_samples)
    mel = codec.encoder.mel(clip[None])
    assert_golden(f"enc.{name}.mel", mel[0].numpy())
    speaker = hearing.speaker_encoder
    features = speaker.speaker_encoder(mel)
    assert_golden(f"enc.{name}.ecapa_latent", features[0].numpy())
    latents = speaker.perceiver_sampler(features)
    assert_golden(f"enc.{name}.perceiver_out", latents[0].numpy())
    assert_golden(f"enc.{name}.fsq_in", speaker.quantizer.project_in(latents)[0].numpy())
    assert_golden(f"enc.{name}.global_tokens", speaker.quantizer(latents)[0].numpy())
    vector = codec.decoder.speaker(golden.numbers(f"enc.{name}.global_tokens")).vector
    assert_golden(f"enc.{name}.d_vector", vector.numpy())


def test_a_recording_that_keeps_its_loudness_gives_the_golden_vectors(codec: Codec) -> None:
    samples = torch.from_numpy(golden.tensor("enc.a.raw.wav"))
    assert_golden("enc.a.raw.feat", codec.encoder.wav2vec2(normalised(samples)[None], None)[0].numpy())
    speaker = codec.encoder.codec.speaker_encoder
    mel = codec.encoder.mel(clip_of(samples, codec.audio.clip_samples)[None])
    latents = speaker.perceiver_sampler(speaker.speaker_encoder(mel))
    assert_golden("enc.a.raw.fsq_in", speaker.quantizer.project_in(latents)[0].numpy())
    vector = codec.decoder.speaker(golden.numbers("enc.a.raw.global_tokens")).vector
    assert_golden("enc.a.raw.d_vector", vector.numpy())


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_recordings_give_the_golden_tokens_alone_and_in_a_batch(attention: str) -> None:
    plan = CodecPlan(attention="sdpa" if attention == "sdpa" else "eager")
    encoder = open_codec(find_files(golden.CHECKPOINT), plan).encoder
    names = [*RECORDINGS, "a.raw", "b_stereo.norm"]
    recordings = [golden.tensor(f"enc.{name}.wav") for name in names]
    alone = [encoder.encode([recording])[0] for recording in recordings]
    together = encoder.encode(recordings)
    for name, tokens in zip(names, alone, strict=True):
        assert tokens.globals == golden.numbers(f"enc.{name}.global_tokens")
        assert tokens.semantics == golden.numbers(f"enc.{name}.semantic_tokens")
    assert together == alone


def test_the_prenet_gives_the_golden_stages(codec: Codec) -> None:
    decoder, prenet = codec.decoder, codec.decoder.prenet
    z_q = decoder.quantizer(torch.tensor([golden.numbers("dec.T5.semantic_tokens")]))
    assert_golden("dec.T5.z_q", z_q[0].numpy())
    x = prenet.linear_pre(z_q.transpose(1, 2))
    assert_golden("dec.T5.prenet_linear_pre", x[0].numpy().reshape(golden.tensor("dec.T5.prenet_linear_pre").shape))
    x = prenet.downsample(x, None)
    assert_golden("dec.T5.prenet_downsample", oriented(x, "dec.T5.prenet_downsample"))
    condition = decoder.speaker(golden.numbers("dec.T5.global_tokens")).condition[None]
    x = prenet.vocos_backbone(x.transpose(1, 2), None, condition)
    assert_golden("dec.T5.prenet_backbone", oriented(x, "dec.T5.prenet_backbone"))


def oriented(x: Tensor, name: str) -> np.ndarray:
    """Return x [1, T, D] as the manifest has it: some stages are stored with channels first."""
    rows = x[0].numpy()
    return rows if rows.shape == golden.tensor(name).shape else rows.T


def test_the_generator_gives_the_golden_stages(codec: Codec) -> None:
    vector = torch.from_numpy(golden.tensor("dec.T5.d_vector"))
    x = torch.from_numpy(golden.tensor("dec.T5.prenet_out"))[None] + vector[:, None]
    first, *stages, snake, _ = codec.decoder.decoder.model
    x = first(x)
    assert_golden("dec.T5.wavegen_after_0", x[0].numpy())
    for number, stage in enumerate(stages, 1):
        x = stage(x, None, 1)
        assert_golden(f"dec.T5.wavegen_after_{number}", x[0].numpy())
    assert_golden("dec.T5.wavegen_after_5", snake(x)[0].numpy())


@pytest.mark.parametrize("name", DECODED[:5])
def test_speaker_codes_and_prenet_give_the_golden_vectors(codec: Codec, name: str) -> None:
    decoder = codec.decoder
    speaker = decoder.speaker(golden.numbers(f"{name}.global_tokens"))
    assert_golden(f"{name}.d_vector", speaker.vector.numpy())
    z_q = decoder.quantizer(torch.tensor([golden.numbers(f"{name}.semantic_tokens")]))
    assert_golden(f"{name}.z_q", z_q[0].numpy())
    assert_golden(f"{name}.prenet_out", decoder.prenet(z_q, None, speaker.condition[None])[0].numpy())


@pytest.mark.parametrize("name", DECODED)
def test_tokens_give_the_golden_wave(codec: Codec, name: str) -> None:
    (wave,) = codec.decoder.decode([whole(codec.decoder, name)])
    assert wave.dtype == np.float32
    assert_golden(f"{name}.wave", wave)


def test_a_batch_of_different_lengths_and_speakers_gives_the_golden_waves(codec: Codec) -> None:
    waves = codec.decoder.decode([whole(codec.decoder, name) for name in DECODED])
    for name, wave in zip(DECODED, waves, strict=True):
        assert_golden(f"{name}.wave", wave)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_spoken_again_as_the_reference_does(codec: Codec, name: str) -> None:
    tokens = golden.numbers(f"enc.{name}.semantic_tokens")
    speaker = codec.decoder.speaker(golden.numbers(f"enc.{name}.global_tokens"))
    (wave,) = codec.decoder.decode([Piece(speaker, tokens, 0, len(tokens))])
    assert_golden(f"enc.{name}.recon", wave)


@pytest.mark.parametrize("number", range(8))
def test_greedy_answers_sound_as_the_reference_does(codec: Codec, number: int) -> None:
    answer = golden.MANIFEST["llm"][number]
    prompt = golden.MANIFEST["prompts"][answer["prompt_index"]]
    speaker = codec.decoder.speaker(answer["global"] or prompt["global_tokens"])
    (wave,) = codec.decoder.decode([Piece(speaker, answer["semantic"], 0, len(answer["semantic"]))])
    assert_golden(f"e2e.{answer['prompt_index']}.wave", wave)


@given(st.lists(st.integers(0, 4**4 - 1), min_size=1, max_size=40))
def test_every_global_token_survives_its_values(tokens: list[int]) -> None:
    levels = (4, 4, 4, 4)
    values = fsq_values(torch.tensor(tokens), levels)
    # The centre of a level before the bound is applied: what an encoder would have to give.
    centres = torch.atanh((values * 2 + 0.5) / 1.5015) - np.arctanh(0.5 / 1.5015)
    assert fsq_tokens(centres, levels).tolist() == tokens


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_padding_keeps_items_and_adds_zeros(lengths: Sequence[int]) -> None:
    items = [torch.full((2, length), float(number + 1)) for number, length in enumerate(lengths)]
    batch, told = pad(items)
    assert told == (None if len(set(lengths)) == 1 else lengths)
    assert batch.shape == (len(lengths), 2, max(lengths))
    assert float(batch.sum()) == sum(float(item.sum()) for item in items)


def test_mel_filters_have_slaneys_shape() -> None:
    filters = mel_filters(MelBands(16_000, 1024, 128, lowest=10.0))
    assert filters.shape == (128, 513)
    peaks = filters.argmax(axis=1)
    assert (np.diff(peaks) >= 0).all()
    areas = filters.sum(axis=1) * 16_000 / 1024
    assert areas[-20:] == pytest.approx(np.ones(20), abs=0.02)
