"""What the server measures of itself, in Prometheus' text form by its own client library."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from core.errors import AppError
from core.services import Services

log = logging.getLogger(__name__)
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
"""Those that are counted by name. A server takes any word for a method, and each new label is kept for good."""


class Metrics:
    """Count what is asked and how it went. Routes are counted by their pattern, never by what stands in an address."""

    def __init__(self, services: Callable[[], Services]) -> None:
        """Count from now on; what the library holds is asked of `services` whenever the metrics are read."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "moodreel_requests", "Requests answered", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "moodreel_request_seconds", "Time to the first byte of an answer", ["route"], registry=self._registry
        )
        self.sessions = Gauge("moodreel_sessions", "Pages that are open", registry=self._registry)
        self.uploads = Gauge("moodreel_uploads", "Uploads that are under way", registry=self._registry)
        self._registry.register(_Library(services))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, method if method in METHODS else "?", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)


class _Library(Collector):
    """What the library holds and what is on its way; of what cannot be asked nothing is said."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def describe(self) -> Iterator[Metric]:
        return iter(())  # said at registering, when there is no library yet

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("moodreel_library_up", "1 where the library answers")
        try:
            services = self._services()
            counts = services.index.count()
        except AppError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield GaugeMetricFamily("moodreel_videos", "Videos in the library", value=counts.videos)
        yield GaugeMetricFamily("moodreel_clips", "Clips in the library", value=counts.clips)
        for look in (_jobs, _disk, _budget):
            try:
                yield from look(services)
            except (AppError, OSError) as error:
                log.warning("Not measured: %s", error)


def _jobs(services: Services) -> list[Metric]:
    counts, pause = services.jobs.counts(), services.jobs.pause()
    jobs = GaugeMetricFamily("moodreel_jobs", "Files by their stage", labels=["stage"])
    for stage, number in counts.items():
        jobs.add_metric([str(stage)], number)
    paused = float(pause is not None)
    return [jobs, GaugeMetricFamily("moodreel_encoder_paused", "1 where the encoder takes nothing", value=paused)]


def _disk(services: Services) -> list[Metric]:
    free = shutil.disk_usage(services.settings.data_dir).free
    return [GaugeMetricFamily("moodreel_disk_free_bytes", "Free where DATA_DIR is", value=free)]


def _budget(services: Services) -> list[Metric]:
    if services.budget is None or (today := services.budget.today()) is None:
        return []
    return [GaugeMetricFamily("moodreel_minutes_today", "Minutes given to TwelveLabs today", value=today.minutes)]
