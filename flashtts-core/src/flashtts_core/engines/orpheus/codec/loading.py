"""Opens the codec: the half of a SNAC checkpoint that speaks, on its device."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from flashtts_core.engines.orpheus.codec.config import read_snac_config
from flashtts_core.engines.orpheus.codec.decoder import SnacDecoder
from flashtts_core.nn.weights import Placement, load, open_weights

UNUSED = re.compile(r"encoder\.|quantizer\.quantizers\.\d+\.in_proj\.")
"""Tensors of a SNAC file that only encoding needs."""


def open_codec(config: Path, weights: Path, device: torch.device) -> SnacDecoder:
    """Load the decoder; raises ``BadCheckpoint`` that names the file and what is wrong with it."""
    with torch.device("meta"):  # the network gets its memory together with its weights
        decoder = SnacDecoder(read_snac_config(config))
    load(open_weights(weights), [Placement(decoder, "", device)], unused=UNUSED)
    return decoder
