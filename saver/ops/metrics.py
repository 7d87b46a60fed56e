"""Metrics for Prometheus, read from the database, the counters and the files of the processes on request.

They are correct for any number of processes. No label contains a code, path or address.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from saver.ops.guessing import expected_hits
from saver.ops.request_counts import BUCKETS
from saver.ops.services import Services

_ALWAYS_SHOWN = ("500", "503")


class Metrics(Collector):
    """Collects the metrics of the service."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._rate_limits = services.rate_limits
        self._readiness = services.readiness
        self._requests = services.requests
        self._backups = services.tools.backup
        self._miss_limit = services.settings.misses_a_day_in_all
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format. Raises StorageError and CountersError."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Return nothing: else registering would call ``collect``, which reads the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        stats = self._store.stats()
        codes = GaugeMetricFamily("saver_codes", "Codes by state.", labels=["state"])
        for state, count in (("free", stats.free), ("live", stats.live), ("resting", stats.cooling_down)):
            codes.add_metric([state], count)
        yield codes
        texts = GaugeMetricFamily("saver_live_texts", "Live texts by kind.", labels=["kind"])
        texts.add_metric(["open"], stats.live - stats.sealed)
        texts.add_metric(["sealed"], stats.sealed)
        yield texts
        yield from self._abuse_metrics(stats.live - stats.sealed)
        yield _gauge(
            "saver_oldest_overdue_seconds", "Age of the oldest text to be wiped.", stats.oldest_not_wiped
        )
        refused = not self._readiness.accepts_writes()
        yield _gauge("saver_writes_refused", "1 where there is no room for the longest text.", refused)
        disk = self._store.disk
        yield from _known("saver_disk_free_bytes", "Free on the disk of the database.", disk.free())
        yield from _known("saver_disk_reserve_bytes", "What is to stay free on that disk.", disk.reserve())
        heartbeat_age = self._readiness.heartbeat_age()
        yield from _known("saver_sweeper_heartbeat_age_seconds", "Since the last sweep.", heartbeat_age)
        yield from _known("saver_last_backup_age_seconds", "Since the last backup.", self._backups.age())
        yield from self._request_metrics()

    def _abuse_metrics(self, open_texts: int) -> Iterator[Metric]:
        misses, refusals = self._rate_limits.counts_today()
        yield _gauge("saver_misses_today", "Misses since midnight UTC.", misses)
        yield from _known("saver_misses_limit", "The limit of all misses of a day.", self._miss_limit or None)
        yield _gauge("saver_requests_refused_today", "Requests refused since midnight UTC.", refusals)
        used = self._rate_limits.used_fraction()
        yield from _known("saver_counts_fill_ratio", "Part of the room for counts that is in use.", used)
        slow_requests = self._rate_limits.slow_requests_today()
        yield _gauge(
            "saver_requests_cut_off_today", "Requests too slow to arrive since midnight UTC.", slow_requests
        )
        expected = expected_hits(misses, open_texts)
        yield _gauge("saver_expected_stranger_hits_per_day", "Misses times open texts / codes.", expected)

    def _request_metrics(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "saver_requests", "Requests by route and status.", labels=["route", "status"]
        )
        durations = HistogramMetricFamily(
            "saver_request_duration_seconds", "From a request's arrival to its response.", labels=["route"]
        )
        for counts in self._requests.totals():
            for status, number in counts.statuses.items():
                # Prometheus does not see the first increase of a series that was not there before.
                if number or status in _ALWAYS_SHOWN:
                    requests.add_metric([counts.route, status], number)
            if any(counts.buckets):
                buckets = zip([*map(str, BUCKETS), "+Inf"], accumulate(counts.buckets), strict=True)
                durations.add_metric([counts.route], list(buckets), counts.seconds)
        yield requests
        yield durations


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value)


def _known(name: str, documentation: str, value: float | None) -> Iterator[Metric]:
    """A metric that is left out where its value is unknown."""
    if value is not None:
        yield _gauge(name, documentation, value)
