"""Speaks one line: phones from the language model, frames for each, a latent drawn, sound decoded and levelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import msgspec
import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor

from flashtts_core.audio.loudness import matched
from flashtts_core.backends import Backend
from flashtts_core.engines.attempts import request_name, seed_at
from flashtts_core.engines.mega.alignment import phone_of_frame
from flashtts_core.engines.mega.codec.wavvae import SAMPLE_RATE, Piece, WavVaeDecoder
from flashtts_core.engines.mega.diffusing import Sketch
from flashtts_core.engines.mega.durations import Disturbance, Manner, frames_of
from flashtts_core.engines.mega.model.duration import DurationNetwork
from flashtts_core.engines.mega.model.flow import Guidance
from flashtts_core.engines.mega.phones import NO_TONE, TONES, Phones
from flashtts_core.engines.mega.prompt import Vocabulary
from flashtts_core.engines.mega.speakers import Speaker, Speakers
from flashtts_core.errors import EmptySpeech, RequestError
from flashtts_core.types import AudioChunk, Line, TokenRequest, Usage, Voice

MOST_PHONES = 1024
"""Ids that the language model may write for a line, if the request allows as many: some 90 s of speech."""
MOST_SECONDS = 120
_FRAMES_PER_SECOND = 100


class Written(Struct, frozen=True, eq=False):
    """The phones of a line that are to be paced, in the manner of ``voice``."""

    voice: Voice
    spoken: Phones
    manner: Manner
    disturb: float
    seed: int


class Paced(Struct, frozen=True, eq=False):
    """The frames of each phone of a line, the speaker, and the chance that goes on to the noise."""

    speaker: Speaker
    frames: tuple[int, ...]
    chance: torch.Generator


class Drawn(Struct, frozen=True, eq=False):
    """Latents [L, C] whose sound from number ``first`` on is wanted, at a loudness in LUFS."""

    latents: Tensor
    first: int
    loudness: float


class Instruments(Struct, frozen=True, eq=False):
    """What every line is spoken with; ``disturb`` is the share by which lengths are made uneven."""

    backend: Backend
    vocabulary: Vocabulary
    pace: Callable[[Written], Awaitable[Paced]]
    draw: Callable[[Sketch], Awaitable[Tensor]]
    decode: Callable[[Drawn], Awaitable[NDArray[np.float32]]]
    steps: int
    guidance: Guidance
    disturb: float


class Pacer:
    """Gives phones their frames; used by one thread."""

    def __init__(self, network: DurationNetwork, speakers: Speakers, device: torch.device) -> None:
        self._network = network
        self._speakers = speakers
        self._device = device

    def pace(self, lines: Sequence[Written]) -> list[Paced]:
        """Pace lines."""
        return [self._pace(line) for line in lines]

    def _pace(self, line: Written) -> Paced:
        speaker = self._speakers.get(line.voice)
        phones, tones = (
            torch.tensor([numbers], device=self._device) for numbers in (line.spoken.phones, line.spoken.tones)
        )
        lengths = self._network.predict(speaker.primed, phones, tones)
        tokens = [self._network.token_of(length, first=place == 0) for place, length in enumerate(lengths)]
        chance = torch.Generator().manual_seed(line.seed)
        choice, scale = (torch.rand(len(tokens), generator=chance).numpy() for _ in range(2))
        frames = frames_of(tokens, line.spoken.phones, line.manner, Disturbance(line.disturb, choice, scale))
        return Paced(speaker, tuple(frames), chance)


async def speak(instruments: Instruments, line: Line) -> AudioChunk:
    """Return the sound of a line; cancelling stops the model. Raises ``RequestError`` and ``EmptySpeech``."""
    spoken, usage = await _write(instruments, line)
    speed = line.style.speed if isinstance(line.style.speed, float | int) else 1.0
    seed = seed_at(line, line.index)  # lines of a request have noise of their own
    manner = Manner(1 / speed, line.opens, line.closes)
    paced = await instruments.pace(Written(line.voice, spoken, manner, instruments.disturb, seed))
    if sum(paced.frames) > MOST_SECONDS * _FRAMES_PER_SECOND:
        raise RequestError(
            f"A piece of this text would take {sum(paced.frames) / _FRAMES_PER_SECOND:.0f} seconds, and MegaTTS 3 "
            f"speaks at most {MOST_SECONDS} at once. Lower window_size and length_threshold.",
            param="window_size",
        )
    latents = await instruments.draw(_sketch(instruments, line, spoken, paced))
    speaker = paced.speaker
    samples = await instruments.decode(Drawn(latents, len(speaker.latent), speaker.loudness))
    return AudioChunk(samples, SAMPLE_RATE, usage)


def sound(codec: WavVaeDecoder, lines: Sequence[Drawn]) -> list[NDArray[np.float32]]:
    """Decode lines, each at the loudness of its recording."""
    decoded = codec.decode([Piece(line.latents, line.first) for line in lines])
    return [matched(samples, SAMPLE_RATE, line.loudness) for line, samples in zip(lines, decoded, strict=True)]


async def _write(instruments: Instruments, line: Line) -> tuple[Phones, Usage]:
    """Let the language model write the phones of a line."""
    vocabulary, sampling = instruments.vocabulary, line.sampling
    request = TokenRequest(
        id=request_name(line),
        prompt=vocabulary.prompt(line.text),
        stop=vocabulary.stop,
        sampling=msgspec.structs.replace(sampling, max_tokens=min(sampling.max_tokens or MOST_PHONES, MOST_PHONES)),
        allowed=(vocabulary.allowed,),
    )
    ids: list[int] = []
    async with aclosing(instruments.backend.generate(request)) as deltas:
        async for delta in deltas:
            ids += delta
    spoken = vocabulary.read(ids)
    if len(spoken) == 1:  # the silence that every answer begins with
        raise EmptySpeech("The model wrote no phones for this text. Try other words, or a temperature above 0.")
    return spoken, Usage(len(request.prompt), len(ids))


def _sketch(instruments: Instruments, line: Line, spoken: Phones, paced: Paced) -> Sketch:
    known, device = paced.speaker.aligned, paced.speaker.latent.device
    phones = torch.tensor(known.spoken.phones + spoken.phones, device=device)
    tones = torch.tensor([tone if tone in TONES else NO_TONE for tone in known.spoken.tones + spoken.tones])
    wanted, usual = line.diffusion, instruments.guidance
    return Sketch(
        phones=phones,
        tones=tones.to(device),
        phone_of_frame=torch.tensor(phone_of_frame(known.frames + paced.frames), device=device),
        reference=paced.speaker.latent,
        steps=instruments.steps if wanted.time_step is None else wanted.time_step,
        guidance=Guidance(
            text=usual.text if wanted.p_w is None else wanted.p_w,
            speaker=usual.speaker if wanted.t_w is None else wanted.t_w,
        ),
        chance=paced.chance,
        request=line.request_id,
        index=line.index,
    )
