"""Frames of codes to samples: whole lines and pieces of a stream, one or many at a time.

A piece decodes like the whole line when it brings ``reach`` frames of context on each side (fewer only at the true
ends, where the networks see the zeros that they see in a whole decode). What the wanted samples do not depend on is
cut away between the layers, so a piece costs little more than its own share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from flashtts_core.engines.orpheus.codec.config import SLOT_LEVELS, SnacConfig
from flashtts_core.engines.orpheus.codec.extent import Extent, extents, reach
from flashtts_core.engines.orpheus.codec.noise import noise
from flashtts_core.engines.orpheus.codec.snac import CodebookDecoder, Decoder

Frame = tuple[int, ...]
"""The seven codes of a frame, in the order the language model writes them."""

Noise = Callable[[int, Sequence[int], int], NDArray[np.float32] | None]
"""Gives the noise [B, 1, length] of a block from positions on, one for each item; ``None`` is none."""


class Piece(Struct, frozen=True, eq=False):
    """Frames of a line from number ``offset`` on, with context; ``count`` from ``first`` on are wanted.

    ``first`` counts within ``frames``; ``seed`` is that of the noise.
    """

    frames: Sequence[Frame]
    offset: int
    first: int
    count: int
    seed: int


class Layer:
    """The output of a layer for a batch: x [B, C, T], where item i holds ``extents[i]`` and is zero behind it.

    ``bounds`` are the extents that the pieces would have had without any cut.
    """

    def __init__(self, x: Tensor, extents: Sequence[Extent], bounds: Sequence[Extent] | None = None) -> None:
        self.x = x
        self.extents = extents
        self._bounds = extents if bounds is None else bounds

    def scaled(self, rate: int) -> list[Extent]:
        """Return the extents at ``rate`` times the rate."""
        return [extent.scaled(rate) for extent in self.extents]

    def become(self, x: Tensor, rate: int = 1) -> Layer:
        """Return the layer that follows, at ``rate`` times the rate."""
        return Layer(x, self.scaled(rate), [bound.scaled(rate) for bound in self._bounds])

    def cut(self, needed: Sequence[Extent]) -> Layer:
        """Return what is needed and there."""
        kept = [need.within(bounds) for need, bounds in zip(needed, self._bounds, strict=True)]
        cuts = [keep.seen_from(has) for keep, has in zip(kept, self.extents, strict=True)]
        if all(cut == cuts[0] for cut in cuts):
            return Layer(self.x[..., cuts[0]], kept, self._bounds)
        x = self.x.new_zeros(*self.x.shape[:-1], max(map(len, kept)))
        for item, source, cut in zip(x, self.x, cuts, strict=True):
            item[..., : cut.stop - cut.start] = source[..., cut]
        return Layer(x, kept, self._bounds)


class SnacDecoder(nn.Module):
    """The half of SNAC that speaks; ``decode`` runs without gradients."""

    def __init__(self, config: SnacConfig) -> None:
        super().__init__()
        self.config = config
        self.reach = reach(config.decoder_rates, config.frame_latents)
        """Frames to either side that the samples of one frame depend on."""
        self.quantizer = CodebookDecoder(config)
        self.decoder = Decoder(config)

    def decode(self, pieces: Sequence[Piece]) -> list[NDArray[np.float32]]:
        """Return the wanted samples [count * frame_samples] of each piece."""
        seeds = [piece.seed for piece in pieces]
        return self.render(pieces, lambda block, starts, length: noise(seeds, block, starts, length))

    @torch.inference_mode()
    def render(self, pieces: Sequence[Piece], breath: Noise) -> list[NDArray[np.float32]]:
        """Return the samples as ``decode`` does, with noise from ``breath``."""
        rates = self.config.decoder_rates
        wanted = [_wanted(piece).scaled(self.config.frame_samples) for piece in pieces]
        plans = [extents(rates, each) for each in wanted]
        layer = Layer(self._latents(pieces), [_held(piece).scaled(self.config.frame_latents) for piece in pieces])
        layer = layer.cut([plan[0] for plan in plans])
        layer = layer.become(self.decoder.head(layer.x))
        for number, (block, rate) in enumerate(zip(self.decoder.blocks, rates, strict=True)):
            layer = layer.cut([plan[number + 1] for plan in plans])
            out = layer.scaled(rate)
            layer = layer.become(block(layer.x, self._noise(breath, number, out), _ends(out)), rate)
        layer = layer.cut([plan[-1] for plan in plans])
        samples = self.decoder.tail(layer.x).numpy(force=True)
        return [
            of_piece[want.seen_from(has)].copy()
            for of_piece, want, has in zip(samples, wanted, layer.extents, strict=True)
        ]

    def _latents(self, pieces: Sequence[Piece]) -> Tensor:
        """Look up the frames of all pieces: z_q [B, latent, T]; what is behind a piece's end is cut off later."""
        longest = max(len(piece.frames) for piece in pieces)
        codes = torch.zeros(len(pieces), longest, len(SLOT_LEVELS), dtype=torch.long)
        for row, piece in zip(codes, pieces, strict=True):
            row[: len(piece.frames)] = torch.tensor(piece.frames)
        z_q: Tensor = self.quantizer(levels_of(codes.to(self._device)))
        return z_q

    def _noise(self, breath: Noise, block: int, out: Sequence[Extent]) -> Tensor | None:
        drawn = breath(block, [extent.start for extent in out], max(map(len, out)))
        return None if drawn is None else torch.from_numpy(drawn).to(self._device)

    @property
    def _device(self) -> torch.device:
        return next(self.parameters()).device


def levels_of(codes: Tensor) -> list[Tensor]:
    """Sort frames [B, F, 7] into the codes of each level, in time order: [B, F], [B, 2 F], [B, 4 F]."""
    return [
        codes[:, :, [slot for slot, of in enumerate(SLOT_LEVELS) if of == level]].flatten(1)
        for level in range(max(SLOT_LEVELS) + 1)
    ]


def _ends(extents: Sequence[Extent]) -> list[int] | None:
    """Return the lengths of the items of a batch, if they differ."""
    lengths = [len(extent) for extent in extents]
    return lengths if len(set(lengths)) > 1 else None


def _wanted(piece: Piece) -> Extent:
    start = piece.offset + piece.first
    return Extent(start, start + piece.count)


def _held(piece: Piece) -> Extent:
    return Extent(piece.offset, piece.offset + len(piece.frames))
