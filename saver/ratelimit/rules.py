"""The rate limits: what is limited, by which source, in which windows.

Four letters name a text, they do not guard it: misses are limited so that a stranger cannot try all codes;
see ``saver.ratelimit.lookups``.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import NamedTuple, NoReturn

from saver.blocking import sleep
from saver.clock import Clock
from saver.ratelimit import Charge, ChargeResult, Counters, CountersError, SafeCounters
from saver.ratelimit.addresses import network_key, source_key
from saver.ratelimit.keys import DAY, SourceKeys, Windows, windows
from saver.ratelimit.lookups import (
    Charges,
    Credits,
    Lookup,
    LookupPlan,
    RateLimitExceededError,
    refund_answer,
    retry_after,
)
from saver.settings import Settings

_CACHE_SIZE = 4096
# Longer than any write takes; after a process died in a write its key is blocked no longer than this.
_MAX_WRITE_SECONDS = 30
_FALLBACK: Windows = ((3_600, 1),)
# How long (seconds) a look-up waits for others of its source that are in flight, and how often it retries.
_MAX_WAIT = 1.0
_POLL_INTERVAL = 0.005
_IN_FLIGHT: Windows = ((30, 1 << 62),)
_CREDIT: Windows = ((600, 0),)  # how long it can be used
# Above this fraction of used slots a hash table may have no free slot where a count must lie.
_FULL = 0.75


class InFlightError(Exception):
    """The same write is in flight."""


class WritePlan(NamedTuple):
    """What a write of an address is charged, and whether its IPv6 /48 is charged too."""

    charges: Charges
    has_network: bool


class RateLimits:
    """Counts writes, loads and misses in fixed windows, each of which begins with the first count in it.

    A setting of 0 switches its limit off.
    """

    def __init__(self, counters: Counters, settings: Settings, *, clock: Clock, secret: bytes) -> None:
        self._counters = SafeCounters(counters)
        self._clock = clock
        self._secret = secret
        self._keys = SourceKeys(secret)
        self.writes = windows(minute=settings.writes_a_minute, hour=settings.writes_an_hour)
        self.network_writes = windows(hour=settings.writes_an_hour_per_network)
        self._loads = windows(minute=settings.loads_a_minute)
        self._network_loads = windows(minute=settings.loads_a_minute_per_network)
        self._misses = windows(
            minute=settings.misses_a_minute, hour=settings.misses_an_hour, day=settings.misses_a_day
        )
        self._network_misses = windows(day=settings.misses_a_day_per_network)
        self._all_misses = windows(day=settings.misses_a_day_in_all)
        self._live = windows(minute=settings.live_requests_a_minute)
        self._network_live = windows(minute=settings.live_requests_a_minute_per_network)
        # The charges and keys of an address are the same all day, and every load needs them.
        self._write_plan = lru_cache(maxsize=_CACHE_SIZE)(self._make_write_plan)
        self._quota_keys = lru_cache(maxsize=_CACHE_SIZE)(self._make_quota_keys)
        self._network_quota_keys = lru_cache(maxsize=_CACHE_SIZE)(self._make_network_quota_keys)
        self._days_stored = settings.max_expires_in_sealed // DAY + 2
        self._lookup_plan = lru_cache(maxsize=_CACHE_SIZE)(self._make_lookup_plan)

    def write_plan(self, address: str) -> WritePlan:
        """What ``charge_write`` needs."""
        return self._write_plan(address, self._today())

    def charge_write(self, plan: WritePlan) -> list[ChargeResult]:
        """Charge a write to its limits, up to the first that is over. Raises CountersError."""
        return self._counters.charge(plan.charges, self._clock())

    def refuse(self, charged: Sequence[ChargeResult]) -> NoReturn:
        """Refund charges, the last of which is over. Raises RateLimitExceededError."""
        now = self._clock()
        self._counters.refund(charged, now)
        self._count_refusal(now)
        raise RateLimitExceededError(retry_after(charged[-1:]))

    def limit_live_request(self, address: str) -> None:
        """Charge a request of a live transfer that is neither a write nor a look-up.

        Raises RateLimitExceededError and CountersError.
        """
        network = self._keys.network_charges("live-network", address, self._today(), self._network_live)
        source = self._keys.charges("live", source_key(address), self._today(), self._live)
        charged = self._counters.charge(network + source, self._clock())
        if charged and charged[-1].is_over:
            self.refuse(charged)

    def refund_answer(self, address: str, answer: str) -> None:
        """Refund the misses of an answer that its caller saw confirmed, once. Raises CountersError."""
        refund_answer(self._counters, self._lookup_plan(address, self._today()), answer, self._clock())

    def limit_lookup(self, address: str) -> Lookup:
        """Charge a look-up, which could reveal whether a code is leased.

        Raises RateLimitExceededError and CountersError.
        """
        now = self._clock()
        plan = self._lookup_plan(address, int(now // DAY))
        charged = self._charge_lookup(plan, now)
        return Lookup(self._counters, plan, charged, now, self._count_refusal)

    @property
    def counts_all_misses(self) -> bool:
        """Whether the misses of all sources together are counted: only if they have a limit."""
        return bool(self._all_misses)

    def counts_today(self) -> tuple[int, int]:
        """Misses and refused requests since midnight UTC. Raises CountersError."""
        plan = self._lookup_plan("", self._today())
        charges = (self._daily_count("refused"), *plan.all_misses)
        refusals, *misses = self._counters.get_counts([charge.key for charge in charges], self._clock())
        return sum(misses), refusals

    def used_fraction(self) -> float | None:
        """Roughly how full the counters are, from 0 to 1; None if they have no size. Raises CountersError."""
        return self._counters.used_fraction(self._clock())

    def count_secret_keys(self) -> int:
        """The number of different secret keys that count in the same place. Raises CountersError."""
        fingerprint = hmac.digest(self._secret, b"which secret", hashlib.sha256).hex()[:16]
        return self._counters.count_secret_keys(fingerprint)

    def can_count(self) -> bool:
        """Whether the counters are available and not full."""
        try:
            self.count_secret_keys()
            used = self.used_fraction()
        except CountersError:
            return False
        return used is None or used < _FULL

    def count_slow_requests(self, requests: int) -> None:
        """Count requests that were ended for their slowness. Raises CountersError."""
        for _ in range(requests):
            self._counters.charge([self._daily_count("slow")], self._clock())

    def slow_requests_today(self) -> int:
        """Requests that were ended for their slowness since midnight UTC. Raises CountersError."""
        return self._counters.get_counts([self._daily_count("slow").key], self._clock())[0]

    @contextmanager
    def in_flight(self, key: str) -> Iterator[None]:
        """Lock the idempotency key of a write during it. Raises InFlightError and CountersError."""
        now = self._clock()
        charges = self._keys.charges("in-flight", key, 0, ((_MAX_WRITE_SECONDS, 1),))
        charged = self._counters.charge(charges, now)
        try:
            if charged[-1].is_over:
                raise InFlightError
            yield
        finally:
            self._counters.refund(charged, now)

    def quota_keys(self, address: str) -> tuple[bytes, ...]:
        """The keys of a source on each day from which it may have a live text, today's first."""
        return self._quota_keys(address, self._today())

    def network_quota_keys(self, address: str) -> tuple[bytes, ...]:
        """The same of the IPv6 /48 of an address; none for an IPv4 address."""
        return self._network_quota_keys(address, self._today())

    def _make_quota_keys(self, address: str, day: int) -> tuple[bytes, ...]:
        return self._keys_of_days("keeps", source_key(address), day)

    def _make_network_quota_keys(self, address: str, day: int) -> tuple[bytes, ...]:
        network = network_key(address)
        return () if network is None else self._keys_of_days("keeps-network", network, day)

    def _keys_of_days(self, kind: str, source: str, day: int) -> tuple[bytes, ...]:
        return tuple(self._keys.hash(kind, source, day - ago)[:16] for ago in range(self._days_stored))

    def _make_write_plan(self, address: str, day: int) -> WritePlan:
        # A network's charges come first: once it has reached its limit, its sources add no counts.
        network = self._keys.network_charges("write-network", address, day, self.network_writes)
        charges = network + self._keys.charges("write", source_key(address), day, self.writes)
        return WritePlan(charges, has_network=bool(network))

    def _charge_lookup(self, plan: LookupPlan, now: float) -> list[ChargeResult]:
        """Charge; wait while the limit is only reached by look-ups in flight, which may yet be refunded."""
        deadline = time.monotonic() + _MAX_WAIT
        while True:
            charged = self._counters.charge(plan.charges, now)
            if not _only_in_flight(plan, charged) or time.monotonic() > deadline:
                return charged
            self._counters.refund(charged, now)
            sleep(_POLL_INTERVAL)

    def _make_lookup_plan(self, address: str, day: int) -> LookupPlan:
        source = source_key(address)
        network_loads = self._keys.network_charges("load-network", address, day, self._network_loads)
        loads = network_loads + self._keys.charges("load", source, day, self._loads)
        misses = self._keys.network_charges("miss-network", address, day, self._network_misses)
        # The longest window first: only the first limit that is reached sets Retry-After.
        misses += self._keys.charges("miss", source, day, self._misses[::-1])
        all_misses = self._keys.charges("miss-all", "", day, self._all_misses)
        in_flight = self._keys.charges("under-way", source, day, _IN_FLIGHT) if misses else ()
        return LookupPlan(
            charges=loads + in_flight + misses + all_misses,
            loads=loads,
            in_flight=in_flight,
            misses=misses,
            all_misses=all_misses,
            fallback=self._keys.charges("miss-scarce", source, day, _FALLBACK),
            credits=partial(self._credits, source, day),
        )

    def _credits(self, source: str, day: int, code: str) -> Credits:
        kinds = ("asked", "asked-scarce")
        return Credits(*(self._keys.charges(kind, f"{source} {code}", day, _CREDIT)[0] for kind in kinds))

    def _count_refusal(self, now: float) -> None:
        self._counters.charge([self._daily_count("refused")], now)

    def _daily_count(self, kind: str) -> Charge:
        return self._keys.charges(kind, "", self._today(), ((DAY, 0),))[0]

    def _today(self) -> int:
        return int(self._clock() // DAY)


def _only_in_flight(plan: LookupPlan, charged: Sequence[ChargeResult]) -> bool:
    """Whether a limit of misses is reached, but would not be without the look-ups in flight."""
    if not charged or not charged[-1].is_over or charged[-1].charge not in plan.misses:
        return False
    in_flight = charged[len(plan.loads)].counted
    return charged[-1].counted - in_flight < charged[-1].charge.limit
