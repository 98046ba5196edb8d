"""Which part of every layer a stretch of samples depends on: interval arithmetic over the decoder.

Convolutions close to the sound see a few samples only, those close to the codes see several frames. So the context
that a stretch brings is cut away again from layer to layer: most of the work is at the high rates, and there almost
nothing but the wanted samples is computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flashtts_core.engines.orpheus.codec.snac import DILATIONS, KERNEL

_CONVOLUTION = KERNEL // 2
_RESIDUAL = sum(_CONVOLUTION * dilation for dilation in DILATIONS)


class Extent(Struct, frozen=True):
    """Positions [start, end) of a layer, counted from the start of the line."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def widened(self, by: int) -> Extent:
        """Return the extent with ``by`` more positions on each side."""
        return Extent(self.start - by, self.end + by)

    def scaled(self, by: int) -> Extent:
        """Return the extent at ``by`` times the rate."""
        return Extent(self.start * by, self.end * by)

    def within(self, bounds: Extent) -> Extent:
        """Return the part inside ``bounds``."""
        return Extent(max(self.start, bounds.start), min(self.end, bounds.end))

    def seen_from(self, other: Extent) -> slice:
        """Return where this extent is in an array that holds ``other``."""
        return slice(self.start - other.start, self.end - other.start)


def extents(rates: Sequence[int], wanted: Extent) -> list[Extent]:
    """Return what the samples ``wanted`` depend on: latents, the input of every block, the input of the tail.

    Positions before the start and behind the end of the line are not left out.
    """
    needed = [wanted.widened(_CONVOLUTION)]
    for rate in reversed(rates):
        needed.append(_upsampled_from(needed[-1].widened(_RESIDUAL), rate))
    needed.append(needed[-1].widened(_CONVOLUTION))
    return needed[::-1]


def reach(rates: Sequence[int], frame: int) -> int:
    """Return how many frames of ``frame`` latents to either side the samples of a frame depend on."""
    hop = 1
    for rate in rates:
        hop *= rate
    latents = extents(rates, Extent(0, frame * hop))[0]
    return max(-(latents.start // frame), -(-latents.end // frame) - 1)


def _upsampled_from(out: Extent, rate: int) -> Extent:
    """Return the input of a transposed convolution with kernel ``2 * rate`` that its output ``out`` depends on."""
    padding = (rate + 1) // 2
    return Extent((out.start + padding - 2 * rate) // rate + 1, (out.end - 1 + padding) // rate + 1)
