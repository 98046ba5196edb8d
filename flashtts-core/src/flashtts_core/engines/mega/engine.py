"""MegaTTS 3 as an engine: phones, their lengths, a latent out of noise, 24 kHz sound.

It has no voices of its own: every voice is cloned from a recording and the latent that belongs to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from flashtts_core.backends import Backend
from flashtts_core.batching import Batcher
from flashtts_core.closing import close_all
from flashtts_core.engines import Abilities, EngineContext, TextRules
from flashtts_core.engines.language_model import open_language_model
from flashtts_core.engines.mega import MegaSettings
from flashtts_core.engines.mega.alignment import Aligned
from flashtts_core.engines.mega.checkpoint import MegaFiles, find_files
from flashtts_core.engines.mega.codec.wavvae import SAMPLE_RATE
from flashtts_core.engines.mega.diffusing import Diffuser
from flashtts_core.engines.mega.latent import FIELD, read_latent
from flashtts_core.engines.mega.listening import align
from flashtts_core.engines.mega.model.diffusion import FRAMES_PER_LATENT
from flashtts_core.engines.mega.model.flow import Guidance
from flashtts_core.engines.mega.model.loading import Networks, open_networks, plan_of
from flashtts_core.engines.mega.phones import NO_TONE, SILENCE, Phones
from flashtts_core.engines.mega.prompt import Vocabulary
from flashtts_core.engines.mega.reference import Recording, fit_latent, prepare
from flashtts_core.engines.mega.speakers import Speakers, codes_of
from flashtts_core.engines.mega.speaking import Drawn, Instruments, Paced, Pacer, Written, sound, speak
from flashtts_core.errors import EmptySpeech, NotSupported
from flashtts_core.nn.turns import in_turn
from flashtts_core.settings import Settings
from flashtts_core.text.alphabet import chinese_or_english
from flashtts_core.types import SAMPLING_FIELDS, AudioChunk, Diffusion, Line, Reference, Sampling, Style, Voice

OVERLAP_SECONDS = 0.16
SPEEDS = (0.5, 2.0)
"""Factors that the lengths of phones are divided by; beyond them the sound is stretched, too."""
_LEAST_PARALLEL = 2  # while one line is drawn, the phones of the next are written
_WARM_UP_FRAMES = 64
_WARM_UP_PHONES = 8


class MegaEngine:
    """An open MegaTTS 3 model, as an ``Engine``. Make it with ``open_mega``."""

    name = "mega"
    sample_rate = SAMPLE_RATE
    abilities = Abilities(
        languages=("zh", "en"),
        scripts=frozenset({"Han", "Latin"}),
        cloning=True,
        latent=True,
        speed_range=SPEEDS,
        sampling=frozenset(SAMPLING_FIELDS),
        diffusion=True,
    )
    rules = TextRules(normalize=True, merge=True, overlap=OVERLAP_SECONDS, lead=True)
    defaults = Sampling(temperature=0.0, top_k=0, top_p=1.0, repetition_penalty=1.0, max_tokens=4096, seed=0)
    voices: Mapping[str, Voice] = {}
    """None: all are cloned."""

    def __init__(
        self, networks: Networks, vocabulary: Vocabulary, backend: Backend, settings: Settings, own: MegaSettings
    ):
        self.parallel = max(settings.batch_size, _LEAST_PARALLEL)
        self._networks = networks
        self._vocabulary = vocabulary
        self._backend = backend
        self._max_seconds = settings.max_reference_seconds
        self._width = networks.diffusion.sizes.latent
        self._closed = False
        size, wait, device = settings.batch_size, settings.wait_timeout, networks.plan.speaking
        speakers = Speakers(networks.duration, self._width, device)
        self._aligner: Batcher[Recording, Aligned] = Batcher(
            in_turn(networks.plan.listening, partial(align, networks)), name="flashtts-reference"
        )
        self._pacer: Batcher[Written, Paced] = Batcher(
            in_turn(device, Pacer(networks.duration, speakers, device).pace), name="flashtts-duration"
        )
        self._diffuser = Diffuser(networks.diffusion, max_batch=size)
        self._decoder: Batcher[Drawn, NDArray[np.float32]] = Batcher(
            in_turn(device, partial(sound, networks.codec)), max_batch=size, wait=wait, name="flashtts-codec"
        )
        self._instruments = Instruments(
            backend=backend,
            vocabulary=vocabulary,
            pace=self._pacer.submit,
            draw=self._diffuser.draw,
            decode=self._decoder.submit,
            steps=own.time_step,
            guidance=Guidance(text=own.p_w, speaker=own.t_w),
            disturb=own.dur_disturb,
        )

    @property
    def alive(self) -> bool:
        """True until closed or the language model died."""
        return not self._closed and self._backend.alive

    def language(self, text: str) -> str:
        """Return ``zh`` for a text with any Chinese character, else ``en``."""
        return chinese_or_english(text)

    def count_tokens(self, text: str) -> int:
        """Return the length of ``text`` in tokens of the language model."""
        return len(self._vocabulary.encode(text))

    async def speak(self, line: Line) -> AsyncGenerator[AudioChunk, None]:
        """Speak a line in one chunk; usage counts the ids of the prompt and of the phones."""
        yield await speak(self._instruments, line)

    async def encode_voice(self, name: str, reference: Reference) -> Voice:
        """Make a voice from a recording and its latent.

        Raises ``NotSupported`` (no latent), ``BadAudio``, ``TooLarge`` and ``RequestError``.
        """
        if reference.latent is None:
            raise NotSupported(
                f"The voice {name!r} has a recording and no latent, and MegaTTS 3 needs both. Put the .npy file of the "
                f"recording beside it in the role folder, or add the voice again with latent_file.",
                param=FIELD,
            )
        latent = await asyncio.to_thread(read_latent, reference.latent, self._width)
        recording = await asyncio.to_thread(
            prepare, reference.audio, win_size=self._networks.win_size, max_seconds=self._max_seconds
        )
        aligned, latent = fit_latent(await self._aligner.submit(recording), latent)
        return Voice(name, self.name, codes=codes_of(aligned, latent, recording.loudness), reference=reference)

    async def warm_up(self) -> None:
        """Speak a word with a made-up voice, so that every network has run once."""
        silence = Aligned(Phones((SILENCE,), (NO_TONE,)), (_WARM_UP_FRAMES,))
        latent = np.zeros((_WARM_UP_FRAMES // FRAMES_PER_LATENT, self._width), np.float32)
        voice = Voice("", self.name, codes=codes_of(silence, latent, -23.0))
        sampling = msgspec.structs.replace(self.defaults, max_tokens=_WARM_UP_PHONES)
        line = Line("warm-up", 0, "Ready.", "en", voice, Style(), sampling, Diffusion(time_step=1))
        try:
            await speak(self._instruments, line)
        except EmptySpeech:
            return  # the language model has run all the same

    async def aclose(self) -> None:
        """Close the language model, join the threads of the networks; closing twice is harmless."""
        self._closed = True
        await close_all(self._backend, self._aligner, self._pacer, self._diffuser, self._decoder)


async def open_mega(context: EngineContext) -> MegaEngine:
    """Open a checkpoint; raises ``BadCheckpoint``, ``ConfigError`` and what the backend raises."""
    assert context.folder is not None, "MegaTTS 3 is opened from a folder"
    own = context.own if isinstance(context.own, MegaSettings) else MegaSettings()
    files = find_files(context.folder)
    vocabulary, networks = await asyncio.to_thread(_load, files, context.settings)
    backend = await open_language_model(context, files.llm, highest=vocabulary.highest)
    return MegaEngine(networks, vocabulary, backend, context.settings, own)


def _load(files: MegaFiles, settings: Settings) -> tuple[Vocabulary, Networks]:
    return Vocabulary.load(files.tokenizer), open_networks(files, plan_of(settings))
