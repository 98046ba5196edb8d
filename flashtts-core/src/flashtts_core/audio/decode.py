"""Foreign bytes to mono samples: any common audio file, under budgets that act while it is being decoded.

The bytes come from strangers, so nothing a header says is believed:

* Decoding stops at the budget. Hours of silence fit into a few 100 kB of Opus; what was decoded so far is mixed down
  and resampled as it comes, and nothing else is held.
* FFmpeg may use the containers and codecs listed here and nothing else, and may not open anything by itself. Playlists
  (HLS, DASH, concat), which name other files, are not on the list; nor are images and subtitles.
* zlib inside of tags and headers is taken out before FFmpeg sees it: it unpacks without a limit (tried: 1 MB of ID3
  pictures takes 1 GB).

A damaged file is treated as players do: packets that cannot be decoded are left out, and a file that breaks off is
read up to there. More than one bad packet in ten is refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, NoReturn

import av
import numpy as np
from av.error import FFmpegError
from msgspec import Meta, Struct

from flashtts_core.audio.resample import HIGHEST_RATE, LOWEST_RATE, Resampler, check_rate
from flashtts_core.errors import BadAudio, RequestError, TooLarge

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray

ChannelRule = Literal["mean", "first"]

_CONTAINERS = ("wav", "w64", "aiff", "au", "caf", "flac", "mp3", "aac", "ogg", "mov", "matroska", "amr")
_CODECS = (
    *("flac", "alac", "vorbis", "opus", "mp3float", "mp3", "mp2float", "mp2", "aac", "amrnb", "amrwb", "gsm_ms"),
    *("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le"),
    *(
        "pcm_s16be",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_f32be",
        "pcm_f64le",
        "pcm_f64be",
    ),
)
_FORMATS_IN_WORDS = "wav, flac, mp3, m4a, aac, ogg, opus, webm, mp4, aiff, amr"
MOST_CHANNELS = 8
"""What fits into the list of planes of a frame; a damaged file can claim more, and PyAV then reads past the end."""
_PADDING_SECONDS = 0.1  # lossy codecs round up to frames, and a clip of exactly the longest duration is in order
_BAD_SHARE = 0.1

_FULL_SCALE = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "f4": 1.0, "f8": 1.0}
"""The value of a full-scale sample by numpy type."""


class DecodeBudget(Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be read and decoded before it is refused."""

    max_bytes: Annotated[int, Meta(ge=1, description="Largest audio file, in bytes.")] = 10 * 2**20
    max_seconds: Annotated[float, Meta(gt=0, description="Longest audio, in seconds.")] = 30.0
    max_samples: Annotated[
        int, Meta(ge=1, description="Most samples to decode, over all channels, at the file's own rate.")
    ] = 30 * HIGHEST_RATE * MOST_CHANNELS


class Decoded(Struct, frozen=True, eq=False):
    """Audio that was decoded: samples [n] are mono float32 in [-1, 1]; ``source_`` is what the file had."""

    samples: NDArray[np.float32]
    sample_rate: int
    source_rate: int
    source_channels: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / self.sample_rate


def decode(
    source: bytes | Path | BinaryIO,
    *,
    sample_rate: int | None = None,
    budget: DecodeBudget = DecodeBudget(),  # noqa: B008 - frozen
    channel: ChannelRule = "mean",
) -> Decoded:
    """Decode a file to mono at ``sample_rate`` (None: the file's own); blocks, so run it off the event loop.

    ``channel`` says what becomes of several channels: their mean, or the first alone. NaN samples become silence.
    Raises TooLarge (bytes), RequestError (duration, or ``sample_rate`` out of range) or BadAudio (not audio, empty,
    damaged, of a kind not supported).
    """
    if sample_rate is not None:
        check_rate(sample_rate)
    mono = _MonoSink(channel, sample_rate, budget)
    packets = failed = 0
    data = _without_zlib(_read(source, budget.max_bytes))
    with closing(_open(data)) as container:
        for packet in _audio_packets(container, budget):
            packets += 1
            try:
                frames = packet.decode()
            except FFmpegError:
                failed += 1
                continue
            for frame in frames:
                assert isinstance(frame, av.AudioFrame)
                mono.add(frame)
    if failed > _BAD_SHARE * packets:
        raise BadAudio(f"The audio is damaged: {failed} of {packets} packets cannot be decoded. Send an intact file.")
    return mono.result()


