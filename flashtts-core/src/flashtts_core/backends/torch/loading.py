"""Builds the decoder from a checkpoint: fuses the projections that read the same input, in the chosen number format.

Tensors are copied one by one out of the mapped files, so loading never holds a weight twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch

from flashtts_core.backends.layout import EMBEDDING, FINAL_NORM, HEAD
from flashtts_core.backends.torch.checkpoint import Checkpoint, open_checkpoint
from flashtts_core.backends.torch.config import DecoderConfig
from flashtts_core.backends.torch.network import ATTENTION, Block, Decoder
from flashtts_core.backends.torch.placement import Placement
from flashtts_core.backends.torch.projection import Projection


@dataclass(frozen=True)
class LanguageModel:
    """A decoder and the weights of its output head [vocabulary, hidden]."""

    decoder: Decoder
    head: torch.Tensor


def load_language_model(folder: Path, config: DecoderConfig, placement: Placement) -> LanguageModel:
    """Load the model in ``folder``; raises ``BadCheckpoint``."""
    with open_checkpoint(folder, config) as checkpoint:
        reader = _Reader(checkpoint, placement)
        embedding = reader.joined(EMBEDDING)
        blocks = [reader.block(f"model.layers.{layer}.") for layer in range(config.layers)]
        norm = reader.joined(FINAL_NORM)
        head = reader.joined(HEAD) if checkpoint.own_head(config) else embedding
    decoder = Decoder(config, embedding, blocks, norm, ATTENTION[placement.attention])
    return LanguageModel(decoder, head)


class _Reader:
    def __init__(self, checkpoint: Checkpoint, placement: Placement) -> None:
        self._checkpoint = checkpoint
        self._placement = placement

    def joined(self, *names: str) -> torch.Tensor:
        """Return tensors joined along their rows, in memory of their own."""
        stored = [self._checkpoint.read(name) for name in names]
        rows = [len(tensor) for tensor in stored]
        whole = torch.empty(sum(rows), *stored[0].shape[1:], device=self._placement.device, dtype=self._placement.dtype)
        for end, tensor in zip(accumulate(rows), stored, strict=True):
            whole[end - len(tensor) : end] = tensor
        return whole

    def projection(self, *names: str) -> Projection:
        biases = [f"{name}.bias" for name in names]
        bias = self.joined(*biases) if biases[0] in self._checkpoint else None
        return Projection(self.joined(*(f"{name}.weight" for name in names)), bias)

    def block(self, prefix: str) -> Block:
        attention, mlp = f"{prefix}self_attn.", f"{prefix}mlp."
        return Block(
            input_norm=self.joined(f"{prefix}input_layernorm.weight"),
            qkv=self.projection(*(f"{attention}{name}_proj" for name in "qkv")),
            output=self.projection(f"{attention}o_proj"),
            mlp_norm=self.joined(f"{prefix}post_attention_layernorm.weight"),
            gate_up=self.projection(f"{mlp}gate_proj", f"{mlp}up_proj"),
            down=self.projection(f"{mlp}down_proj"),
        )
