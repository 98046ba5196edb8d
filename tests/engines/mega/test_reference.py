"""Recordings and latents: prepared as by the reference, or refused with a remedy."""

from __future__ import annotations

import io
import pickle

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.mega import golden
from engines.mega.golden import assert_golden
from flashtts_core.engines.mega.alignment import Aligned, phone_of_frame
from flashtts_core.engines.mega.latent import read_latent
from flashtts_core.engines.mega.listening import align
from flashtts_core.engines.mega.model.aligner import Aligner
from flashtts_core.engines.mega.model.loading import Networks
from flashtts_core.engines.mega.phones import Phones
from flashtts_core.engines.mega.reference import Recording, fit_latent, prepare
from flashtts_core.errors import RequestError


def npy(array: NDArray[np.generic], *, pickled: bool = False) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=pickled)
    return sink.getvalue()


@pytest.fixture(scope="module")
def recording() -> Recording:
    return prepare(golden.RECORDING, win_size=960, max_seconds=30)


def test_a_recording_is_prepared_as_by_the_reference(recording: Recording) -> None:
    assert_golden("ref.wav_padded", recording.padded)
    assert_golden("ref.wav_16k", recording.listened)
    assert_golden("ref.loudness_prompt", np.array([recording.loudness]))


def test_a_voice_is_what_the_reference_makes_of_recording_and_latent(networks: Networks, recording: Recording) -> None:
    (aligned,) = align(networks, [recording])
    assert_golden("align.ph_ref", np.array([aligned.spoken.phones]))
    assert_golden("align.tone_ref", np.array([aligned.spoken.tones]))
    aligned, latent = fit_latent(aligned, read_latent(golden.LATENT, 32))
    assert_golden("align.mel2ph_ref", np.array([phone_of_frame(aligned.frames)]))
    assert_golden("ctx.vae_latent", latent[None])


def test_the_raw_lengths_are_those_of_the_reference(networks: Networks, recording: Recording) -> None:
    (aligned,) = align(networks, [recording])
    raw = golden.numbers("align.dur_raw")
    assert list(aligned.frames[:-1]) == raw[:-1]
    assert sum(aligned.frames) == 256


def test_a_recording_longer_than_the_model_hears_is_refused(networks: Networks, recording: Recording) -> None:
    with_less: Aligner = networks.aligner
    sizes = with_less.sizes
    with_less.sizes = msgspec.structs.replace(sizes, encoder_context=64)
    try:
        with pytest.raises(RequestError, match="hears at most 1"):
            align(networks, [recording])
    finally:
        with_less.sizes = sizes


ALIGNED = Aligned(Phones((145, 101, 148), (3, 3, 3)), (40, 40, 120))


def test_the_longer_of_alignment_and_latent_is_cut() -> None:
    latent = np.arange(60, dtype=np.float32)[:, None].repeat(4, axis=1)
    whole, kept = fit_latent(ALIGNED, latent)
    assert (whole, len(kept)) == (ALIGNED, 50)
    shorter, kept = fit_latent(ALIGNED, latent[:45])
    assert shorter.frames == (40, 40, 96)
    assert len(kept) == 44, "eight frames are two latents"
    np.testing.assert_array_equal(kept, latent[:44])


@pytest.mark.parametrize("length", [24, 76, 300])
def test_a_latent_of_another_recording_is_refused(length: int) -> None:
    with pytest.raises(RequestError, match="Send the latent of this recording"):
        fit_latent(ALIGNED, np.zeros((length, 4), np.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_latent_is_read_from_any_float_type(dtype: type[np.floating]) -> None:
    values = np.linspace(-1, 1, 320, dtype=dtype).reshape(1, 10, 32)
    latent = read_latent(npy(values), 32)
    assert latent.dtype == np.float32
    np.testing.assert_array_equal(latent, values[0].astype(np.float32))


class Trap:
    """Unpickling this would raise."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('unpickled')",))


GOOD = npy(np.zeros((1, 10, 32), np.float32))
HUGE = GOOD.replace(b"(1, 10, 32)", b"(1, 9999999999, 32)".ljust(11))
BAD = {
    "two dimensions": (npy(np.zeros((10, 32), np.float32)), r"shape \[10, 32\]"),
    "another width": (npy(np.zeros((1, 10, 64), np.float32)), r"shape \[1, 10, 64\]"),
    "transposed": (npy(np.zeros((1, 32, 10), np.float32)), r"shape \[1, 32, 10\]"),
    "no latents": (npy(np.zeros((1, 0, 32), np.float32)), r"shape \[1, 0, 32\]"),
    "whole numbers": (npy(np.zeros((1, 10, 32), np.int64)), "int64"),
    "complex": (npy(np.zeros((1, 10, 32), np.complex64)), "complex64"),
    "pickled": (npy(np.array([Trap()], object), pickled=True), "pickled"),
    "a bare pickle": (pickle.dumps(Trap()), "not a .npy file"),
    "an archive": (b"PK\x03\x04" + bytes(100), "not a .npy file"),
    "cut off": (GOOD[:-1], "cut off"),
    "half a header": (GOOD[:20], "not a .npy file"),
    "a size that is not there": (HUGE, "cut off|not a .npy file"),
    "nothing": (b"", "not a .npy file"),
    "not finite": (npy(np.full((1, 10, 32), np.nan, np.float32)), "not finite"),
    "far too large": (npy(np.full((1, 10, 32), 1e30, np.float32)), "far too large"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_latent_is_refused_and_told_what_is_one(kind: str) -> None:
    content, words = BAD[kind]
    with pytest.raises(RequestError, match=words) as caught:
        read_latent(content, 32)
    assert "[1, L, 32]" in str(caught.value)
    assert caught.value.param == "latent_file"
