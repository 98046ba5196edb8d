"""Run where nothing is installed but the core and the two example plugins (``nox -s examples``): they work together."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

INFER = ("infer", "--model_path", "voice", "--backend", "ngram")


def flashtts(*arguments: str) -> str:
    """Run the command line and return what it prints."""
    command = [sys.executable, "-m", "flashtts_core", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def say(text: str, out: Path, *flags: str) -> np.ndarray:
    """Speak on the command line and return the samples."""
    flashtts(*INFER, "-i", text, "-o", str(out), "--voice_dir", str(out.parent / "voices"), *flags)
    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def main() -> None:
    installed = {distribution.name.lower() for distribution in importlib.metadata.distributions()}
    assert not installed & {"torch", "flashtts", "flashtts-server"}, installed
    listing = flashtts("plugins")
    assert "ngram          flashtts-backend-ngram 1.0.0" in listing, listing
    assert "esperanto      flashtts-engine-esperanto 1.0.0" in listing, listing
    assert "Broken" not in listing, listing
    code = "import sys, flashtts_backend_ngram, flashtts_engine_esperanto; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "saluton.wav"
        greeting = "Saluton! Kiel vi fartas hodiaŭ?"
        spoken = say(greeting, out, "--seed", "1")
        assert 1.5 < len(spoken) / 16_000 < 5, len(spoken)
        assert 0.03 < np.sqrt(np.mean(spoken**2)) < 0.3
        assert np.array_equal(spoken, say(greeting, out, "--seed", "1"))
        assert not np.array_equal(spoken, say(greeting, out, "--seed", "2")), "the seed made no difference"
        unigrams = say(greeting, out, "--seed", "1", "--ngram_order", "1")
        assert not np.array_equal(spoken, unigrams), "the backend's own setting made no difference"
        assert len(say("Saluton!", out, "--name", "lucia")) > 8_000


if __name__ == "__main__":
    main()
