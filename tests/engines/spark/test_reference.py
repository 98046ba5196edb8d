"""The way of reference audio to the codec: golden samples, and recordings that cannot be used."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from engines.spark import golden
from engines.spark.golden import assert_golden
from flashtts_core.engines.spark.config import AudioConfig
from flashtts_core.engines.spark.reference import normalize_volume, read_reference
from flashtts_core.errors import BadAudio, RequestError

AUDIO = AudioConfig(sample_rate=16_000, latent_hop_length=320, ref_segment_duration=6.0)
LOUDNESSES = ["loud", "mid", "quiet", "sparse", "spiky", "tiny", "zeros"]


def wav(samples: NDArray[Any], *, rate: int = 16_000, width: int = 2) -> bytes:
    """Return a wav file of samples [N] or [N, channels] in [-1, 1]."""
    buffer = io.BytesIO()
    scaled = np.round(samples * 0.99 * 2 ** (8 * width - 1))
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes((scaled + 128).astype(np.uint8).tobytes() if width == 1 else scaled.astype("<i2").tobytes())
    return buffer.getvalue()


def voice(seconds: float, *, rate: int = 16_000) -> NDArray[np.float64]:
    time = np.arange(int(seconds * rate)) / rate
    return 0.4 * np.sin(2 * np.pi * 150 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))


def read(audio: bytes, *, normalize: bool = True, max_seconds: float = 30) -> NDArray[np.float32]:
    return read_reference(audio, AUDIO, max_seconds=max_seconds, normalize=normalize)


@pytest.mark.parametrize("name", ["a", "b_stereo", "c_quiet8k"])
def test_recordings_become_the_golden_samples(name: str) -> None:
    assert_golden(f"enc.{name}.norm.wav", read(golden.recording(name)))


def test_without_normalisation_the_samples_are_those_of_the_file() -> None:
    assert_golden("enc.a.raw.wav", read(golden.recording("a"), normalize=False))


@pytest.mark.parametrize("name", LOUDNESSES)
def test_the_volume_normaliser_gives_the_golden_samples(name: str) -> None:
    louder = normalize_volume(golden.tensor(f"vol.{name}.in").astype(np.float64))
    assert_golden(f"vol.{name}.out", louder.astype(np.float32))


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(-1, 1)))
def test_the_volume_normaliser_never_clips(samples: NDArray[np.float64]) -> None:
    assert np.abs(normalize_volume(samples)).max() <= 1


def test_the_first_channel_counts_not_the_mean() -> None:
    left = voice(2)
    both = np.stack([left, -left], axis=1)
    np.testing.assert_array_equal(read(wav(both)), read(wav(left)))


@pytest.mark.parametrize(("rate", "width"), [(16_000, 1), (192_000, 2), (8_000, 2), (44_100, 2)])
def test_any_rate_and_depth_becomes_16_khz(rate: int, width: int) -> None:
    samples = read(wav(voice(1.5, rate=rate), rate=rate, width=width))
    assert len(samples) == 24_000
    np.testing.assert_allclose(samples[2000:-2000], read(wav(voice(1.5)))[2000:-2000], atol=0.03)


@pytest.mark.parametrize(
    ("audio", "told"),
    [
        (wav(np.zeros(32_000)), "silent"),
        (wav(np.full(32_000, 0.5)), "silent"),
        (wav(np.stack([np.zeros(32_000), voice(2)], axis=1)), "silent in its first channel"),
        (wav(voice(0.5)), "0.50 seconds"),
        (wav(voice(31)), "30 seconds"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_with_a_reason(audio: bytes, told: str) -> None:
    with pytest.raises(RequestError, match=told) as caught:
        read(audio)
    assert not isinstance(caught.value, BadAudio)


@pytest.mark.parametrize("audio", [b"", b"not audio at all" * 100, golden.recording("a")[:30]])
def test_bytes_that_are_not_audio_are_refused(audio: bytes) -> None:
    with pytest.raises(BadAudio):
        read(audio)
