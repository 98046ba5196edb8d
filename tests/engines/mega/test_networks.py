"""Every network of MegaTTS 3 against the golden vectors, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engines.mega import golden
from engines.mega.golden import assert_golden
from flashtts_core.engines.mega.codec.wavvae import HOP, Piece
from flashtts_core.engines.mega.durations import Disturbance, Manner, frames_of
from flashtts_core.engines.mega.model.aligner import blocks_of
from flashtts_core.engines.mega.model.diffusion import Lane, Step
from flashtts_core.engines.mega.model.duration import Primed
from flashtts_core.engines.mega.model.flow import Guidance, advance, guided, schedule
from flashtts_core.engines.mega.model.loading import Networks

GUIDANCE = Guidance(text=1.6, speaker=2.5)
CONDITIONS = {
    "first_notfinal": Manner(opens=True, closes=False),
    "notfirst_final": Manner(opens=False, closes=True),
    "first_final": Manner(opens=True, closes=True),
    "mid_alpha13": Manner(slowness=1.3, opens=False, closes=False),
}


def tensor(name: str) -> Tensor:
    return torch.from_numpy(golden.tensor(name).copy())


def array(value: Tensor) -> np.ndarray:
    return value.numpy(force=True)


@contextmanager
def heard(**modules: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Keep what modules give while the block runs."""
    found: dict[str, Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda _, __, output, name=name: found.__setitem__(name, output))
        for name, module in modules.items()
    ]
    yield found
    for hook in hooks:
        hook.remove()


