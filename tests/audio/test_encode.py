from __future__ import annotations

import io
import struct
import time
import wave
from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flashtts_core.audio.decode import DecodeBudget, decode
from flashtts_core.audio.encode import Encoder, encode_whole, to_int16
from flashtts_core.audio.formats import FORMATS, AudioFormat
from flashtts_core.audio.resample import resample
from flashtts_core.errors import BadAudio, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL: tuple[AudioFormat, ...] = get_args(AudioFormat)
DELAY = {"mp3": 1_105, "aac": 1_024}
"""Samples of silence in front of streamed speech, at the codec's rate; see the module's docstring."""

Signal = Callable[[int, int], "NDArray[np.float32]"]


def streamed(samples: NDArray[np.float32], sample_rate: int, name: AudioFormat, cuts: list[int] | None = None) -> bytes:
    with Encoder(name, sample_rate) as encoder:
        pieces = np.split(samples, sorted(min(cut, samples.size) for cut in cuts or []))
        return b"".join([*(encoder.encode(piece) for piece in pieces), encoder.finish()])


def decoded(body: bytes, name: AudioFormat, sample_rate: int) -> tuple[NDArray[np.float32], int]:
    """Decode any body; pcm has no container."""
    if name == "pcm":
        return np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768), sample_rate
    if name == "aac":  # FFmpeg does not recognise an ADTS stream of two frames unless told
        with av.open(io.BytesIO(body), "r", format="aac") as container:
            frames = list(container.decode(audio=0))
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].sample_rate
    result = decode(body, budget=DecodeBudget(max_seconds=60))
    return result.samples, result.sample_rate


def test_the_table_says_what_the_api_promises() -> None:
    assert {name: spec.content_type for name, spec in FORMATS.items()} == {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "wav": "audio/wav",
        "pcm": "audio/pcm",
    }


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=15, deadline=None)
@given(
    sample_rate=st.sampled_from([16_000, 22_050, 24_000, 48_000]),
    samples=st.one_of(st.integers(1, 3_000), st.sampled_from([1, 479, 480, 481, 576, 1_152, 2_048])),
    cuts=st.lists(st.integers(0, 3_000), max_size=6),
)
def test_every_length_is_decoded_in_full_however_it_was_cut(
    name: AudioFormat, sample_rate: int, samples: int, cuts: list[int]
) -> None:
    signal = (0.5 * np.sin(np.arange(samples) / 20)).astype(np.float32)
    body = streamed(signal, sample_rate, name, cuts)
    assert body == streamed(signal, sample_rate, name)
    out, rate = decoded(body, name, sample_rate)
    exact = round(samples * rate / sample_rate)
    surplus = out.size - exact - DELAY.get(name, 0)
    rounded = 1 if name == "opus" and sample_rate == 22_050 else 0  # twice: to 24 kHz, and from there to 48
    assert -rounded <= surplus <= (2_304 if name in DELAY else rounded)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("samples", [1, 480, 1_151, 24_000, 24_001])
def test_a_whole_body_tells_decoders_its_length(name: AudioFormat, samples: int, vowel: Signal) -> None:
    out, rate = decoded(encode_whole(vowel(samples, 24_000), 24_000, name), name, 24_000)
    surplus = out.size - samples * rate / 24_000
    if name == "aac":  # ADTS cannot say it
        assert DELAY["aac"] <= surplus <= DELAY["aac"] + 2 * 1_024
    else:
        assert 0 <= surplus <= (0.012 * rate if name == "mp3" else 0)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("sample_rate", [16_000, 24_000, 44_100, 48_000])
