"""Samples to container bytes, piece by piece, in the six formats of the API.

``Encoder`` writes to something that can only be appended to, so bytes leave as they are made: no muxer waits for a
chance to seek back. ``encode_whole`` knows the end, so its headers hold exact sizes.

What a decoder sees (n samples in, counted at the rate it decodes to):

* pcm, wav, flac, opus: exactly n. Opus is always decoded at 48 kHz; its pre-skip and last granule cut the rest away.
* mp3 streamed: 1105 samples of encoder delay, then all n, then padding to a whole frame. Written whole, a Xing/LAME
  header tells decoders both numbers: n, or up to 12 ms more.
* aac (ADTS has no place for such numbers): 1024 samples of delay, all n, padding to a whole frame.
* No samples give a body without audio: headers, or not a byte.
"""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from av.audio.stream import AudioStream

from flashtts_core.audio.formats import FORMATS, AudioFormat, Codec, FormatSpec
from flashtts_core.audio.resample import Resampler, check_rate
from flashtts_core.errors import RequestError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["FORMATS", "AudioFormat", "Encoder", "encode_whole", "to_int16", "wav_header"]

OPEN_SIZE = 0xFFFFFFFF  # what a streamed wav says of its length: "until the end", as ffmpeg and OpenAI write it
_INT16_LE = np.dtype("<i2")


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Convert to 16 bit: x * 32768, half to even, clipped (so 16-bit input survives unchanged); NaN gives 0."""
    scaled = _within_range(samples) * np.float32(32768)
    np.rint(scaled, out=scaled)
    np.minimum(scaled, np.float32(32767), out=scaled)
    return scaled.astype(np.int16)


def wav_header(sample_rate: int, data_bytes: int | None) -> bytes:
    """Give the 44 bytes before 16-bit mono samples; None means a length not known yet."""
    riff, data = (OPEN_SIZE, OPEN_SIZE) if data_bytes is None else (36 + data_bytes, data_bytes)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", riff, b"WAVE"),
        *(b"fmt ", 16, 1, 1, sample_rate, 2 * sample_rate, 2, 16),
        *(b"data", data),
    )


class Encoder:
    """Encode a mono stream as it is made: ``encode`` each piece, then ``finish``; ``close`` gives up early.

    The bytes of all calls, joined, are the body; they do not depend on how the samples were cut. NaN becomes silence
    and what is beyond [-1, 1] is clipped. Raises RequestError for an unknown format or a rate outside of 4 to 192 kHz,
    RuntimeError when used after ``finish`` or ``close``.
    """

    def __init__(self, format: AudioFormat, sample_rate: int) -> None:  # noqa: A002 - the API's word
        codec = _spec(format).codec
        check_rate(sample_rate)
        self._writer: _Writer | None
        if codec is None:
            self._writer = _PlainWriter(wav_header(sample_rate, None) if format == "wav" else b"")
        else:
            self._writer = _CodecWriter(codec, sample_rate)

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        """Take float32 samples [n], return the bytes that are ready (maybe none)."""
        return self._open_writer().encode(samples)

    def finish(self) -> bytes:
        """Return the rest of the body and release the codec."""
        writer = self._open_writer()
        self._writer = None
        return writer.finish()

    def close(self) -> None:
        """Release the codec of a stream that nobody wants the end of; harmless after ``finish``."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_writer(self) -> _Writer:
        if self._writer is None:
            raise RuntimeError("This encoder is finished; a new stream needs a new one.")
        return self._writer


def encode_whole(samples: NDArray[np.float32], sample_rate: int, format: AudioFormat) -> bytes:  # noqa: A002 - as above
    """Encode all of a mono signal [n] at once, with exact sizes in its headers; else as ``Encoder``."""
    codec = _spec(format).codec
    check_rate(sample_rate)
    if codec is None:
        data = _little_endian(samples)
        return (wav_header(sample_rate, len(data)) if format == "wav" else b"") + data
    whole = io.BytesIO()
    writer = _CodecWriter(codec, sample_rate, sink=whole)
    writer.encode(samples)
    writer.finish()
    return whole.getvalue()


def _spec(name: AudioFormat) -> FormatSpec:
    if name not in FORMATS:
        raise RequestError(f"There is no audio format {name!r}; choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def _within_range(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clip to [-1, 1], with silence for NaN, which would poison a codec's filters for good; what fits is not copied."""
    samples = np.ascontiguousarray(samples, np.float32)
    # Speech almost always fits, and to look costs half of what clipping does. NaN fits nowhere.
    if not samples.size or (np.minimum.reduce(samples) >= -1 and np.maximum.reduce(samples) <= 1):
        return samples
    within: NDArray[np.float32] = np.clip(samples, np.float32(-1), np.float32(1))
    within[np.isnan(within)] = 0.0
    return within


def _little_endian(samples: NDArray[np.float32]) -> bytes:
    return to_int16(samples).astype(_INT16_LE, copy=False).tobytes()


class _Writer(Protocol):
    def encode(self, samples: NDArray[np.float32]) -> bytes: ...

    def finish(self) -> bytes: ...

    def close(self) -> None: ...


class _PlainWriter:
    """16-bit little endian samples behind a header."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        header, self._header = self._header, b""
        return header + _little_endian(samples)

    def finish(self) -> bytes:
        return self._header

    def close(self) -> None:
        """There is nothing to release."""


class _Pipe:
    """Where a muxer writes to: without ``seek`` it cannot go back."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class _CodecWriter:
    """A codec and its container; with a ``sink`` that can seek, the bytes go there and headers are exact."""

    def __init__(self, codec: Codec, sample_rate: int, sink: io.BytesIO | None = None) -> None:
        self._codec = codec
        self._rate = _codec_rate(codec, sample_rate)
        self._resampler = Resampler(sample_rate, self._rate)
        self._taken = 0
        self._pipe = _Pipe()
        # bitexact: no random Ogg serial number; the same speech is the same bytes.
        options = {"fflags": "+bitexact+flush_packets"} | codec.container_options
        if sink is None:
            options |= codec.stream_options
        self._container = av.open(
            self._pipe if sink is None else sink, "w", format=codec.container, container_options=options
        )
        stream = self._container.add_stream(codec.name, rate=self._rate, options=dict(codec.options))
        assert isinstance(stream, AudioStream)
        self._stream = stream
        context = stream.codec_context
        context.format = codec.sample_format
        context.layout = "mono"
        if codec.bit_rate is not None:
            context.bit_rate = codec.bit_rate
        self._container.start_encoding()

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        return self._write(self._resampler.process(_within_range(samples)))

    def finish(self) -> bytes:
        body = self._write(self._resampler.finish())
        self._container.mux(self._stream.encode(None))
        self.close()
        return body + self._pipe.take()

    def close(self) -> None:
        self._container.close()

    def _write(self, samples: NDArray[np.float32]) -> bytes:
        if samples.size:
            data = to_int16(samples) if self._codec.sample_format == "s16" else _within_range(samples)
            frame = av.AudioFrame.from_ndarray(data[None], format=self._codec.sample_format, layout="mono")
            frame.sample_rate = self._rate
            frame.time_base = Fraction(1, self._rate)
            frame.pts = self._taken
            self._taken += samples.size
            self._container.mux(self._stream.encode(frame))
        return self._pipe.take()


def _codec_rate(codec: Codec, sample_rate: int) -> int:
    if not codec.rates:
        return sample_rate
    return next((rate for rate in codec.rates if rate >= sample_rate), codec.rates[-1])
