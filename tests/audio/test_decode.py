from __future__ import annotations

import io
import resource
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from flashtts_core.audio.decode import DecodeBudget, decode
from flashtts_core.audio.encode import encode_whole
from flashtts_core.errors import BadAudio, RequestError, TooLarge

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Signal = Callable[[int, int], "NDArray[np.float32]"]


class Kind(NamedTuple):
    """A kind of file, and how close its samples come to the original (signal to noise, dB)."""

    container: str
    codec: str
    sample_format: str
    sample_rate: int
    layout: str
    decibels: float


KINDS = [
    Kind("wav", "pcm_u8", "u8", 8_000, "mono", 40),
    Kind("wav", "pcm_s16le", "s16", 44_099, "stereo", 85),
    Kind("wav", "pcm_s24le", "s32", 48_000, "stereo", 120),
    Kind("wav", "pcm_s32le", "s32", 44_100, "mono", 120),
    Kind("wav", "pcm_f32le", "flt", 192_000, "stereo", 120),
    Kind("wav", "pcm_f64le", "dbl", 32_000, "5.1", 120),
    Kind("wav", "pcm_alaw", "s16", 8_000, "mono", 33),
    Kind("wav", "pcm_mulaw", "s16", 8_000, "mono", 33),
    Kind("aiff", "pcm_s16be", "s16", 22_050, "mono", 85),
    Kind("caf", "pcm_s16le", "s16", 11_025, "mono", 85),
    Kind("flac", "flac", "s16", 44_100, "stereo", 85),
    Kind("flac", "flac", "s32", 96_000, "mono", 120),
    Kind("mp3", "libmp3lame", "fltp", 44_100, "stereo", 25),
    Kind("ipod", "aac", "fltp", 44_100, "stereo", 20),
    Kind("ipod", "alac", "s16p", 44_100, "stereo", 85),
    Kind("ogg", "libopus", "flt", 48_000, "stereo", 20),
    Kind("ogg", "vorbis", "fltp", 44_100, "stereo", 15),
    Kind("webm", "libopus", "flt", 48_000, "mono", 20),
    Kind("3gp", "libopencore_amrnb", "s16", 8_000, "mono", 5),
]


def make_file(kind: Kind, planes: NDArray[np.float32], *, video: bool = False) -> bytes:
    """Write samples (channel, time) as a file of a kind."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind.container) as container:
        stream = container.add_stream(kind.codec, rate=kind.sample_rate, options={"strict": "experimental"})
        assert isinstance(stream, AudioStream)
        stream.codec_context.format = kind.sample_format
        stream.codec_context.layout = kind.layout
        if video:
            add_video(container)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=kind.layout)
        frame.sample_rate = kind.sample_rate
        frame.time_base = Fraction(1, kind.sample_rate)
        frame.pts = 0
        converter = av.AudioResampler(format=kind.sample_format, layout=kind.layout, rate=kind.sample_rate)
        for converted in converter.resample(frame):
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return file.getvalue()


def add_video(container: av.container.OutputContainer) -> None:
    stream = container.add_stream("libx264", rate=10)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = 64, 64
    for number in range(10):
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 * number, np.uint8), format="rgb24")
        frame.time_base = Fraction(1, 10)
        frame.pts = number
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def sine(kind: Kind, *, seconds: float = 1.0) -> NDArray[np.float32]:
    """A sine of 440 Hz, each next channel quieter: (channel, time)."""
    time = np.arange(int(kind.sample_rate * seconds)) / kind.sample_rate
    channels = av.AudioLayout(kind.layout).nb_channels
    return np.stack([0.5 / (1 + channel) * np.sin(2 * np.pi * 440 * time) for channel in range(channels)]).astype(
        np.float32
    )


def sine_level(samples: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Amplitude of the 440 Hz in the middle of a signal, and its distance to all else (dB)."""
    middle = slice(samples.size // 5, -samples.size // 5)
    phase = 2 * np.pi * 440 * np.arange(samples.size)[middle] / sample_rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    heard = samples[middle].astype(np.float64)
    weights = np.linalg.lstsq(basis, heard, rcond=None)[0]
    return float(np.hypot(*weights)), float(
        10 * np.log10(np.mean((basis @ weights) ** 2) / np.var(heard - basis @ weights))
    )


def peak_memory_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.container}-{kind.codec}-{kind.sample_rate}")
def test_what_people_send_is_read(kind: Kind) -> None:
    planes = sine(kind)
    file = make_file(kind, planes)
    result = decode(file)
    assert (result.sample_rate, result.source_rate) == (kind.sample_rate, kind.sample_rate)
    assert result.source_channels == len(planes)
    assert result.samples.dtype == np.float32
    assert abs(result.samples.size - planes.shape[1]) <= 2_048  # codecs round up to frames
    amplitude, decibels = sine_level(result.samples, kind.sample_rate)
    assert amplitude == pytest.approx(planes.mean(axis=0).max(), rel=0.15 if kind.decibels < 30 else 0.005)
    assert decibels > kind.decibels
    first = decode(file, sample_rate=16_000, channel="first")
    assert (first.sample_rate, first.source_rate) == (16_000, kind.sample_rate)
    assert abs(first.seconds - result.seconds) < 1e-4
    assert sine_level(first.samples, 16_000)[0] == pytest.approx(0.5, rel=0.15 if kind.decibels < 30 else 0.005)