def test_speech_comes_back_in_place_and_to_its_very_end(name: AudioFormat, sample_rate: int, vowel: Signal) -> None:
    signal = vowel(sample_rate + 77, sample_rate)
    out, rate = decoded(streamed(signal, sample_rate, name), name, sample_rate)
    wanted = resample(signal, sample_rate, rate)
    heard = out[DELAY.get(name, 0) :][: wanted.size]
    for part in (slice(None), slice(-rate // 50, None)):  # all of it; the last 20 ms
        error = np.mean((heard[part] - wanted[part]) ** 2) / np.mean(wanted[part] ** 2)
        assert 10 * np.log10(error) < -15


@pytest.mark.parametrize("name", ALL)
def test_no_samples_give_a_body_without_audio(name: AudioFormat) -> None:
    nothing = np.zeros(0, np.float32)
    for body in (streamed(nothing, 24_000, name), encode_whole(nothing, 24_000, name)):
        if name == "pcm":
            assert body == b""
        else:
            with pytest.raises(BadAudio):
                decode(body)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("sample_rate", "milliseconds"), [(24_000, 50), (48_000, 50), (16_000, 60)])
def test_audio_leaves_after_the_first_piece(
    name: AudioFormat, sample_rate: int, milliseconds: int, vowel: Signal
) -> None:
    # At 16 kHz mp3 and aac also wait for half the resampler's filter, 7 ms.
    with Encoder(name, sample_rate) as encoder:
        header = encoder.encode(np.zeros(0, np.float32))
        first = encoder.encode(vowel(sample_rate * milliseconds // 1000, sample_rate))
    assert len(header) < 200
    assert len(first) >= 100
    if name == "mp3":  # our decoder wants to see a second frame before it believes in the first
        assert first[:1] == b"\xff"
    else:
        out, _ = decoded(header + first, name, sample_rate)
        assert out.size > 0


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("sample_rate", [16_000, 24_000])
def test_a_piece_of_100_ms_takes_less_than_5_ms_of_the_event_loop(
    name: AudioFormat, sample_rate: int, vowel: Signal
) -> None:
    signal = vowel(3 * sample_rate, sample_rate)
    taken = []
    with Encoder(name, sample_rate) as encoder:
        for piece in np.split(signal, 30):
            start = time.thread_time()
            encoder.encode(piece)
            taken.append(time.thread_time() - start)
    assert sorted(taken)[-3] < 0.005  # a machine under load also charges a piece or two with its own business


def test_a_streamed_wav_begins_with_a_header_that_parsers_accept(vowel: Signal) -> None:
    with Encoder("wav", 24_000) as encoder:
        first = encoder.encode(vowel(1_200, 24_000))
    assert len(first) == 44 + 2 * 1_200
    with wave.open(io.BytesIO(first)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert len(file.readframes(10_000)) == 2 * 1_200
    assert struct.unpack("<I", first[4:8]) == struct.unpack("<I", first[40:44]) == (0xFFFFFFFF,)


def test_a_whole_wav_has_exact_sizes(vowel: Signal) -> None:
    body = encode_whole(vowel(1_201, 24_000), 24_000, "wav")
    assert struct.unpack("<I", body[4:8]) == (len(body) - 8,)
    with wave.open(io.BytesIO(body)) as file:
        assert file.getnframes() == 1_201


def test_a_streamed_mp3_is_frames_only(vowel: Signal) -> None:
    body = streamed(vowel(24_000, 24_000), 24_000, "mp3")
    assert body[:2] == b"\xff\xf3"
    assert b"Xing" not in body[:400]
    assert b"Info" not in body[:400]


def test_every_ogg_page_of_a_stream_holds_20_ms(vowel: Signal) -> None:
    body = streamed(vowel(24_000, 24_000), 24_000, "opus")
    granules = [
        struct.unpack("<q", body[place + 6 : place + 14])[0]
        for place in range(len(body))
        if body[place : place + 4] == b"OggS"
    ]
    steps = np.diff([granule for granule in granules if granule > 0])
    assert steps.max() == 960
    assert granules[-1] == 48_000 + 312  # the speech and the pre-skip


def test_a_whole_flac_knows_its_length(vowel: Signal) -> None:
    body = encode_whole(vowel(24_001, 24_000), 24_000, "flac")
    assert int.from_bytes(body[21:26], "big") & (2**36 - 1) == 24_001


def test_sixteen_bit_samples_survive_lossless_formats() -> None:
    levels = np.arange(-32768, 32768, 7).astype(np.int16)
    for name in ("wav", "pcm", "flac"):
        out, _ = decoded(streamed(levels.astype(np.float32) / np.float32(32768), 24_000, name), name, 24_000)
        assert np.array_equal(to_int16(out), levels)


def test_samples_round_half_to_even_and_are_clipped() -> None:
    steps = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 40_000, -40_000], np.float32) / np.float32(32768)
    assert to_int16(steps).tolist() == [0, 2, 2, 0, -2, 2, 32767, -32768]
    strange = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert to_int16(strange).tolist() == [0, 32767, -32768]


@pytest.mark.parametrize("name", ALL)
def test_a_view_into_other_samples_is_encoded_like_a_copy_and_left_alone(name: AudioFormat, vowel: Signal) -> None:
    both = np.repeat(vowel(24_000, 24_000), 2)
    kept = both.copy()
    assert streamed(both[::2], 24_000, name) == streamed(both[::2].copy(), 24_000, name)
    assert encode_whole(both[::2], 24_000, name) == encode_whole(both[::2].copy(), 24_000, name)
    assert np.array_equal(both, kept)


@pytest.mark.parametrize("name", ALL)
def test_a_stray_nan_spoils_nothing_but_itself(name: AudioFormat, vowel: Signal) -> None:
    signal = vowel(24_000, 24_000)
    signal[5_000] = np.nan
    out, rate = decoded(streamed(signal, 24_000, name), name, 24_000)
    assert np.std(out[rate // 2 : rate]) > 0.1


@pytest.mark.parametrize("name", ALL)
def test_a_finished_encoder_takes_no_more(name: AudioFormat, vowel: Signal) -> None:
    encoder = Encoder(name, 24_000)
    encoder.encode(vowel(100, 24_000))
    encoder.finish()
    encoder.close()
    with pytest.raises(RuntimeError, match="finished"):
        encoder.encode(vowel(100, 24_000))
    with pytest.raises(RuntimeError, match="finished"):
        encoder.finish()


@pytest.mark.parametrize("name", ALL)
def test_an_abandoned_encoder_can_be_closed_twice(name: AudioFormat, vowel: Signal) -> None:
    encoder = Encoder(name, 24_000)
    encoder.encode(vowel(3_000, 24_000))
    encoder.close()
    encoder.close()
    with pytest.raises(RuntimeError, match="finished"):
        encoder.encode(vowel(100, 24_000))


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match="mp3, opus, aac, flac, wav, pcm"):
        Encoder("m4a", 24_000)  # type: ignore[arg-type]  # what a caller may send
    with pytest.raises(RequestError, match="mp3, opus"):
        encode_whole(np.zeros(1, np.float32), 24_000, "MP3")  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize("name", ALL)
def test_an_impossible_rate_is_refused(name: AudioFormat) -> None:
    with pytest.raises(RequestError, match="sample rate"):
        Encoder(name, 1_000_000)
