"""The one way from a request to speech: checks, voice, text, lines; every error of the request surfaces here.

Streaming and whole answers, cloning, roles and dialogue are the same path: a whole answer joins the stream, cloning is
a voice made for one request, dialogue is several turns with different voices.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

import msgspec

from flashtts_core.backends import BackendSpec
from flashtts_core.continuity import Continuity
from flashtts_core.engines import Abilities, Engine
from flashtts_core.errors import RequestError, TooLarge
from flashtts_core.kinds import misfit
from flashtts_core.planner import divide, pace, turns_of
from flashtts_core.settings import Settings, voice_folder
from flashtts_core.stream import AudioStream, Plan, PlannedLine
from flashtts_core.text.normalize import normalize
from flashtts_core.types import (
    DIFFUSION_FIELDS,
    SAMPLING_FIELDS,
    AudioChunk,
    Line,
    Reference,
    SpeechRequest,
    Voice,
    VoiceChoice,
)
from flashtts_core.voices import FolderStore, VoiceLibrary
from flashtts_core.voices.roles import RoleFolder

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

_KINDS = (("text", str, "text"), ("voice", str | Reference | None, "the name of a voice, or a Reference"))
LOOK_AHEAD = 2
"""Lines made beyond the one that a streaming listener hears."""


class Passage:
    """What requests share that speak one text part by part: id, count of lines, its voices and how they sound."""

    def __init__(self) -> None:
        self.request_id = uuid.uuid4().hex
        self.lines = 0
        self.voices: dict[str | int | None, tuple[VoiceChoice, Voice]] = {}
        """By name, or by the identity of a recording, which is kept beside; hashing 10 MiB would hold the loop up."""
        self.continuities: defaultdict[str, Continuity] = defaultdict(Continuity)


class Synthesizer:
    """An open engine with its voices; speaks many requests at once on one event loop.

    ``flashtts_core.host.load`` makes one. Use it as ``async with``, or call ``aclose``. ``backend`` is the name of the
    runtime of the engine's language model, ``none`` if it has none.
    """

    def __init__(self, engine: Engine, settings: Settings, *, backend: BackendSpec | None = None) -> None:
        self.engine = engine
        self.backend = "none" if backend is None else backend.name
        self.honoured = _honoured(engine.abilities, backend)
        self.settings = settings
        self._io = ThreadPoolExecutor(max_workers=4, thread_name_prefix="flashtts-io")
        self.voices = VoiceLibrary(
            engine,
            FolderStore(voice_folder(settings)),
            RoleFolder(Path(settings.role_dir).expanduser())
            if settings.role_dir and engine.abilities.cloning
            else None,
            io=self._io,
        )

    async def open(self, request: SpeechRequest, *, whole: bool = False, passage: Passage | None = None) -> AudioStream:
        """Check a request and return its speech, not started yet; the caller closes the stream.

        With ``whole`` the listener waits for all of it, so the engine works on as many lines as it can at once.
        Requests of one ``passage`` sound like parts of one. Raises ``RequestError`` and its kin; nothing has been
        generated then.
        """
        for name, kinds, words in _KINDS:
            if not isinstance(getattr(request, name), kinds):
                raise RequestError(f"The field {name} must be {words}.", param=name)
        if len(request.text) > self.settings.max_text_length:
            raise TooLarge(
                f"The text has {len(request.text)} characters; the limit is {self.settings.max_text_length}. "
                f"Send it in parts, or raise --max_text_length.",
                param="text",
            )
        for part in (request.style, request.sampling, request.diffusion, request.limits):
            if (found := misfit(part)) is not None:
                raise RequestError(f"The field {found[0]} must be {found[1]}.", param=found[0])
        lines, skipped = await self._plan(request, passage or Passage())
        plan = Plan(
            lines,
            overlap=round(self.engine.rules.overlap * self.engine.sample_rate),
            ignored=(*self._ignored(request), *(f"text:{script}" for script in sorted(skipped))),
        )
        return AudioStream(
            self.engine.speak,
            plan,
            sample_rate=self.engine.sample_rate,
            ahead=max(LOOK_AHEAD, self.engine.parallel) if whole else LOOK_AHEAD,
        )

    async def warm_up(self) -> None:
        """Run text rules and model once, so that the first request is as fast as the next."""
        if self.engine.rules.normalize:
            for language in self.engine.abilities.languages:
                await self._in_io(normalize, "1", language)
        await self.engine.warm_up()

    async def speak(self, request: SpeechRequest | str) -> AsyncGenerator[AudioChunk, None]:
        """Yield the speech of a request, or of a plain text in the default voice, while it is made."""
        wanted = request if isinstance(request, SpeechRequest) else SpeechRequest(request)
        async with await self.open(wanted) as stream:
            async for chunk in stream:
                yield chunk

    async def aclose(self) -> None:
        """Close the engine and its backend; closing twice is harmless."""
        try:
            await self.engine.aclose()
        finally:
            self._io.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _plan(self, request: SpeechRequest, passage: Passage) -> tuple[list[PlannedLine], frozenset[str]]:
        sampling = request.sampling.over(self.engine.defaults)
        if request.sampling.seed is None:
            sampling = msgspec.structs.replace(sampling, seed=self.settings.seed)
        lines: list[PlannedLine] = []
        skipped: frozenset[str] = frozenset()
        for number, turn in enumerate(turns_of(request)):
            style, stretch = pace(turn.style, self.engine.abilities)
            voice = await self._voice(turn.voice, passage)
            divided = await self._in_io(divide, turn.text, self.engine, request.limits)
            skipped |= divided.skipped
            for place, text in enumerate(divided.pieces, 1):
                line = Line(
                    passage.request_id,
                    passage.lines,
                    text,
                    divided.language,
                    voice,
                    style,
                    sampling,
                    request.diffusion,
                    passage.continuities[voice.name],
                    opens=place == 1,
                    closes=place == len(divided.pieces),
                )
                passage.lines += 1
                lines.append(PlannedLine(line, stretch, number))
        return lines, skipped

    async def _in_io(self, compute: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._io, compute, *arguments)

    async def _voice(self, choice: VoiceChoice, passage: Passage) -> Voice:
        key = id(choice) if isinstance(choice, Reference) else choice
        if key not in passage.voices:
            made = self.voices.clone(choice) if isinstance(choice, Reference) else self.voices.get(choice)
            passage.voices[key] = choice, await made
        return passage.voices[key][1]

    def _ignored(self, request: SpeechRequest) -> list[str]:
        fields = ((request.sampling, SAMPLING_FIELDS), (request.diffusion, DIFFUSION_FIELDS))
        given = [name for part, names in fields for name in names if getattr(part, name) is not None]
        return [name for name in given if name not in self.honoured]


def _honoured(abilities: Abilities, backend: BackendSpec | None) -> frozenset[str]:
    """Return the fields of a request that change something: the engine knows them and the backend can do them."""
    lacking = frozenset() if backend is None else frozenset(SAMPLING_FIELDS) - backend.sampling
    return (abilities.sampling - lacking) | frozenset(DIFFUSION_FIELDS if abilities.diffusion else ())
