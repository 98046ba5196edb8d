"""The six audio formats of the API: names, content types, and how each is written. Nothing else lists them.

The settings were chosen by measurement on two reference clips of 24 kHz (signal to noise after decoding; CPU time for
100 ms of speech on one core):

* mp3: 128 kbit/s constant, without the bit reservoir, which would hold the first bytes back by 25 ms; LAME quality 7
  is as good at this rate (34 dB) in 0.7 instead of 1.2 ms. 24 or 48 kHz only: those frames (24 ms) are the shortest.
* aac: 96 kbit/s at 48 kHz, where the first frame leaves after 43 ms (at 24 kHz after 85); the ``fast`` coder beats the
  default ``twoloop`` at this rate: 29 dB in 0.4 ms against 22 dB in 1.7 ms.
* opus: 64 kbit/s variable, ``audio``; ``voip`` filters the voice (10 dB instead of 22) and takes twice as long.
* flac: frames of 20 ms, 1 % larger than with its default of 96 ms.
"""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]


class Codec(Struct, frozen=True):
    """How PyAV is to write one format."""

    name: str
    container: str
    sample_format: Literal["s16", "flt", "fltp"]
    rates: tuple[int, ...] = ()
    """The rates it is run at, rising: the first that is not below the input's is taken. Empty: any."""
    bit_rate: int | None = None
    options: dict[str, str] = {}
    container_options: dict[str, str] = {}
    stream_options: dict[str, str] = {}
    """Container options for output that cannot seek."""


class FormatSpec(Struct, frozen=True):
    """One row of ``FORMATS``."""

    content_type: str
    extension: str
    codec: Codec | None = None
    """None: plain 16-bit samples."""


FORMATS: dict[AudioFormat, FormatSpec] = {
    "mp3": FormatSpec(
        "audio/mpeg",
        "mp3",
        Codec(
            "libmp3lame",
            "mp3",
            "fltp",
            rates=(24_000, 48_000),
            bit_rate=128_000,
            options={"reservoir": "0", "compression_level": "7"},
            container_options={"id3v2_version": "0"},
            stream_options={"write_xing": "0"},  # it would have to be patched at the end
        ),
    ),
    "opus": FormatSpec(
        "audio/opus",
        "opus",
        Codec(
            "libopus",
            "ogg",
            "flt",
            rates=(8_000, 12_000, 16_000, 24_000, 48_000),
            bit_rate=64_000,
            options={"application": "audio", "vbr": "on", "frame_duration": "20"},
            stream_options={"page_duration": "20000"},  # microseconds; the default of 1 s holds 1.95 s back
        ),
    ),
    "aac": FormatSpec(
        "audio/aac",
        "aac",
        Codec("aac", "adts", "fltp", rates=(48_000,), bit_rate=96_000, options={"aac_coder": "fast"}),
    ),
    "flac": FormatSpec(
        "audio/flac",
        "flac",
        Codec(
            "flac",
            "flac",
            "s16",
            options={"frame_size": "480"},  # samples: 20 ms at 24 kHz
            container_options={"metadata_header_padding": "0"},  # else 8 kB of zeros come first
        ),
    ),
    "wav": FormatSpec("audio/wav", "wav"),
    "pcm": FormatSpec("audio/pcm", "pcm"),
}
assert tuple(FORMATS) == get_args(AudioFormat)