@torch.inference_mode()
def test_the_aligner_hears_and_writes_as_the_reference(networks: Networks) -> None:
    aligner = networks.aligner
    mel = networks.mel(tensor("ref.wav_16k"))
    assert_golden("align.mel", array(mel[None, :, : mel.shape[1] // 8 * 8]))
    golden_mel = tensor("align.mel")
    second = blocks_of(aligner.encoder.blocks)[1]
    inputs: list[Tensor] = []
    with heard(conv2=aligner.encoder.conv2) as found:
        hook = second.attn_ln.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
        features = aligner.encoder(golden_mel)
        hook.remove()
    assert_golden("align.conv2_out", array(found["conv2"]))
    assert_golden("align.enc_block0", array(inputs[0]))
    assert_golden("align.audio_features", array(features))
    memory = aligner.decoder.hear(features)
    tokens = tensor("align.tokens")
    scores, _ = aligner.decoder(tokens[:, :1], None, memory)
    assert_golden("align.logits_step0", array(scores))
    scores, _ = aligner.decoder(tokens, None, memory)
    assert_golden("align.logits_all_every40", array(scores[..., ::40]))
    assert aligner.align(golden_mel[0]) == golden.numbers("align.tokens")


@torch.inference_mode()
def test_the_aligner_writes_the_same_with_its_memory_as_without(networks: Networks) -> None:
    decoder = networks.aligner.decoder
    heard_once = decoder.hear(tensor("align.audio_features"))
    tokens = tensor("align.tokens")
    whole, _ = decoder(tokens, None, heard_once)
    memory = None
    for place in range(tokens.shape[1]):
        one, memory = decoder(tokens[:, place : place + 1], memory, heard_once)
        torch.testing.assert_close(one[:, 0], whole[:, place], rtol=0, atol=2e-5)


def prime(networks: Networks) -> Primed:
    frames = np.bincount(golden.numbers("align.mel2ph_ref"))[1:]
    return networks.duration.prime(tensor("align.ph_ref"), tensor("align.tone_ref"), torch.from_numpy(frames)[None])


@torch.inference_mode()
def test_the_duration_network_reads_the_reference_as_the_reference_does(networks: Networks) -> None:
    network = networks.duration
    phones, tones = tensor("align.ph_ref"), tensor("align.tone_ref")
    meaning = network.read(phones, tones)
    assert_golden("dur.x_ling_ref", array(meaning))
    frames = torch.from_numpy(np.bincount(golden.numbers("align.mel2ph_ref"))[1:])[None]
    tokens = network.tokens_of(frames)
    assert_golden("dur.ctx_dur_tokens", array(tokens))
    before = torch.cat([torch.tensor([[network.sizes.codes + 1]]), tokens[:, :-1]], dim=1)
    given: list[Tensor] = []
    hooks = [
        operation.self_attn.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        for operation in network.operations
    ]
    lengths, memory = network.decode(network.read(phones, tones), before)
    for hook in hooks:
        hook.remove()
    assert_golden("dur.prompt_outputs", array(lengths[..., None]))
    for number, (operation, x) in enumerate(zip(network.operations, given, strict=True)):
        _, keys, values = operation.self_attn.project(x)
        assert_golden(f"dur.kv.layer{number}.key", array(keys))
        assert_golden(f"dur.kv.layer{number}.value", array(values))
        assert torch.equal(memory[number][1], values)


@pytest.mark.parametrize("segment", ["seg0", "seg1"])
def test_lengths_are_predicted_as_by_the_reference(networks: Networks, segment: str) -> None:
    phones, tones = tensor(f"{segment}.ph_pred"), tensor(f"{segment}.tone_pred")
    with torch.inference_mode():
        assert_golden(f"{segment}.x_ling", array(networks.duration.read(phones, tones)))
    lengths = networks.duration.predict(prime(networks), phones, tones)
    assert_golden(f"{segment}.dur_raw", np.array(lengths)[None, :, None])


@pytest.mark.parametrize("segment", ["seg0", "seg1"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_frames_follow_the_rules_of_the_reference(networks: Networks, segment: str, condition: str) -> None:
    raw = golden.tensor(f"{segment}.dur_raw").flatten().tolist()
    tokens = [networks.duration.token_of(length, first=place == 0) for place, length in enumerate(raw)]
    frames = frames_of(tokens, golden.numbers(f"{segment}.ph_pred"), CONDITIONS[condition])
    assert frames == golden.numbers(f"{segment}.{condition}.dur_final")


@pytest.mark.parametrize("segment", ["seg0", "seg1"])
def test_disturbed_frames_follow_the_draws(networks: Networks, segment: str) -> None:
    raw = golden.tensor(f"{segment}.dur_raw").flatten().tolist()
    tokens = [networks.duration.token_of(length, first=place == 0) for place, length in enumerate(raw)]
    draws = (golden.tensor(f"{segment}.disturb_seed7.rand_{kind}")[0] for kind in ("choice", "scale"))
    frames = frames_of(tokens, golden.numbers(f"{segment}.ph_pred"), Manner(slowness=0.9), Disturbance(0.1, *draws))
    assert frames == golden.numbers(f"{segment}.disturb_seed7.dur_final")


def lane_of(networks: Networks, phones: Tensor, tones: Tensor, frames: Tensor) -> Lane:
    network, latent = networks.diffusion, tensor("ctx.vae_latent")[0]
    text = network.text(phones, tones, frames)
    return network.lane(text, network.local(latent, text.shape[1]), len(latent))


@torch.inference_mode()
def test_the_diffusion_network_prepares_a_line_as_the_reference(networks: Networks) -> None:
    network = networks.diffusion
    phones, tones, frames = (tensor(f"dit.in.{name}") for name in ("phone", "tone", "dur"))
    encoder = network.ph_encoder
    with heard(pre=encoder.pre, attention=encoder.encoder.attn_layers[0], whole=encoder) as found:
        text = network.text(phones[0], tones[0], frames[0])
    rows = [0, 0, 1]
    assert_golden("dit.ph_pre", array(found["pre"][rows]))
    assert_golden("dit.ph_attn0", array(found["attention"][rows]))
    assert_golden("dit.ph_enc", array(found["whole"][rows]))
    assert_golden("dit.x_ling", array(text[rows]))
    short = encoder(phones[:, :3], network.tone_embed(tones[:, :3]))
    assert_golden("dit.ph_enc_short3", array(short))
    local = network.local(tensor("ctx.vae_latent")[0], text.shape[1])
    assert_golden("dit.local_cond", array(local[[0, 1, 1]]))
    for time in ("0.0", "0.3", "1.0"):
        assert_golden(f"dit.time_embed_{time}", array(network.f5_time_embed(torch.tensor([float(time)]))))


@torch.inference_mode()
def test_a_step_of_the_diffusion_is_that_of_the_reference(networks: Networks) -> None:
    network = networks.diffusion
    lane = lane_of(networks, *(tensor(f"dit.in.{name}")[0] for name in ("phone", "tone", "dur")))
    times = schedule(8)
    assert_golden("dit8.t_schedule", np.array(times))
    course = network.course(torch.tensor(times[:-1]))
    latents, noise = tensor("dit8.noise_init")[0], tensor("dit8.noise_steps")
    with heard(block=network.encoder.layers[0]) as found:
        (velocities,) = network([Step(lane, latents, course, 0)])
    assert_golden("dit8.step0.block0", array(found["block"].view(3, -1, network.sizes.dim)))
    assert_golden("dit8.step0.pred3", array(velocities))
    assert_golden("dit8.step0.pred", array(guided(velocities, GUIDANCE)[None]))
    for number, span in enumerate(pairwise(times)):
        (velocities,) = network([Step(lane, latents, course, number)])
        latents = advance(latents, guided(velocities, GUIDANCE), span, noise[number] if number < 7 else None)
        if number in {0, 3}:
            assert_golden(f"dit8.x_after_step{number}", array(latents[None]))
    assert_golden("seg0.dit8.x_final", array(latents[None]))


@torch.inference_mode()
def test_lines_of_different_lengths_share_a_step_and_come_out_as_alone(networks: Networks) -> None:
    network = networks.diffusion
    phones, tones, frames = (tensor(f"dit.in.{name}")[0] for name in ("phone", "tone", "dur"))
    long = lane_of(networks, phones, tones, frames)
    short = lane_of(networks, phones, tones, frames[:304])
    coarse, fine = network.course(torch.tensor(schedule(4)[:-1])), network.course(torch.tensor(schedule(9)[:-1]))
    noise = torch.randn(98, 32, generator=torch.Generator().manual_seed(1))
    steps = [Step(long, noise, coarse, 2), Step(short, noise[:76], fine, 5), Step(long, noise * 0.5, fine, 0)]
    together = network(steps)
    for step, found in zip(steps, together, strict=True):
        torch.testing.assert_close(found, network([step])[0], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_the_codec_sounds_as_the_reference(networks: Networks) -> None:
    codec = networks.codec
    layers = {f"model_up_{number}": codec.decoder.model_up[number] for number in (1, 2, 3)}
    with heard(proj=codec.proj_to_decoder, latent_up=codec.latent_upsampler, **layers) as found:
        samples = codec(tensor("wavvae.short.latent"))
    assert_golden("wavvae.short.proj", array(found["proj"].transpose(1, 2)))
    assert_golden("wavvae.short.wav", array(samples))
    for name in ("latent_up", *layers):
        assert_golden(f"wavvae.short.{name}", array(found[name]))


@pytest.mark.parametrize("segment", ["seg0", "seg1"])
def test_a_line_is_decoded_without_its_prompt_as_the_reference_decodes_it_with_it(
    networks: Networks, segment: str
) -> None:
    latents, known = tensor(f"{segment}.dit32.x_final")[0], tensor("ctx.vae_latent")[0]
    first = len(known)
    latents[:first] = known
    (samples,) = networks.codec.decode([Piece(latents, first)])
    assert len(samples) == (len(latents) - first) * HOP
    assert_golden(f"{segment}.wav_raw", samples)


def test_lines_are_decoded_together_as_alone(networks: Networks) -> None:
    pieces = [Piece(tensor(f"seg{number}.dit32.x_final")[0], first) for number, first in ((0, 64), (1, 64), (1, 66))]
    for piece, samples in zip(pieces, networks.codec.decode(pieces), strict=True):
        np.testing.assert_allclose(samples, networks.codec.decode([piece])[0], rtol=0, atol=1e-6)
