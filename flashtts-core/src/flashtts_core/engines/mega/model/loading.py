"""Opens the networks of a checkpoint, each on its device."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from msgspec import Struct
from torch import Tensor, nn

from flashtts_core.engines.mega.checkpoint import AlignerConfig, MegaFiles, read_config, read_duration_config
from flashtts_core.engines.mega.codec.wavvae import WavVaeDecoder
from flashtts_core.engines.mega.model import sizes
from flashtts_core.engines.mega.model.aligner import Aligner
from flashtts_core.engines.mega.model.diffusion import DiffusionNetwork
from flashtts_core.engines.mega.model.duration import DurationNetwork
from flashtts_core.engines.mega.model.mel import LogMel
from flashtts_core.errors import BadCheckpoint
from flashtts_core.nn.devices import choose_device
from flashtts_core.nn.weights import Placement, WeightFile, load, open_torch
from flashtts_core.settings import Settings

logger = logging.getLogger(__name__)

_WRAPPERS = ("module.", "_orig_mod.")
"""What training wrappers put into names."""
DURATION_UNUSED = re.compile(r"char_encoder\.|char_empty_embed\.")
"""A second text encoder, of characters, that speaking does not use."""
CODEC_UNUSED = re.compile(r"encoder\.|proj_to_z\.")
"""The half that makes latents; most files do not hold it."""
NOTHING = re.compile(r"(?!)")

Network = TypeVar("Network", bound=nn.Module)


class MegaPlan(Struct, frozen=True):
    """Where the networks run: those that hear a reference, and those that speak."""

    listening: torch.device = torch.device("cpu")
    speaking: torch.device = torch.device("cpu")


class Networks(Struct, frozen=True, eq=False):
    """The open networks of a checkpoint, all but the phone writer, which is the backend's."""

    win_size: int
    mel: LogMel
    aligner: Aligner
    duration: DurationNetwork
    diffusion: DiffusionNetwork
    codec: WavVaeDecoder
    plan: MegaPlan


def plan_of(settings: Settings) -> MegaPlan:
    """Read the plan off the settings; raises ``ConfigError`` for a device that is not there."""
    return MegaPlan(
        choose_device("tokenizer_device", settings.tokenizer_device),
        choose_device("detokenizer_device", settings.detokenizer_device),
    )


def open_networks(files: MegaFiles, plan: MegaPlan) -> Networks:
    """Load the networks; raises ``BadCheckpoint`` that names the file and what is wrong with it."""
    read_duration_config(files.duration_config)
    win_size = read_config(files.aligner_config, AlignerConfig).win_size
    aligner_file = open_part(files.aligner, "model")
    aligner = _filled(aligner_file, lambda: Aligner(sizes.aligner_sizes(aligner_file)), plan.listening)
    duration_file = open_part(files.duration, "dur_model")
    duration = _filled(
        duration_file,
        lambda: DurationNetwork(sizes.duration_sizes(duration_file)),
        plan.speaking,
        unused=DURATION_UNUSED,
    )
    codec_file = open_part(files.codec, "model_gen")
    codec = _filled(
        codec_file, lambda: WavVaeDecoder(sizes.codec_sizes(codec_file)), plan.speaking, unused=CODEC_UNUSED
    )
    diffusion = open_diffusion(files.diffusion, plan.speaking)
    if codec.proj_to_decoder.in_features != diffusion.sizes.latent:
        raise BadCheckpoint(
            f"{files.codec} takes latents of {codec.proj_to_decoder.in_features} numbers, {files.diffusion} makes some "
            f"of {diffusion.sizes.latent}. Fetch both from the same model."
        )
    mel = LogMel(aligner.sizes.mels, plan.listening)
    return Networks(win_size, mel, aligner, duration, diffusion, codec, plan)


def open_diffusion(path: Path, device: torch.device) -> DiffusionNetwork:
    """Load the diffusion network, of which the official file holds more than inference needs; that is logged."""
    file = open_part(path, "dit")
    network = _filled(file, lambda: DiffusionNetwork(sizes.diffusion_sizes(file)), device, unused=re.compile(""))
    if surplus := sorted(file.shapes.keys() - network.state_dict().keys()):
        logger.info("Tensors of %s that are not used: %s.", path, ", ".join(surplus))
    return network


def open_part(path: Path, name: str) -> WeightFile:
    """Open the tensors that a training checkpoint keeps under ``name``; raises ``BadCheckpoint``."""

    def find(content: Any) -> Mapping[str, Tensor]:
        parts = {_unwrapped(key): part for key, part in content["state_dict"].items()}
        return {_unwrapped(key): tensor for key, tensor in parts[name].items()}

    return open_torch(path, find)


def _filled(
    file: WeightFile, make: Callable[[], Network], device: torch.device, unused: re.Pattern[str] = NOTHING
) -> Network:
    with torch.device("meta"):  # a network gets its memory together with its weights
        network = make()
    load(file, [Placement(network, "", device)], unused=unused)
    return network


def _unwrapped(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.replace(wrapper, "")
    return name
