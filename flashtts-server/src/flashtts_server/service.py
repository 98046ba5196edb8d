"""What all handlers of one server share: settings, metrics, the open model, and the state it is in."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Literal, TypeAlias

from litestar.di import NamedDependency

from flashtts_core.errors import BackendDied, NotReady
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.types import Reference, VoiceChoice
from flashtts_server.admission import Admission, AdmissionLimits, Demand, Place, Refused
from flashtts_server.catalogue import OPENAI_VOICES, meant_voice, model_names, parse_aliases
from flashtts_server.deadlines import deadline_in, until
from flashtts_server.info import server_info
from flashtts_server.media import MediaReader, Source, is_recording
from flashtts_server.metrics import Metrics, SpeechMetrics
from flashtts_server.replies import ServerInfo
from flashtts_server.settings import ServerSettings

VERSION = version("flashtts-server")

LEAST_PLACES = 16
"""A listener who takes the speech no faster than it plays holds a place; a few such must not hold up the others."""


class Opened:
    """What there is once the model is open."""

    def __init__(self, synthesizer: Synthesizer, admission: Admission, metrics: SpeechMetrics) -> None:
        self.synthesizer = synthesizer
        self.admission = admission
        self.metrics = metrics


class Service:
    """A server's model and its surroundings; ``open`` makes it ready, ``drain`` ends that."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.media = MediaReader(settings)
        self.aliases = parse_aliases(settings.voice_aliases)
        self.draining = False
        self.started = int(time.time())
        self.sessions = 0
        """WebSocket sessions that are open."""
        self._open: Opened | None = None
        self.metrics.watch("flashtts_ready", "1 if requests are taken.", lambda: float(self.status == "ready"))
        self.metrics.watch("flashtts_sessions", "WebSocket sessions that are open.", lambda: self.sessions)

    def open(self, synthesizer: Synthesizer) -> None:
        """Take requests from now on."""
        settings = self.settings
        limits = AdmissionLimits(
            places=settings.max_concurrency or max(2 * synthesizer.engine.parallel, LEAST_PLACES),
            queue=settings.max_queue,
            wait=settings.max_queue_wait,
            stream_wait=settings.max_stream_wait,
        )
        admission = Admission(limits)
        metrics = SpeechMetrics(self.metrics.registry, synthesizer.engine.name, synthesizer.backend)
        self._watch(admission)
        self._open = Opened(synthesizer, admission, metrics)

    def drain(self) -> None:
        """Take no more requests; those that run may finish."""
        self.draining = True

    async def aclose(self) -> None:
        """Close the model, if one is open."""
        self.draining = True
        if self._open is not None:
            await self._open.synthesizer.aclose()

    @property
    def status(self) -> Literal["ready", "loading", "draining", "dead"]:
        """How the server is."""
        if self.draining:
            return "draining"
        if self._open is None:
            return "loading"
        return "ready" if self._open.synthesizer.engine.alive else "dead"

    @property
    def opened(self) -> Opened:
        """The open model; raises ``NotReady`` while there is none or while draining, ``BackendDied`` if it is dead."""
        if self.draining:
            raise NotReady("The server is about to stop and takes no more requests. Try another, or later.")
        if self._open is None:
            raise NotReady("The model is still being loaded. Try again in a moment; /ready says when.")
        if not self._open.synthesizer.engine.alive:
            raise BackendDied("The model's runtime has died; no request can succeed until the server is restarted.")
        return self._open

    @property
    def synthesizer(self) -> Synthesizer:
        """The model; raises as ``opened``."""
        return self.opened.synthesizer

    @property
    def admission(self) -> Admission:
        """Who may speak; raises as ``opened``."""
        return self.opened.admission

    @property
    def busy(self) -> bool:
        """Whether requests are being spoken or wait for it."""
        return self._open is not None and bool(self._open.admission.running + self._open.admission.queued)

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
            self.check_room(Demand())
            reference = await self.reference(source)
            place = await self.enter(Demand())
            try:
                return (await self.synthesizer.voices.add(name, reference, overwrite=overwrite)).name
            finally:
                place.release()

    def open_session(self) -> None:
        """Count a WebSocket session; raises ``Refused`` if there are too many, and as ``opened``."""
        opened = self.opened
        if self.sessions >= self.settings.max_sessions:
            opened.metrics.refused("sessions").inc()
            raise Refused(
                f"{self.sessions} WebSocket sessions are open, which is all this server takes. Try again later, or "
                f"raise --max_sessions.",
                retry_after=1,
                reason="sessions",
            )
        self.sessions += 1

    def check_room(self, demand: Demand | None = None) -> None:
        """Raise ``Refused`` if a request would be refused now, and count that; nothing is known of ``None``."""
        opened = self.opened
        try:
            opened.admission.check(demand)
        except Refused as refusal:
            opened.metrics.refused(refusal.reason).inc()
            raise

    async def enter(self, demand: Demand) -> Place:
        """Wait for a place; raises ``Refused`` if there is none in time, and counts that; else as ``opened``."""
        opened = self.opened
        try:
            place = await opened.admission.enter(demand)
        except Refused as refusal:
            opened.metrics.refused(refusal.reason).inc()
            raise
        opened.metrics.queue.observe(place.waited)
        try:
            self.opened  # noqa: B018  # the model may have died, or the server been told to stop, during the wait
        except NotReady:
            return place  # it waited before the server was told to stop, so it is served
        except BackendDied:
            place.release()
            raise
        return place

    async def info(self) -> ServerInfo:
        """Return what is served."""
        return await server_info(self.synthesizer, self.settings, version=VERSION, model=self.model_names[0])

    def _watch(self, admission: Admission) -> None:
        """Show how full the server is, and its limits."""
        watch, limits = self.metrics.watch, admission.limits
        watch("flashtts_running", "Speech requests that hold a place.", lambda: admission.running)
        watch("flashtts_queued", "Speech requests that wait for a place.", lambda: admission.queued)
        watch("flashtts_max_running", "Places there are.", lambda: limits.places)
        watch("flashtts_max_queued", "Speech requests that may wait for a place.", lambda: limits.queue)
        watch(
            "flashtts_max_queue_seconds",
            "Longest time that a request for a whole answer may wait for its turn.",
            lambda: admission.longest_wait(listening=False),
        )
        watch(
            "flashtts_max_stream_wait_seconds",
            "Longest time that a request for a streamed answer may wait for its turn.",
            lambda: admission.longest_wait(listening=True),
        )
        watch(
            "flashtts_expected_queue_seconds",
            "Time that a short request would wait for its turn if it came now.",
            lambda: admission.expected_wait(Demand()),
        )


SharedService: TypeAlias = NamedDependency[Service]
"""The service, as a handler asks for it."""
