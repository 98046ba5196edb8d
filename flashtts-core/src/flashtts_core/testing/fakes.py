"""A small engine that behaves like a real one and needs no weights.

``ToneEngine`` speaks in tones: every token of the text sounds for a fixed time at the pitch of the voice, made at a set
pace through a real ``Batcher``; it clones the pitch of a recording.
"""

from __future__ import annotations

import asyncio
import io
import random
import threading
import wave
from collections.abc import AsyncGenerator, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.audio.decode import decode
from flashtts_core.batching import Batcher
from flashtts_core.engines import Abilities, TextRules
from flashtts_core.errors import EngineError, RequestError
from flashtts_core.types import AudioChunk, Line, Reference, Sampling, Usage, Voice

SAMPLE_RATE = 16_000
TOKEN_SECONDS = 0.2
"""How long one token of the text sounds at speed 1."""
_RELEASE_SECONDS = 0.005
_DEFAULTS = Sampling(temperature=0.9, top_k=50, top_p=0.95, repetition_penalty=1.0, max_tokens=4096, seed=0)


class ToneSettings(Struct, frozen=True):
    """How a ``ToneEngine`` behaves.

    ``real_time_factor`` paces it: seconds of work for a second of sound (0: at once). ``fail_on`` is a word that makes
    the engine fail when it comes to it, ``silent_on`` one for which it makes no sound. ``labels`` gives it pitch and
    speed levels of its own.
    """

    real_time_factor: float = 0.0
    fail_on: str | None = None
    silent_on: str | None = None
    labels: bool = True
    cloning: bool = True
    parallel: int = 4


class ToneEngine:
    """An engine with two built-in voices, cloning and pitch levels, whose speech is tones.

    ``running`` counts the lines being spoken now and ``tokens`` the tokens spoken so far, for tests that ask whether
    closing reached the engine.
    """

    name = "tone"
    sample_rate = SAMPLE_RATE
    rules = TextRules(normalize=False, merge=False)
    defaults = _DEFAULTS

    def __init__(self, settings: ToneSettings | None = None) -> None:
        self.settings = settings or ToneSettings()
        self.abilities = Abilities(
            languages=("en", "zh"),
            cloning=self.settings.cloning,
            labels=self.settings.labels,
            sampling=frozenset({"seed", "temperature"}),
        )
        self.parallel = self.settings.parallel
        self.running = 0
        self.tokens = 0
        self._stop = threading.Event()
        self._codec = Batcher(self._sound, threads=self.parallel)
        self._voices = {
            name: Voice(name, self.name, builtin=True, language="en", codes={"pitch": np.array([pitch], np.float32)})
            for name, pitch in (("female", 220.0), ("male", 110.0))
        }

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The built-in voices ``female`` (220 Hz) and ``male`` (110 Hz)."""
        return self._voices

    @property
    def alive(self) -> bool:
        """True until closed."""
        return not self._stop.is_set()

    def language(self, text: str) -> str:
        """Return ``en``."""
        return "en"

    def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Sound one tone a word."""
        self.running += 1
        try:
            for word in line.text.split():
                if self.settings.fail_on is not None and self.settings.fail_on in word:
                    raise EngineError(f"The tone engine was told to fail on {self.settings.fail_on!r}.")
                if self.settings.silent_on is None or self.settings.silent_on not in word:
                    samples = await self._codec.submit((line, word))
                    self.tokens += 1
                    yield AudioChunk(samples, self.sample_rate, Usage(1, len(samples) * 50 // SAMPLE_RATE))
        finally:
            self.running -= 1

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Take the strongest frequency of the recording as the pitch of the voice."""
        recording = await asyncio.to_thread(decode, reference.audio, sample_rate=SAMPLE_RATE)
        if len(recording.samples) < SAMPLE_RATE:
            raise RequestError(
                "The recording is shorter than one second; give 1 to 30 seconds.", param="reference_audio"
            )
        spectrum = np.abs(np.fft.rfft(recording.samples[:SAMPLE_RATE]))
        if spectrum.max() < 1.0:
            raise RequestError("The recording is silent; give one with a voice in it.", param="reference_audio")
        return Voice(name, self.name, codes={"pitch": np.array([max(int(spectrum.argmax()), 40)], np.float32)})

    async def warm_up(self) -> None:
        """Do nothing: tones need no warm-up."""

    async def aclose(self) -> None:
        """Join the worker threads; closing twice is harmless."""
        self._stop.set()
        await self._codec.aclose()

    def _sound(self, items: Sequence[tuple[Line, str]]) -> list[NDArray[np.float32]]:
        return [self._tone(line, word) for line, word in items]

    def _tone(self, line: Line, word: str) -> NDArray[np.float32]:
        seconds = TOKEN_SECONDS * {"very_low": 1.5, "low": 1.2, "high": 0.8, "very_high": 0.6}.get(
            str(line.style.speed), 1.0
        )
        scale = {"very_low": 0.5, "low": 0.75, "high": 1.5, "very_high": 2.0}.get(str(line.style.pitch), 1.0)
        self._stop.wait(self.settings.real_time_factor * seconds)
        time = np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
        # The seed and the word set the phase, so that requests differ audibly to a test and repeat exactly.
        phase = random.Random(f"{line.sampling.seed} {word}").uniform(0, 2 * np.pi)  # noqa: S311  # not a secret
        tone = 0.3 * np.sin(2 * np.pi * float(line.voice.codes["pitch"][0]) * scale * time + phase)
        edge = np.minimum(1.0, np.minimum(time, time[::-1]) / _RELEASE_SECONDS)
        return np.asarray(tone * edge, dtype=np.float32)


def tone_reference(pitch: float = 330.0, seconds: float = 2.0, transcript: str | None = "a tone") -> Reference:
    """Return a recording of a sine of ``pitch`` Hz, as a 16-bit wav of 16 kHz."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = np.round(0.5 * np.sin(2 * np.pi * pitch * time) * 32767).astype("<i2")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return Reference(sink.getvalue(), transcript)
