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
from saver.ops.health import Readiness
from saver.ops.request_counts import BUCKETS, RequestCounts
from saver.ratelimit.rules import RateLimits
from saver.store import TextStore

_ALWAYS_SHOWN = ("500", "503")


class Metrics(Collector):
    """Collects the metrics of the service."""

    def __init__(
        self, store: TextStore, rate_limits: RateLimits, readiness: Readiness, requests: RequestCounts
    ) -> None:
        self._store = store
        self._rate_limits = rate_limits
        self._readiness = readiness
        self._requests = requests
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
        misses, refusals = self._rate_limits.counts_today()
        yield _gauge("saver_misses_today", "Misses since midnight UTC.", misses)
        yield _gauge("saver_requests_refused_today", "Requests refused since midnight UTC.", refusals)
        used = self._rate_limits.used_fraction()
        if used is not None:
            yield _gauge("saver_counts_fill_ratio", "Part of the room for counts that is in use.", used)
        slow_requests = self._rate_limits.slow_requests_today()
        yield _gauge(
            "saver_requests_cut_off_today", "Requests too slow to arrive since midnight UTC.", slow_requests
        )
        expected = expected_hits(misses, stats.live - stats.sealed)
        yield _gauge("saver_expected_stranger_hits_per_day", "Misses times open texts / codes.", expected)
        yield _gauge(
            "saver_oldest_overdue_seconds", "Age of the oldest text to be wiped.", stats.oldest_not_wiped
        )
        refused = not self._readiness.accepts_writes()
        yield _gauge("saver_writes_refused", "1 where there is no room for the longest text.", refused)
        free = self._store.disk.free()
        if free is not None:
            yield _gauge("saver_disk_free_bytes", "Free on the disk of the database.", free)
        heartbeat_age = self._readiness.heartbeat_age()
        if heartbeat_age is not None:
            yield _gauge("saver_sweeper_heartbeat_age_seconds", "Since the last sweep.", heartbeat_age)
        yield from self._request_metrics()

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