def test_the_sound_of_a_video_is_taken() -> None:
    kind = Kind("mp4", "aac", "fltp", 48_000, "mono", 20)
    result = decode(make_file(kind, sine(kind), video=True))
    assert sine_level(result.samples, 48_000)[0] == pytest.approx(0.5, rel=0.05)


def test_bytes_paths_and_open_files_are_the_same(tmp_path: Path, vowel: Signal) -> None:
    body = encode_whole(vowel(24_000, 24_000), 24_000, "wav")
    path = tmp_path / "list.m3u8"  # the name means nothing
    path.write_bytes(body)
    wanted = decode(body).samples
    assert np.array_equal(decode(path).samples, wanted)
    with path.open("rb") as file:
        assert np.array_equal(decode(file).samples, wanted)


def test_sixteen_bits_are_exact() -> None:
    levels = np.arange(-32768, 32768, 5).astype(np.int16)
    body = encode_whole(levels.astype(np.float32) / np.float32(32768), 24_000, "wav")
    assert np.array_equal(decode(body).samples * 32768, levels)


def test_tags_that_are_not_utf8_do_no_harm(vowel: Signal) -> None:
    body = encode_whole(vowel(24_000, 24_000), 24_000, "wav")
    info = b"INFOINAM" + struct.pack("<I", 4) + b"caf\xe9"
    chunk = b"LIST" + struct.pack("<I", len(info)) + info
    tagged = body[:4] + struct.pack("<I", len(body) - 8 + len(chunk)) + body[8:12] + chunk + body[12:]
    assert decode(tagged).samples.size == 24_000


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_strange_floats_become_samples_in_range(value: float, vowel: Signal) -> None:
    kind = Kind("wav", "pcm_f32le", "flt", 24_000, "mono", 120)
    planes = vowel(24_000, 24_000)[None]
    planes[0, 12_000] = value
    samples = decode(make_file(kind, planes), sample_rate=16_000).samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
    assert np.std(samples[9_000:]) > 0.1


