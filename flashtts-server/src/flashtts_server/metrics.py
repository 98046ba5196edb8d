"""What Prometheus can read about the server; every server has a registry of its own.

What is counted about speech carries the labels ``engine`` and ``backend``, which are known once the model is open.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from flashtts_core.types import Usage
from flashtts_server.player import Player

FIRST_AUDIO_BUCKETS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30)
TOTAL_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
QUEUE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
FACTOR_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5)
_MODEL = ("engine", "backend")


class Metrics:
    """Counters, gauges and histograms of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "flashtts_requests",
            "HTTP requests and WebSocket handshakes answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def render(self) -> tuple[bytes, str]:
        """Return everything in Prometheus' text format, and the content type of that."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class SpeechMetrics:
    """What is counted about the speech of one model."""

    def __init__(self, registry: CollectorRegistry, engine: str, backend: str) -> None:
        def counter(name: str, meaning: str) -> Counter:
            return Counter(f"flashtts_{name}", meaning, _MODEL, registry=registry).labels(engine, backend)

        def counters(name: str, meaning: str, label: str) -> Callable[[str], Counter]:
            family = Counter(f"flashtts_{name}", meaning, [*_MODEL, label], registry=registry)
            return lambda value: family.labels(engine, backend, value)

        def histogram(name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"flashtts_{name}", meaning, _MODEL, buckets=buckets, registry=registry).labels(
                engine, backend
            )

        self.queue = histogram("queue_seconds", "Time that an admitted request waited for its turn.", QUEUE_BUCKETS)
        self.first_audio = histogram(
            "first_audio_seconds",
            "Time from the arrival of a speech request to its first sound, waiting included.",
            FIRST_AUDIO_BUCKETS,
        )
        self.total = histogram(
            "speech_seconds", "Time from the arrival of a speech request to the end of its answer.", TOTAL_BUCKETS
        )
        self.factor = histogram(
            "real_time_factor", "Seconds of waiting for the model for each second of speech.", FACTOR_BUCKETS
        )
        self.audio = counter("audio_seconds", "Speech that was made, in seconds.")
        self.streams = counter("streams", "Streamed answers that have ended.")
        self.uneven = counter("uneven_streams", "Streamed answers in which a player would have run dry.")
        self.underruns = counter("underruns", "Times that a player of a streamed answer would have run dry.")
        self.underrun_seconds = counter("underrun_seconds", "Silence a player would have had to insert, in seconds.")
        self.cancelled = counter("cancelled", "Speech requests whose client left before the end.")
        self.retries = counter("empty_retries", "Times that the model gave no speech and was asked again.")
        self.failed = counters("failed", "Speech requests that failed once admitted.", "code")
        self.refused = counters("refused", "Speech requests refused because the server was full.", "reason")
        self.tokens = counters("tokens", "Tokens of speech requests, as their usage counts them.", "kind")
        for kind in ("input", "output"):
            self.tokens(kind)
        for reason in ("queue_full", "long_wait", "waited", "sessions"):
            self.refused(reason)

    def spent(self, usage: Usage) -> None:
        """Count the tokens of an answer that has ended."""
        self.tokens("input").inc(usage.input_tokens)
        self.tokens("output").inc(usage.output_tokens)
        self.retries.inc(usage.retries)

    def played(self, player: Player) -> None:
        """Count what a listener would have noticed of a streamed answer."""
        self.streams.inc()
        self.underruns.inc(player.gaps)
        self.underrun_seconds.inc(player.silent_seconds)
        if player.gaps:
            self.uneven.inc()
