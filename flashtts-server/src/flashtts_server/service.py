"""What all handlers of one server share: settings, metrics, the open model, and the state it is in."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Literal, TypeAlias

from litestar.di import NamedDependency

from flashtts_core.audio.formats import FORMATS
from flashtts_core.errors import NotReady, Overloaded
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.types import LEVELS, Reference, VoiceChoice
from flashtts_server.admission import Admission, Place
from flashtts_server.catalogue import OPENAI_VOICES, meant_voice, model_names, parse_aliases
from flashtts_server.deadlines import deadline_in, until
from flashtts_server.media import MediaReader, Source, is_recording
from flashtts_server.metrics import Metrics
from flashtts_server.replies import AbilitiesReply, LimitsReply, ServerInfo
from flashtts_server.settings import ServerSettings

VERSION = version("flashtts-server")

LEAST_PLACES = 4
"""A listener who takes the speech no faster than it plays holds a place; one such must not hold up the others."""


class Service:
    """A server's model and its surroundings; ``open`` makes it ready, ``drain`` ends that."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.media = MediaReader(settings)
        self.aliases = parse_aliases(settings.voice_aliases)
        self.draining = False
        self.started = int(time.time())
        self._open: tuple[Synthesizer, Admission] | None = None
        self.metrics.watch("flashtts_running", "Speech requests that hold a place.", lambda: self._count("running"))
        self.metrics.watch("flashtts_queued", "Speech requests that wait for a place.", lambda: self._count("queued"))
        self.metrics.watch("flashtts_ready", "1 if requests are taken.", lambda: float(self.status == "ready"))

    def open(self, synthesizer: Synthesizer) -> None:
        """Take requests from now on."""
        places = self.settings.max_concurrency or max(2 * synthesizer.engine.parallel, LEAST_PLACES)
        self._open = synthesizer, Admission(places, self.settings.max_queue)

    def drain(self) -> None:
        """Take no more requests; those that run may finish."""
        self.draining = True

    async def aclose(self) -> None:
        """Close the model, if one is open."""
        self.draining = True
        if self._open is not None:
            await self._open[0].aclose()

    @property
    def status(self) -> Literal["ready", "loading", "draining", "dead"]:
        """How the server is."""
        if self.draining:
            return "draining"
        if self._open is None:
            return "loading"
        return "ready" if self._open[0].engine.alive else "dead"

    @property
    def synthesizer(self) -> Synthesizer:
        """The open model; raises ``NotReady`` while there is none, and while draining."""
        return self._opened()[0]

    @property
    def admission(self) -> Admission:
        """Who may speak; raises as ``synthesizer``."""
        return self._opened()[1]

    @property
    def model_names(self) -> list[str]:
        """The names the model answers to, its own first."""
        return model_names(self.synthesizer.engine.name, self.settings.model_name)

    async def voice(self, given: str, *, transcript: str | None) -> VoiceChoice:
        """Return the voice that a string under /v1 means: a recording, or the name of a voice (not checked)."""
        if is_recording(given):
            return await self.reference(Source(given, None, ("voice", "voice"), transcript))
        if given not in self.aliases and given not in OPENAI_VOICES:
            return given
        synthesizer = self.synthesizer
        known, builtin = await synthesizer.voices.names(), list(synthesizer.engine.voices)
        return meant_voice(given, known=known, builtin=builtin, aliases=self.aliases)

    async def reference(self, source: Source) -> Reference:
        """Return the recording to clone; raises ``NotSupported`` before anything is fetched or read."""
        self.synthesizer.voices.require_cloning(latent=source.latent is not None)
        return await self.media.reference(source)

    async def add_voice(self, name: str, source: Source, *, overwrite: bool) -> str:
        """Keep the voice of a recording and return its name; raises as ``VoiceLibrary.add``."""
        async with until(deadline_in(self.settings.request_timeout)):
            reference = await self.reference(source)
            place = await self.enter()
            try:
                return (await self.synthesizer.voices.add(name, reference, overwrite=overwrite)).name
            finally:
                place.release()

    async def enter(self) -> Place:
        """Wait for a place; raises ``Overloaded`` if the queue is full, and counts that."""
        with self.metrics.refused.count_exceptions(Overloaded):
            return await self.admission.enter()

    async def info(self) -> ServerInfo:
        """Return what is served."""
        synthesizer, settings = self.synthesizer, self.settings
        engine, abilities = synthesizer.engine, synthesizer.engine.abilities
        return ServerInfo(
            version=VERSION,
            engine=engine.name,
            model=self.model_names[0],
            roles=await synthesizer.voices.names(),
            sample_rate=engine.sample_rate,
            formats=list(FORMATS),
            levels=list(LEVELS),
            abilities=AbilitiesReply(
                languages=list(abilities.languages),
                cloning=abilities.cloning,
                latent=abilities.latent,
                pitch=abilities.labels,
                speed_labels=abilities.labels,
                sampling=sorted(abilities.sampling),
            ),
            limits=LimitsReply(
                text_characters=synthesizer.settings.max_text_length,
                input_characters=settings.max_input_length,
                body_bytes=settings.max_body_size,
                upload_bytes=settings.max_upload_size,
                reference_seconds=synthesizer.settings.max_reference_seconds,
                request_seconds=settings.request_timeout,
            ),
        )

    def _opened(self) -> tuple[Synthesizer, Admission]:
        if self.draining:
            raise NotReady("The server is about to stop and takes no more requests. Try another, or later.")
        if self._open is None:
            raise NotReady("The model is still being loaded. Try again in a moment; /ready says when.")
        return self._open

    def _count(self, what: Literal["running", "queued"]) -> int:
        return 0 if self._open is None else getattr(self._open[1], what)


SharedService: TypeAlias = NamedDependency[Service]
"""The service, as a handler asks for it."""
