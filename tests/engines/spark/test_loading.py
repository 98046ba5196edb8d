"""Where the codec runs, and what it leaves in memory."""

from __future__ import annotations

import logging

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from engines.spark import golden
from flashtts_core.engines.spark.checkpoint import CODEC_UNUSED
from flashtts_core.engines.spark.codec.loading import Codec, plan_of
from flashtts_core.errors import ConfigError
from flashtts_core.settings import Settings


@pytest.mark.parametrize("flag", ["tokenizer_device", "detokenizer_device"])
def test_a_device_that_is_not_there_is_refused_by_its_flag(flag: str) -> None:
    with pytest.raises(ConfigError, match=rf"--{flag} cuda:99 is not there; .* cpu"):
        plan_of(msgspec.structs.replace(Settings(), **{flag: "cuda:99"}))


def test_devices_are_those_that_were_asked_for() -> None:
    plan = plan_of(Settings(tokenizer_device="cpu", detokenizer_device="cpu", wav2vec_attn_implementation="sdpa"))
    assert (plan.encoder_device, plan.decoder_device, plan.attention) == (
        torch.device("cpu"),
        torch.device("cpu"),
        "sdpa",
    )


def test_an_attention_that_needs_16_bits_is_replaced_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        plan = plan_of(Settings(wav2vec_attn_implementation="flash_attention_2"))
    assert plan.attention == "sdpa"
    assert "flash_attention_2" in caplog.text


def test_nothing_but_the_weights_in_use_stays_in_memory(codec: Codec) -> None:
    networks = (codec.encoder.codec, codec.decoder)
    held = [tensor for network in networks for tensor in network.state_dict().values()]
    file = load_file(golden.CHECKPOINT / "BiCodec" / "model.safetensors")
    needed = sum(tensor.numel() for name, tensor in file.items() if not CODEC_UNUSED.match(name))
    codebook = file["quantizer.codebook.weight"].numel()  # both halves have it
    gains = sum(tensor.numel() for name, tensor in file.items() if name.endswith(".weight_g"))
    assert sum(tensor.numel() for tensor in held) == needed + codebook - gains
    assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in held), "no views of larger tensors"
    assert not any(tensor.requires_grad for tensor in held)