def silent_opus(hours: int) -> bytes:
    """An Ogg Opus of silence in packets of 60 ms and three bytes."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = "mono"
        container.start_encoding()
        for number in range(hours * 60_000):
            packet = av.Packet(b"\x18\xff\xfe")
            packet.stream = stream
            packet.time_base = Fraction(1, 48_000)
            packet.pts = packet.dts = number * 2_880
            packet.duration = 2_880
            container.mux_one(packet)
    return file.getvalue()


def silent_flac(hours: int) -> bytes:
    """A FLAC of silence in frames of 8 s."""
    file = io.BytesIO()
    silence = np.zeros((1, 80_000), np.int16)
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=8_000, options={"frame_size": "65535"})
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = "mono"
        for number in range(hours * 360):
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            frame.sample_rate = 8_000
            frame.time_base = Fraction(1, 8_000)
            frame.pts = number * 80_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(("make", "hours", "kilobytes"), [(silent_opus, 2, 700), (silent_flac, 2, 30)])
def test_a_bomb_stops_at_the_budget(make: Callable[[int], bytes], hours: int, kilobytes: int) -> None:
    bomb = make(hours)
    assert len(bomb) < kilobytes * 1_000
    before = peak_memory_mib()
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match="longer than 30 seconds") as caught:
            decode(bomb, sample_rate=48_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not isinstance(caught.value, BadAudio | TooLarge)
    assert peak < 2 * 30 * 48_000 * 4 + 4 * len(bomb)
    assert peak_memory_mib() - before < 40


def id3_bomb(megabytes: int) -> bytes:
    """An ID3 tag with pictures that zlib makes a thousand times as large."""

    def size(number: int) -> bytes:
        return bytes([number >> 21 & 127, number >> 14 & 127, number >> 7 & 127, number & 127])

    picture = b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(10_000_000)
    packed = zlib.compress(picture, 9)
    frame = b"APIC" + size(len(packed) + 4) + b"\0\x09" + size(len(picture)) + packed
    frames = frame * (megabytes // 10)
    return b"ID3\x04\0\0" + size(len(frames)) + frames


@pytest.mark.parametrize("place", ["before mp3", "twice before flac", "in wav"])
def test_pictures_in_tags_are_not_unpacked(place: str, vowel: Signal) -> None:
    signal = vowel(24_000, 24_000)
    bomb = id3_bomb(400)
    wav = encode_whole(signal, 24_000, "wav")
    chunk = b"id3 " + struct.pack("<I", len(bomb)) + bomb + bytes(len(bomb) % 2)
    body = {
        "before mp3": bomb + encode_whole(signal, 24_000, "mp3"),
        "twice before flac": bomb + bomb + encode_whole(signal, 24_000, "flac"),
        "in wav": wav[:4] + struct.pack("<I", len(wav) - 8 + len(chunk)) + wav[8:12] + chunk + wav[12:],
    }[place]
    before = peak_memory_mib()
    assert decode(body).samples.size == pytest.approx(24_000, abs=300)
    assert peak_memory_mib() - before < 40


def test_a_packed_quicktime_header_is_not_unpacked() -> None:
    def atom(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + name + data

    packed = b"".join([(deflate := zlib.compressobj(9)).compress(bytes(1_000_000)), deflate.flush()])
    header = atom(b"dcom", b"zlib") + atom(b"cmvd", struct.pack(">I", 400_000_000) + packed)
    with pytest.raises(BadAudio):
        decode(atom(b"ftyp", b"qt  \0\0\0\0qt  ") + atom(b"moov", atom(b"cmov", header)))


def test_more_bytes_than_allowed_are_too_large(vowel: Signal) -> None:
    body = encode_whole(vowel(24_000, 24_000), 24_000, "wav")
    budget = DecodeBudget(max_bytes=len(body) - 1)
    for source in (body, io.BytesIO(body)):
        with pytest.raises(TooLarge, match=str(budget.max_bytes)):
            decode(source, budget=budget)
    assert decode(body, budget=DecodeBudget(max_bytes=len(body))).samples.size == 24_000


def test_the_length_limit_is_exact_but_for_the_padding_of_codecs(vowel: Signal) -> None:
    budget = DecodeBudget(max_seconds=2)
    for name in ("wav", "mp3", "aac"):
        assert decode(encode_whole(vowel(48_000, 24_000), 24_000, name), budget=budget).seconds >= 2
    with pytest.raises(RequestError, match="longer than 2 seconds"):
        decode(encode_whole(vowel(52_800, 24_000), 24_000, "wav"), budget=budget)


def test_samples_of_all_channels_count(vowel: Signal) -> None:
    kind = Kind("wav", "pcm_s16le", "s16", 48_000, "5.1", 80)
    file = make_file(kind, sine(kind))
    assert decode(file, budget=DecodeBudget(max_samples=6 * 48_000)).samples.size == 48_000
    with pytest.raises(RequestError, match="samples over all channels"):
        decode(file, budget=DecodeBudget(max_samples=6 * 48_000 - 1))


REFUSED = {
    "hls": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
    "ffconcat": b"ffconcat version 1.0\nfile {path}\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{url}</BaseURL></MPD>',
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(5_000),
    "text": b"not audio at all " * 500,
    "zeros": bytes(100_000),
    "noise": np.random.default_rng(1).bytes(100_000),
    "a header alone": encode_whole(np.zeros(0, np.float32), 24_000, "wav"),
    "a tag alone": b"ID3\x04\0\0\0\0\0\x10" + bytes(16),
    "nothing": b"",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_audio_is_refused_and_opens_nothing(name: str, tmp_path: Path, vowel: Signal) -> None:
    target = tmp_path / "target.wav"
    target.write_bytes(encode_whole(vowel(24_000, 24_000), 24_000, "wav"))
    body = REFUSED[name].replace(b"{url}", target.as_uri().encode()).replace(b"{path}", str(target).encode())
    with pytest.raises(BadAudio, match="Send "):
        decode(body)


def test_a_playlist_named_like_one_is_refused_too(tmp_path: Path, vowel: Signal) -> None:
    (tmp_path / "target.wav").write_bytes(encode_whole(vowel(24_000, 24_000), 24_000, "wav"))
    for name, body in (("list.m3u8", REFUSED["hls"]), ("list.ffconcat", REFUSED["ffconcat"])):
        path = tmp_path / name
        path.write_bytes(body.replace(b"{url}", b"target.wav").replace(b"{path}", b"target.wav"))
        with pytest.raises(BadAudio):
            decode(path)


@pytest.mark.parametrize(("container", "codec"), [("avi", "pcm_s16le"), ("matroska", "ac3")])
def test_containers_and_codecs_that_are_not_listed_are_refused(container: str, codec: str) -> None:
    kind = Kind(container, codec, "s16" if codec == "pcm_s16le" else "fltp", 44_100, "mono", 0)
    file = make_file(kind, sine(kind))
    with av.open(io.BytesIO(file), "r") as readable:  # FFmpeg itself can
        assert sum(int(frame.samples) for frame in readable.decode(audio=0)) > 40_000
    with pytest.raises(BadAudio, match="Send one of"):
        decode(file)


def test_a_video_without_sound_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        add_video(container)
    with pytest.raises(BadAudio, match="no audio stream"):
        decode(file.getvalue())


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav"])
def test_a_file_that_breaks_off_is_read_up_to_there(name: str, vowel: Signal) -> None:
    body = encode_whole(vowel(48_000, 24_000), 24_000, name)  # type: ignore[arg-type]  # one of the formats
    result = decode(body[: len(body) * 2 // 3])
    assert 0.8 < result.seconds < 1.6
    assert np.std(result.samples) > 0.1


@pytest.mark.parametrize("name", ["mp3", "aac"])
def test_a_few_damaged_packets_are_left_out(name: str, vowel: Signal, capfd: pytest.CaptureFixture[str]) -> None:
    body = bytearray(encode_whole(vowel(72_000, 24_000), 24_000, name))  # type: ignore[arg-type]  # one of the formats
    body[len(body) // 2 : len(body) // 2 + 300] = np.random.default_rng(2).bytes(300)
    assert 2.7 < decode(bytes(body)).seconds < 3.2
    assert capfd.readouterr() == ("", "")


def test_a_file_full_of_damage_is_refused(vowel: Signal, capfd: pytest.CaptureFixture[str]) -> None:
    body = bytearray(encode_whole(vowel(72_000, 24_000), 24_000, "aac"))
    random = np.random.default_rng(3)
    place = 0
    while place < len(body):  # keep the 7 bytes of each ADTS header, which hold the frame's length
        size = (body[place + 3] & 3) << 11 | body[place + 4] << 3 | body[place + 5] >> 5
        body[place + 7 : place + size] = random.bytes(size - 7)
        place += size
    with pytest.raises(BadAudio, match="damaged"):
        decode(bytes(body))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("rate", [1, 3_999, 192_001, 4_000_000_000])
def test_a_rate_that_no_recording_has_is_refused(rate: int, vowel: Signal) -> None:
    body = bytearray(encode_whole(vowel(24_000, 24_000), 24_000, "wav"))
    body[24:28] = struct.pack("<I", rate)
    with pytest.raises(BadAudio):
        decode(bytes(body))


def test_a_wanted_rate_that_makes_no_sense_is_a_bad_request(vowel: Signal) -> None:
    with pytest.raises(RequestError, match="sample rate of 7 Hz"):
        decode(encode_whole(vowel(2_400, 24_000), 24_000, "wav"), sample_rate=7)


def with_channels(count: int, codec: str, container: str, sample_format: str) -> bytes:
    """Return a second of a file whose first channel holds a tone of amplitude 0.8 and whose others are silent."""
    layout = {8: "7.1", 16: "hexadecagonal"}[count]
    planes = np.zeros((48_000, count), np.float32)
    planes[:, 0] = 0.8 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    frame = av.AudioFrame.from_ndarray(planes.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate = 48_000
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as file:
        stream = file.add_stream(codec, rate=48_000, layout=layout)
        assert isinstance(stream, av.AudioStream)
        converter = av.AudioResampler(format=sample_format, layout=layout, rate=48_000, frame_size=1024)
        for piece in [*converter.resample(frame), *converter.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return sink.getvalue()


@pytest.mark.parametrize(("codec", "container", "sample_format"), [("aac", "adts", "fltp"), ("flac", "flac", "s32")])
def test_eight_channels_become_one(codec: str, container: str, sample_format: str) -> None:
    """Eight planes leave no room for the end of their list; PyAV read on behind it, and the process died."""
    result = decode(with_channels(8, codec, container, sample_format))
    assert result.source_channels == 8
    assert np.abs(result.samples).max() == pytest.approx(0.1, abs=0.01)


def test_more_channels_than_a_recording_has_are_refused() -> None:
    with pytest.raises(BadAudio, match="16 channels"):
        decode(with_channels(16, "pcm_f32le", "wav", "flt"))
