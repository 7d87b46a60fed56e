"""How much whoever asks may still try.

Four letters name a text, they do not guard it: what keeps a stranger from
trying them all is that misses are counted; see ``saver.ratelimit.lookups``.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial

from saver.ratelimit import Charge, Charged, Counters, CountersError, SafeCounters
from saver.ratelimit.addresses import network_key, source_key
from saver.ratelimit.lookups import Charges, Lookup, Marks, Plan, RateLimitExceededError, retry_after
from saver.settings import Settings

Clock = Callable[[], float]
Windows = tuple[tuple[int, int], ...]

_DAY = 86_400
_CACHED = 4096
# Longer than a write may take; a process that dies in it blocks its key no longer.
_LONGEST_WRITE = 30
_ONE_AN_HOUR: Windows = ((3_600, 1),)
# How long (seconds) a look-up waits for those of its source that are under way, and how often it looks.
_LONGEST_WAIT = 1.0
_PAUSE = 0.005
_UNDER_WAY: Windows = ((30, 1 << 62),)
# How long (seconds) whoever asked without a password has to come with it.
_ASKED: Windows = ((600, 0),)
# The part of its slots beyond which a table may have none where a count must lie.
_FULL = 0.75


class InFlightError(Exception):
    """The same write is under way."""


class RateLimits:
    """Counts writes, loads and misses in fixed windows.

    A window begins with the first count in it. A figure of 0 in the settings
    switches its budget off. What is stored is a keyed hash of the source, with
    another key every day, never an address.
    """

    def __init__(self, kept: Counters, settings: Settings, *, clock: Clock, secret: bytes) -> None:
        self._counts = SafeCounters(kept)
        self._clock = clock
        self._secret = secret
        self._of_write = _windows(minute=settings.writes_a_minute, hour=settings.writes_an_hour)
        self._of_network_write = _windows(hour=settings.writes_an_hour_per_network)
        self._of_load = _windows(minute=settings.loads_a_minute)
        self._of_network_load = _windows(minute=settings.loads_a_minute_per_network)
        self._of_miss = _windows(
            minute=settings.misses_a_minute, hour=settings.misses_an_hour, day=settings.misses_a_day
        )
        self._of_network_miss = _windows(day=settings.misses_a_day_per_network)
        self._of_all = _windows(day=settings.misses_a_day_in_all)
        # What an address is charged is the same all day, and it is needed for every load.
        self._write_charges = lru_cache(maxsize=_CACHED)(self._make_write_charges)
        self._names = lru_cache(maxsize=_CACHED)(self._make_names)
        self._network_names = lru_cache(maxsize=_CACHED)(self._make_network_names)
        self._days_kept = settings.max_expires_in_sealed // _DAY + 2
        self._plan = lru_cache(maxsize=_CACHED)(self._make_plan)

    def write(self, address: str) -> None:
        """Count a write. Raises RateLimitExceededError and CountersError."""
        now = self._clock()
        charged = self._counts.charge(self._write_charges(address, int(now // _DAY)), now)
        if charged and charged[-1].is_over:
            self._counts.refund(charged, now)
            self._note_refusal(now)
            raise RateLimitExceededError(retry_after(charged[-1:]))

    @contextmanager
    def look_up(self, address: str) -> Iterator[Lookup]:
        """Charge what could reveal whether a code is leased; nothing is charged if nothing was looked up.

        Raises RateLimitExceededError and CountersError.
        """
        now = self._clock()
        plan = self._plan(address, int(now // _DAY))
        charged = self._charge_when_answered(plan, now)
        look_up = Lookup(self._counts, plan, charged, now, partial(self._note_refusal, now))
        try:
            yield look_up
        finally:
            look_up.give_up()

    def today(self) -> tuple[int, int]:
        """Misses and refused requests since midnight UTC. Raises CountersError."""
        now = self._clock()
        plan = self._plan("", int(now // _DAY))
        keys = [charge.key for charge in (*self._refusals(now), *plan.all_misses)]
        refusals, *misses = self._counts.read(keys, now)
        return sum(misses), refusals

    def fill(self) -> float | None:
        """About how full the counts are, of 1; None where they have no bounds. Raises CountersError."""
        return self._counts.fill(self._clock())

    def secrets(self) -> int:
        """How many different secret keys count in the same place. Raises CountersError."""
        return self._counts.secrets(hmac.digest(self._secret, b"which secret", hashlib.sha256).hex()[:16])

    def can_count(self) -> bool:
        """Whether the place of the counts answers and has room."""
        try:
            self.secrets()
            fill = self.fill()
        except CountersError:
            return False
        return fill is None or fill < _FULL

    def count_slow(self, requests: int) -> None:
        """Count requests that were cut off for slowness. Raises CountersError."""
        now = self._clock()
        for _ in range(requests):
            self._counts.charge(self._slow(now), now)

    def slow_today(self) -> int:
        """Requests cut off for slowness since midnight UTC. Raises CountersError."""
        now = self._clock()
        return sum(self._counts.read([charge.key for charge in self._slow(now)], now))

    def _slow(self, now: float) -> Charges:
        return self._charges("slow", "", int(now // _DAY), ((_DAY, 0),))

    @contextmanager
    def in_flight(self, key: str) -> Iterator[None]:
        """Hold the key of a repeatable write while it is under way. Raises InFlightError."""
        now = self._clock()
        charged = self._counts.charge(self._charges("in-flight", key, 0, ((_LONGEST_WRITE, 1),)), now)
        try:
            if charged[-1].is_over:
                raise InFlightError
            yield
        finally:
            self._counts.refund(charged, now)

    def quota_keys(self, address: str) -> tuple[bytes, ...]:
        """The names under which a source was kept on the days that a text may live, today's first."""
        return self._names(address, int(self._clock() // _DAY))

    def network_quota_keys(self, address: str) -> tuple[bytes, ...]:
        """The same of its IPv6 /48; none for an IPv4 address."""
        return self._network_names(address, int(self._clock() // _DAY))

    def _make_names(self, address: str, day: int) -> tuple[bytes, ...]:
        return self._names_since("keeps", source_key(address), day)

    def _make_network_names(self, address: str, day: int) -> tuple[bytes, ...]:
        network = network_key(address)
        return () if network is None else self._names_since("keeps-network", network, day)

    def _names_since(self, of: str, who: str, day: int) -> tuple[bytes, ...]:
        return tuple(self._name(of, who, day - ago)[:16] for ago in range(self._days_kept))

    def _charge_when_answered(self, plan: Plan, now: float) -> list[Charged]:
        """Charge; wait while only look-ups under way, which may yet find their texts, spend the budget."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while True:
            charged = self._counts.charge(plan.charges, now)
            if not _is_crowded(plan, charged) or time.monotonic() > deadline:
                return charged
            self._counts.refund(charged, now)
            time.sleep(_PAUSE)

    def _note_refusal(self, now: float) -> None:
        self._counts.charge(self._refusals(now), now)

    def _refusals(self, now: float) -> Charges:
        return self._charges("refused", "", int(now // _DAY), ((_DAY, 0),))

    def _make_write_charges(self, address: str, day: int) -> Charges:
        """A network's first: where it has spent them, none of its sources takes up any room."""
        network = self._of_a_network("write-network", address, day, self._of_network_write)
        return network + self._charges("write", source_key(address), day, self._of_write)

    def _make_plan(self, address: str, day: int) -> Plan:
        source = source_key(address)
        network_loads = self._of_a_network("load-network", address, day, self._of_network_load)
        loads = network_loads + self._charges("load", source, day, self._of_load)
        misses = self._of_a_network("miss-network", address, day, self._of_network_miss)
        # The longest first: only the first that is spent says when to come again.
        misses += self._charges("miss", source, day, self._of_miss[::-1])
        all_misses = self._charges("miss-all", "", day, self._of_all)
        under_way = self._charges("under-way", source, day, _UNDER_WAY) if misses else ()
        return Plan(
            charges=loads + under_way + misses + all_misses,
            loads=loads,
            under_way=under_way,
            misses=misses,
            all_misses=all_misses,
            scarce=self._charges("miss-scarce", source, day, _ONE_AN_HOUR),
            marks=partial(self._marks, source, day),
        )

    def _marks(self, source: str, day: int, code: str) -> Marks:
        kinds = ("asked", "asked-scarce")
        return Marks(*(self._charges(kind, f"{source} {code}", day, _ASKED)[0] for kind in kinds))

    def _of_a_network(self, of: str, address: str, day: int, windows: Windows) -> Charges:
        network = network_key(address)
        return () if network is None else self._charges(of, network, day, windows)

    def _charges(self, of: str, who: str, day: int, windows: Windows) -> Charges:
        name = self._name(of, who, day).hex()[:32]
        return tuple(Charge(f"{of}/{seconds}/{name}", amount, seconds) for seconds, amount in windows)

    def _name(self, of: str, who: str, day: int) -> bytes:
        return hmac.digest(self._secret, f"{day} {of} {who}".encode(), hashlib.sha256)


def _is_crowded(plan: Plan, charged: Sequence[Charged]) -> bool:
    """Whether a budget of misses is spent, but not without the look-ups that are under way."""
    if not charged or not charged[-1].is_over or charged[-1].charge not in plan.misses:
        return False
    under_way = charged[len(plan.loads)].counted
    return charged[-1].counted - under_way < charged[-1].charge.amount


def _windows(minute: int = 0, hour: int = 0, day: int = 0) -> Windows:
    return tuple(
        (seconds, amount) for seconds, amount in ((60, minute), (3_600, hour), (_DAY, day)) if amount
    )
