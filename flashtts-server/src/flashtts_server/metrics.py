"""What Prometheus can read about the server; every server has a registry of its own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

FIRST_AUDIO_BUCKETS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30)
TOTAL_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """Counters and histograms of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "flashtts_requests", "HTTP requests answered.", ["route", "method", "status"], registry=self._registry
        )
        self.first_audio = Histogram(
            "flashtts_first_audio_seconds",
            "Time from the arrival of a speech request to its first sound, waiting included.",
            buckets=FIRST_AUDIO_BUCKETS,
            registry=self._registry,
        )
        self.total = Histogram(
            "flashtts_speech_seconds",
            "Time from the arrival of a speech request to the end of its answer.",
            buckets=TOTAL_BUCKETS,
            registry=self._registry,
        )
        self.audio = Counter("flashtts_audio_seconds", "Speech that was made, in seconds.", registry=self._registry)
        self.refused = Counter(
            "flashtts_refused", "Speech requests refused because the queue was full.", registry=self._registry
        )
        self.cancelled = Counter(
            "flashtts_cancelled", "Speech requests whose client left before the end.", registry=self._registry
        )
        self.failed = Counter("flashtts_failed", "Speech requests that failed once admitted.", registry=self._registry)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def render(self) -> tuple[bytes, str]:
        """Return everything in Prometheus' text format, and the content type of that."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
