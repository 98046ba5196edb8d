"""Reads the sizes of the networks off the shapes of their tensors: the configs of official models do not give them.

Only head counts are not in the shapes; they are fixed, as in the reference. Whatever is inferred wrongly from a file
that does not fit is named by the strict loading that follows.
"""

from __future__ import annotations

import re

from flashtts_core.engines.mega.codec.wavvae import WavVaeSizes
from flashtts_core.engines.mega.model.aligner import AlignerSizes
from flashtts_core.engines.mega.model.diffusion import DiffusionSizes
from flashtts_core.engines.mega.model.duration import DurationSizes
from flashtts_core.engines.mega.model.text_encoder import TextEncoderSizes
from flashtts_core.errors import BadCheckpoint
from flashtts_core.nn.weights import WeightFile


class Shapes:
    """The shapes of one file; what is not there, or has other dimensions, is named."""

    def __init__(self, file: WeightFile) -> None:
        self._file = file

    def of(self, name: str, dimensions: int) -> tuple[int, ...]:
        """Return the shape of a tensor; raises ``BadCheckpoint``."""
        shape = self._file.shapes.get(name)
        if shape is None or len(shape) != dimensions:
            what = "lacks it" if shape is None else f"holds it as {list(shape)}"
            raise BadCheckpoint(
                f"{self._file.path} is not this part of a MegaTTS 3 model: {name} should have {dimensions} dimensions, "
                f"the file {what}. Fetch it again."
            )
        return shape

    def has(self, name: str) -> bool:
        """Say whether there is such a tensor."""
        return name in self._file.shapes

    def count(self, stem: str) -> int:
        """Return how many numbered parts there are below ``stem``."""
        found = (re.match(rf"{re.escape(stem)}\.(\d+)\.", name) for name in self._file.shapes)
        return len({match[1] for match in found if match})


def aligner_sizes(file: WeightFile) -> AlignerSizes:
    """Return the sizes of an aligner."""
    shapes = Shapes(file)
    dim, mels, _ = shapes.of("encoder.conv1.weight", 3)
    return AlignerSizes(
        mels=mels,
        dim=dim,
        encoder_layers=shapes.count("encoder.blocks"),
        decoder_layers=shapes.count("decoder.blocks"),
        encoder_context=shapes.of("encoder.positional_embedding", 2)[0],
        decoder_context=shapes.of("decoder.positional_embedding", 2)[0],
        tokens=shapes.of("decoder.token_embedding.weight", 2)[0],
    )


def duration_sizes(file: WeightFile) -> DurationSizes:
    """Return the sizes of a duration network; a last norm means that norms come first in its layers."""
    shapes = Shapes(file)
    codes, dim = shapes.of("code_emb.weight", 2)
    return DurationSizes(
        text=_text_sizes(shapes, "encoder"),
        tones=shapes.of("ling_label_embed_layers.tone.weight", 2)[0],
        dim=dim,
        layers=shapes.count("layers"),
        codes=codes - 2,
        norm_first=shapes.has("layer_norm.weight"),
        bias=shapes.has("layers.0.op.ffn.ffn_2.bias"),
    )


def diffusion_sizes(file: WeightFile) -> DiffusionSizes:
    """Return the sizes of a diffusion network."""
    shapes = Shapes(file)
    dim, latent = shapes.of("x_prenet.weight", 2)
    return DiffusionSizes(
        text=_text_sizes(shapes, "ph_encoder"),
        tones=shapes.of("tone_embed.weight", 2)[0],
        latent=latent,
        mark=shapes.of("ctx_mask_proj.weight", 2)[0],
        local=shapes.of("local_cond_project.weight", 2)[0],
        dim=dim,
        hidden=shapes.of("encoder.layers.0.feed_forward.w1.weight", 2)[0],
        layers=shapes.count("encoder.layers"),
    )


def codec_sizes(file: WeightFile) -> WavVaeSizes:
    """Return the sizes of a WavVAE decoder."""
    shapes = Shapes(file)
    twice, latent = shapes.of("proj_to_decoder.weight", 2)
    return WavVaeSizes(latent, inner=twice // 2, widest=shapes.of("decoder.model_up.1.weight", 3)[0])


def _text_sizes(shapes: Shapes, stem: str) -> TextEncoderSizes:
    ids, dim = shapes.of(f"{stem}.emb.weight", 2)
    width = shapes.of(f"{stem}.encoder.attn_layers.0.emb_rel_k", 3)[2]
    hidden, _, kernel = shapes.of(f"{stem}.encoder.ffn_layers.0.conv_1.weight", 3)
    return TextEncoderSizes(
        ids, dim, heads=dim // width, layers=shapes.count(f"{stem}.encoder.attn_layers"), hidden=hidden, kernel=kernel
    )
