"""What ``config.json`` of a SNAC folder says; the checkpoints of Orpheus-TTS need the build for 24 kHz."""

from __future__ import annotations

from math import prod
from pathlib import Path

import msgspec
from msgspec import Struct

from flashtts_core.errors import BadCheckpoint

SLOT_LEVELS = (0, 1, 2, 2, 1, 2, 2)
"""The quantizer level of each of the seven codes of a frame, coarse to fine, in the order the language model writes."""
SLOTS = len(SLOT_LEVELS)
CODEBOOK_SIZE = 4096


class SnacConfig(Struct, frozen=True):
    """The constructor arguments of a SNAC; ``latent_dim`` ``None`` follows from the encoder."""

    sampling_rate: int
    encoder_dim: int
    encoder_rates: tuple[int, ...]
    decoder_dim: int
    decoder_rates: tuple[int, ...]
    codebook_size: int
    codebook_dim: int
    vq_strides: tuple[int, ...]
    attn_window_size: int | None = None
    latent_dim: int | None = None
    noise: bool = True
    depthwise: bool = True

    @property
    def latent(self) -> int:
        """Width of the vectors that the decoder gets."""
        return self.latent_dim or self.encoder_dim << len(self.encoder_rates)

    @property
    def hop(self) -> int:
        """Samples of one latent vector."""
        return prod(self.decoder_rates)

    @property
    def frame_latents(self) -> int:
        """Latent vectors of one frame of codes."""
        return self.vq_strides[0]

    @property
    def frame_samples(self) -> int:
        """Samples of one frame of codes."""
        return self.hop * self.frame_latents


def read_snac_config(path: Path) -> SnacConfig:
    """Read ``config.json``; raises ``BadCheckpoint`` that says what is wrong with it."""
    try:
        config = msgspec.json.decode(path.read_bytes(), type=SnacConfig)
    except (OSError, msgspec.DecodeError) as error:
        raise BadCheckpoint(f"{path} is not the config of a SNAC ({error}). Fetch it again.") from error
    if fault := _fault(config):
        raise BadCheckpoint(
            f"{path} describes a SNAC that Orpheus-TTS does not speak with: {fault}. Use hubertsiuzdak/snac_24khz."
        )
    return config


def _fault(config: SnacConfig) -> str | None:
    counts = tuple(config.vq_strides[0] // stride for stride in config.vq_strides if stride > 0)
    if config.attn_window_size is not None:
        return f"it has local attention (attn_window_size {config.attn_window_size})"
    if config.vq_strides[-1:] != (1,) or counts != tuple(SLOT_LEVELS.count(level) for level in range(3)):
        return f"its vq_strides {list(config.vq_strides)} do not give seven codes a frame"
    if config.codebook_size != CODEBOOK_SIZE:
        return f"its codebook_size is {config.codebook_size}, not {CODEBOOK_SIZE}"
    sizes = (config.latent, config.codebook_dim, config.sampling_rate, *config.decoder_rates)
    if not config.decoder_rates or min(sizes) < 1 or config.decoder_dim >> len(config.decoder_rates) < 1:
        return "its sizes are not positive"
    return None
