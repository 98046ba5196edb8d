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

from flashtts_core.continuity import Continuity
from flashtts_core.engines import Engine
from flashtts_core.errors import TooLarge
from flashtts_core.planner import divide, pace, turns_of
from flashtts_core.settings import Settings, voice_folder
from flashtts_core.stream import AudioStream, PlannedLine
from flashtts_core.text.normalize import normalize
from flashtts_core.types import SAMPLING_FIELDS, AudioChunk, Line, Reference, SpeechRequest, Voice, VoiceChoice
from flashtts_core.voices import FolderStore, VoiceLibrary
from flashtts_core.voices.roles import RoleFolder

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

LOOK_AHEAD = 2
"""Lines made beyond the one that a streaming listener hears."""


class Synthesizer:
    """An open engine with its voices; speaks many requests at once on one event loop.

    ``flashtts_core.host.load`` makes one. Use it as ``async with``, or call ``aclose``.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self._io = ThreadPoolExecutor(max_workers=4, thread_name_prefix="flashtts-io")
        self.voices = VoiceLibrary(
            engine,
            FolderStore(voice_folder(settings)),
            RoleFolder(Path(settings.role_dir)) if settings.role_dir else None,
            io=self._io,
        )

    async def open(self, request: SpeechRequest, *, whole: bool = False) -> AudioStream:
        """Check a request and return its speech, not started yet; the caller closes the stream.

        With ``whole`` the listener waits for all of it, so the engine works on as many lines as it can at once.
        Raises ``RequestError`` and its kin; nothing has been generated then.
        """
        if len(request.text) > self.settings.max_text_length:
            raise TooLarge(
                f"The text has {len(request.text)} characters; the limit is {self.settings.max_text_length}. "
                f"Send it in parts, or raise --max_text_length.",
                param="text",
            )
        lines, skipped = await self._plan(request)
        return AudioStream(
            self.engine.speak,
            lines,
            sample_rate=self.engine.sample_rate,
            ahead=max(LOOK_AHEAD, self.engine.parallel) if whole else LOOK_AHEAD,
            ignored=(*self._ignored(request), *(f"text:{script}" for script in sorted(skipped))),
        )

    async def warm_up(self) -> None:
        """Run text rules and model once, so that the first request is as fast as the next."""
        if self.engine.rules.normalize:
            for language in self.engine.abilities.languages:
                await self._in_io(normalize, "1", language)
        await self.engine.warm_up()

    async def speak(self, request: SpeechRequest | str) -> AsyncGenerator[AudioChunk, None]:
        """Yield the speech of a request, or of a plain text in the default voice, while it is made."""
        wanted = SpeechRequest(request) if isinstance(request, str) else request
        async with await self.open(wanted) as stream:
            async for chunk in stream:
                yield chunk

    async def aclose(self) -> None:
        """Close the engine and its backend; closing twice is harmless."""
        await self.engine.aclose()
        self._io.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _plan(self, request: SpeechRequest) -> tuple[list[PlannedLine], frozenset[str]]:
        request_id = uuid.uuid4().hex
        sampling = request.sampling.over(self.engine.defaults)
        if request.sampling.seed is None:
            sampling = msgspec.structs.replace(sampling, seed=self.settings.seed)
        lines: list[PlannedLine] = []
        skipped: frozenset[str] = frozenset()
        voices: dict[str | None, Voice] = {}
        continuities: defaultdict[str, Continuity] = defaultdict(Continuity)
        for turn in turns_of(request):
            style, stretch = pace(turn.style, self.engine.abilities)
            voice = await self._voice(turn.voice, voices)
            divided = await self._in_io(divide, turn.text, self.engine, request.limits)
            skipped |= divided.skipped
            for text in divided.pieces:
                line = Line(
                    request_id,
                    len(lines),
                    text,
                    divided.language,
                    voice,
                    style,
                    sampling,
                    continuities[voice.name],
                )
                lines.append(PlannedLine(line, stretch))
        return lines, skipped

    async def _in_io(self, compute: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._io, compute, *arguments)

    async def _voice(self, choice: VoiceChoice, known: dict[str | None, Voice]) -> Voice:
        if isinstance(choice, Reference):
            return await self.voices.clone(choice)
        if choice not in known:
            known[choice] = await self.voices.get(choice)
        return known[choice]

    def _ignored(self, request: SpeechRequest) -> list[str]:
        given = (name for name in SAMPLING_FIELDS if getattr(request.sampling, name) is not None)
        return [name for name in given if name not in self.engine.abilities.sampling]
