"""One mono float32 stream through a chain of FFmpeg filters, in pieces of any size.

PyAV speaks in frames, time bases and two kinds of "not now" exceptions; the modules above this one speak in
arrays. A chain belongs to one thread at a time; FFmpeg computes without the GIL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from av import AudioFrame
from av.filter import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FilterChain:
    """A linear FFmpeg filter graph, e.g. ``[("atempo", {"tempo": "1.2"})]``, mono float32 on both ends."""

    def __init__(self, sample_rate: int, filters: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        graph = Graph()
        source = graph.add(
            "abuffer",
            sample_rate=str(sample_rate),
            sample_fmt="flt",
            channel_layout="mono",
            time_base=f"1/{sample_rate}",
        )
        middle = [graph.add(name, **options) for name, options in filters]
        flat = graph.add("aformat", sample_fmts="flt", channel_layouts="mono")
        sink = graph.add("abuffersink")
        graph.link_nodes(source, *middle, flat, sink)
        graph.configure()
        self._graph = graph  # filter contexts hold their graph weakly
        self._source = source
        self._sink = sink
        self._sample_rate = sample_rate
        self._taken = 0

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put samples [n] in and return what has come out at the other end [m]."""
        if samples.size:
            frame = AudioFrame.from_ndarray(
                np.ascontiguousarray(samples, dtype=np.float32)[None], format="flt", layout="mono"
            )
            frame.sample_rate = self._sample_rate
            frame.time_base = Fraction(1, self._sample_rate)
            frame.pts = self._taken
            self._taken += samples.size
            self._source.push(frame)
        return self._drain()

    def finish(self) -> NDArray[np.float32]:
        """End the stream and return what the filters still held [m]; the chain is spent."""
        self._source.push(None)
        return self._drain()

    def _drain(self) -> NDArray[np.float32]:
        pieces: list[NDArray[np.float32]] = []
        while True:
            try:
                frame = self._sink.pull()
            except (BlockingIOError, EOFError):  # nothing yet; nothing more
                break
            assert isinstance(frame, AudioFrame)
            pieces.append(frame.to_ndarray().reshape(-1).astype(np.float32, copy=False))
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
