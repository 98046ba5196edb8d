"""What is spoken to the clients, and how a test hears that it came through whole."""

from __future__ import annotations

import numpy as np

TEXT = "One two three. Four five six."
SECONDS = 6 * 0.2
"""How long ``TEXT`` takes to the engine that speaks in tones."""
PITCH = 220.0
"""Of its first voice, in Hz, which is what alloy means to it."""


def heard(pcm: bytes, rate: int) -> tuple[float, float]:
    """Return the seconds and the pitch in Hz of pcm (signed 16-bit, mono)."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples, rate))  # bins of 1 Hz
    return len(samples) / rate, float(spectrum.argmax())