class _MonoSink:
    """Collects frames as mono samples of one rate, and watches the budget."""

    def __init__(self, channel: ChannelRule, sample_rate: int | None, budget: DecodeBudget) -> None:
        self._channel = channel
        self._sample_rate = sample_rate
        self._budget = budget
        self._seconds = 0.0
        self._samples = 0
        self._source: tuple[int, int] | None = None  # rate, channels of the first frame
        self._rate = 0
        self._resampler: Resampler | None = None
        self._pieces: list[NDArray[np.float32]] = []

    def add(self, frame: av.AudioFrame) -> None:
        self._count(frame)
        if self._resampler is None or frame.sample_rate != self._rate:
            self._change_rate(frame)
        assert self._resampler is not None
        self._pieces.append(self._resampler.process(_mono(frame, self._channel)))

    def result(self) -> Decoded:
        if self._resampler is None or self._source is None or self._sample_rate is None:
            raise BadAudio("The file holds no audio samples. Send a recording that is not empty.")
        samples = np.concatenate([*self._pieces, self._resampler.finish()])
        return Decoded(np.clip(samples, -1, 1), self._sample_rate, *self._source)

    def _count(self, frame: av.AudioFrame) -> None:
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE:
            raise BadAudio(
                f"The audio has a sample rate of {frame.sample_rate} Hz; "
                f"send one of {LOWEST_RATE} to {HIGHEST_RATE} Hz."
            )
        if frame.layout.nb_channels > MOST_CHANNELS:
            raise BadAudio(f"The audio has {frame.layout.nb_channels} channels; send at most {MOST_CHANNELS}.")
        self._seconds += frame.samples / frame.sample_rate
        self._samples += frame.samples * frame.layout.nb_channels
        if self._seconds > self._budget.max_seconds + _PADDING_SECONDS:
            raise RequestError(
                f"The audio is longer than {self._budget.max_seconds:g} seconds; send at most that much of it."
            )
        if self._samples > self._budget.max_samples:
            raise RequestError(
                f"The audio has more than {self._budget.max_samples} samples over all channels; send it with a lower "
                "sample rate or fewer channels."
            )

    def _change_rate(self, frame: av.AudioFrame) -> None:
        """Take up the rate of the first frame, or a new one: HE-AAC doubles it early, chained Ogg streams differ."""
        self._source = self._source or (frame.sample_rate, frame.layout.nb_channels)
        self._sample_rate = self._sample_rate or frame.sample_rate
        if self._resampler is not None:
            self._pieces.append(self._resampler.finish())
        self._resampler = Resampler(frame.sample_rate, self._sample_rate)
        self._rate = frame.sample_rate


def _mono(frame: av.AudioFrame, channel: ChannelRule) -> NDArray[np.float32]:
    if frame.format.is_planar and frame.layout.nb_channels == MOST_CHANNELS:
        frame = _packed(frame)
    raw = frame.to_ndarray()
    planes = raw if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels).T  # (channel, time)
    planes = planes[:1] if channel == "first" else planes
    scaled = planes.astype(np.float64) / _FULL_SCALE[raw.dtype.str[1:]]
    mono: NDArray[np.float64] = scaled.mean(axis=0) - (1.0 if raw.dtype == np.uint8 else 0.0)
    # Float files can hold anything; the limit keeps a resampler's filter from ringing at a stray infinity.
    return np.clip(np.nan_to_num(mono, nan=0.0), -1, 1).astype(np.float32)


def _packed(frame: av.AudioFrame) -> av.AudioFrame:
    """Return the frame with its channels interleaved.

    PyAV looks for the end of the list of planes, which has none when all eight places are taken (tried with 18.1: it
    reads what lies behind in memory as samples, and dies).
    """
    resampler = av.AudioResampler(format=frame.format.packed, layout=frame.layout, rate=frame.sample_rate)
    (packed,) = resampler.resample(frame)
    return packed


def _read(source: bytes | Path | BinaryIO, max_bytes: int) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            data = file.read(max_bytes + 1)
    else:
        data = source if isinstance(source, bytes) else source.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge(f"The audio file is larger than {max_bytes} bytes; send a shorter or a compressed one.")
    if not data:
        raise BadAudio("The audio file is empty. Send a recording.")
    return data


def _without_zlib(data: bytes) -> bytes:
    """Cut ID3 tags off the front, blank those elsewhere (wav and aiff chunks, between AAC frames), and refuse
    QuickTime's compressed headers by spoiling their name.
    """
    while data[:3] == b"ID3" and len(data) > 10:
        size = (data[6] << 21) | (data[7] << 14) | (data[8] << 7) | data[9]  # 7 bits a byte
        data = data[10 + size + (10 if data[5] & 0x10 else 0) :]
    data = re.sub(rb"ID3(?=[\x03\x04][^\xff].[\x00-\x7f]{4})", b"\0\0\0", data, flags=re.DOTALL)
    return data.replace(b"dcomzlib", b"dcom\0\0\0\0")


def _open(data: bytes) -> InputContainer:
    try:
        return av.open(
            io.BytesIO(data),
            "r",
            container_options={
                "format_whitelist": ",".join(_CONTAINERS),
                "codec_whitelist": ",".join(_CODECS),
                "protocol_whitelist": "none",
            },
            metadata_errors="replace",
            io_open=_refuse_to_open,
        )
    except FFmpegError as error:
        raise BadAudio(f"The file cannot be read as audio. Send one of: {_FORMATS_IN_WORDS}.") from error


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError(f"an audio file must not name other files: {url!r}")


def _audio_packets(container: InputContainer, budget: DecodeBudget) -> Iterator[av.Packet[AudioStream]]:
    """Yield the packets of the first audio stream; a file that breaks off just ends."""
    if not container.streams.audio:
        raise BadAudio("The file holds no audio stream. Send a recording with sound.")
    stream = container.streams.audio[0]
    if getattr(stream.codec_context, "name", None) not in _CODECS:  # None, despite its type, when FFmpeg has no decoder
        raise BadAudio(f"The audio is coded in a way that is not supported. Send one of: {_FORMATS_IN_WORDS}.")
    stream.codec_context.options = {"max_samples": str(budget.max_samples)}  # of one frame
    try:
        yield from container.demux(stream)
    except FFmpegError:
        return
