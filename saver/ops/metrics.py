"""Metrics for Prometheus, read from the database and the counts when they are asked for.

No process keeps figures of its own, so they are right for any number of
processes. No code, path or address is in any label.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from saver.codes import SPACE
from saver.ops.health import Readiness
from saver.ratelimit.rules import RateLimits
from saver.store import TextStore


class Metrics(Collector):
    """Collects what an operator watches."""

    def __init__(self, store: TextStore, rate_limits: RateLimits, readiness: Readiness) -> None:
        self._store = store
        self._rate_limits = rate_limits
        self._readiness = readiness
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """The exposition in Prometheus' text format. Raises StorageError and CountersError."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read every figure once."""
        stats = self._store.stats()
        codes = GaugeMetricFamily("saver_codes", "Codes by state.", labels=["state"])
        for state, count in (("free", stats.free), ("live", stats.live), ("resting", stats.resting)):
            codes.add_metric([state], count)
        yield codes
        texts = GaugeMetricFamily("saver_live_texts", "Live texts by kind.", labels=["kind"])
        texts.add_metric(["open"], stats.live - stats.sealed)
        texts.add_metric(["sealed"], stats.sealed)
        yield texts
        misses, refusals = self._rate_limits.counts_today()
        yield _gauge("saver_misses_today", "Misses since midnight UTC.", misses)
        yield _gauge("saver_requests_refused_today", "Requests refused since midnight UTC.", refusals)
        fill = self._rate_limits.used_fraction()
        if fill is not None:
            yield _gauge("saver_counts_fill_ratio", "Part of the room for counts that is in use.", fill)
        slow = self._rate_limits.slow_requests_today()
        yield _gauge("saver_requests_cut_off_today", "Requests too slow to arrive since midnight UTC.", slow)
        expected = misses * (stats.live - stats.sealed) / SPACE
        yield _gauge("saver_expected_stranger_hits_per_day", "Misses times open texts / codes.", expected)
        yield _gauge(
            "saver_oldest_overdue_seconds", "Age of the oldest text to be wiped.", stats.oldest_overdue
        )
        refused = not self._readiness.takes_writes()
        yield _gauge("saver_writes_refused", "1 where there is no room for the longest text.", refused)
        free = self._store.disk.free()
        if free is not None:
            yield _gauge("saver_disk_free_bytes", "Free on the disk of the database.", free)
        beat = self._readiness.beat_age()
        if beat is not None:
            yield _gauge("saver_sweeper_heartbeat_age_seconds", "Since the last sweep.", beat)


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, told, value)
