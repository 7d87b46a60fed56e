"""How much whoever asks may still try.

Four letters name a text, they do not guard it: what keeps a stranger from
trying them all is that misses are counted. A guess is charged before it is
looked up and refunded when it finds its text, so guesses that run at the same
time cannot all pass on the strength of the same last one.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

from limits.storage import Storage

from saver import counts
from saver.addresses import network_of, source_of
from saver.counts import Charge
from saver.settings import Settings

Clock = Callable[[], float]
Charges = tuple[Charge, ...]
Windows = tuple[tuple[int, int], ...]

_DAY = 86_400
_CACHED = 4096
# Longer than a write may take; a process that dies in it blocks its key no longer.
_LONGEST_WRITE = 30
_ONE_AN_HOUR: Windows = ((3_600, 1),)
# How long (seconds) a guess waits for those of its source that are under way, and how often it looks.
_LONGEST_WAIT = 1.0
_PAUSE = 0.005
_UNDER_WAY: Windows = ((30, 1 << 62),)


class InFlightError(Exception):
    """The same write is under way."""


class SpentError(Exception):
    """A budget is spent. ``retry_after`` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("budget spent")
        self.retry_after = retry_after


class _Plan(NamedTuple):
    """What a guess of one source is charged.

    ``under_way`` counts it until it is answered; ``scarce`` is charged only when
    everybody's misses are spent.
    """

    loads: Charges
    misses: Charges
    all_misses: Charges
    under_way: Charges
    scarce: Charges


class Budgets:
    """Counts writes, loads and misses in fixed windows.

    A window begins with the first count in it. A figure of 0 in the settings
    switches its budget off. What is stored is a keyed hash of the source, with
    another key every day, never an address.
    """

    def __init__(self, storage: Storage, settings: Settings, *, clock: Clock, secret: bytes) -> None:
        self._storage = storage
        self._clock = clock
        self._secret = secret
        self._of_write = _windows(minute=settings.writes_a_minute, hour=settings.writes_an_hour)
        self._of_load = _windows(minute=settings.loads_a_minute)
        self._of_miss = _windows(
            minute=settings.misses_a_minute, hour=settings.misses_an_hour, day=settings.misses_a_day
        )
        self._of_network = _windows(day=settings.misses_a_day_per_network)
        self._of_all = _windows(day=settings.misses_a_day_in_all)
        # What an address is charged is the same all day, and it is needed for every load.
        self._write_charges = lru_cache(maxsize=_CACHED)(self._make_write_charges)
        self._names = lru_cache(maxsize=_CACHED)(self._make_names)
        self._days_kept = settings.max_expires_in_sealed // _DAY + 2
        self._guess_plan = lru_cache(maxsize=_CACHED)(self._make_guess_plan)

    def write(self, address: str) -> None:
        """Count a write. Raises SpentError."""
        now = self._clock()
        charges = self._write_charges(address, int(now // _DAY))
        self._refuse_if_over(self._over(charges, now), charges, now)

    @contextmanager
    def guess(self, address: str, miss: type[Exception]) -> Iterator[None]:
        """Count what could reveal whether a code is leased; a miss if ``miss`` is raised inside.

        Raises SpentError before anything is looked up.
        """
        now = self._clock()
        plan = self._guess_plan(address, int(now // _DAY))
        charged = self._admit(plan, now)
        try:
            yield
        except miss:
            self._refund(plan.under_way, now)
            raise
        except BaseException:
            self._refund(charged, now)
            raise
        self._refund(charged, now)

    def today(self) -> tuple[int, int]:
        """Misses and refused requests since midnight UTC. Raises CountsError."""
        now = self._clock()
        plan = self._guess_plan("", int(now // _DAY))
        misses, refusals = (
            [charge.key for charge in charges] for charges in (plan.all_misses, self._refusals(now))
        )
        return sum(counts.read(self._storage, misses, now)), sum(counts.read(self._storage, refusals, now))

    def _refusals(self, now: float) -> Charges:
        return self._charges("refused", "", int(now // _DAY), ((_DAY, 0),))

    @contextmanager
    def in_flight(self, key: str) -> Iterator[None]:
        """Hold the key of a repeatable write while it is under way. Raises InFlightError."""
        now = self._clock()
        charges = self._charges("in-flight", key, 0, ((_LONGEST_WRITE, 1),))
        over = self._over(charges, now)
        try:
            if over:
                raise InFlightError
            yield
        finally:
            self._refund(charges, now)

    def names_of(self, address: str) -> tuple[bytes, ...]:
        """The names under which a source was kept on the days that a text may live, today's first."""
        return self._names(address, int(self._clock() // _DAY))

    def _make_names(self, address: str, day: int) -> tuple[bytes, ...]:
        source = source_of(address)
        return tuple(self._name("keeps", source, day - ago)[:16] for ago in range(self._days_kept))

    def _admit(self, plan: _Plan, now: float) -> Charges:
        """Charge a guess; what is to be refunded when it is no miss."""
        charged = plan.misses + plan.all_misses + plan.under_way
        over = self._over_when_answered(plan, plan.loads + charged, now)
        if over and set(over) <= set(plan.all_misses):
            # Everybody together has spent the budget of the day: few misses each,
            # so that strangers cannot keep those who know their code from loading.
            charged += plan.scarce
            over = self._over(plan.scarce, now)
        self._refuse_if_over(over, plan.loads + charged, now)
        return charged

    def _over_when_answered(self, plan: _Plan, charges: Charges, now: float) -> dict[Charge, float]:
        """Charge, and wait while only guesses under way, which may yet find their texts, spend the budget."""
        if not plan.under_way:
            return self._over(charges, now)
        deadline = time.monotonic() + _LONGEST_WAIT
        while True:
            counted = counts.charge(self._storage, charges, now)
            over = _those_over(charges, counted)
            if not self._is_crowded(plan, over, counted) or time.monotonic() > deadline:
                return over
            self._refund(charges, now)
            time.sleep(_PAUSE)

    def _is_crowded(
        self, plan: _Plan, over: dict[Charge, float], counted: Sequence[tuple[int, float]]
    ) -> bool:
        if not over:
            return False
        under_way, _ = counted[-1]
        counts_of_misses = counted[len(plan.loads) : len(plan.loads) + len(plan.misses)]
        count_of = {charge: count for charge, (count, _) in zip(plan.misses, counts_of_misses, strict=True)}
        return all(charge in count_of and count_of[charge] - under_way < charge.amount for charge in over)

    def _over(self, charges: Charges, now: float) -> dict[Charge, float]:
        """Charge, and say which counts are over their amount, with the ends of their windows."""
        if not charges:
            return {}
        return _those_over(charges, counts.charge(self._storage, charges, now))

    def _refuse_if_over(self, over: dict[Charge, float], charges: Charges, now: float) -> None:
        if over:
            self._refund(charges, now)
            counts.charge(self._storage, self._refusals(now), now)
            raise SpentError(max(1, math.ceil(max(over.values()) - now)))

    def _refund(self, charges: Charges, now: float) -> None:
        if charges:
            counts.refund(self._storage, charges, now)

    def _make_write_charges(self, address: str, day: int) -> Charges:
        return self._charges("write", source_of(address), day, self._of_write)

    def _make_guess_plan(self, address: str, day: int) -> _Plan:
        source, network = source_of(address), network_of(address)
        misses = self._charges("miss", source, day, self._of_miss)
        if network is not None:
            misses += self._charges("miss-network", network, day, self._of_network)
        return _Plan(
            loads=self._charges("load", source, day, self._of_load),
            misses=misses,
            all_misses=self._charges("miss-all", "", day, self._of_all),
            under_way=self._charges("under-way", source, day, _UNDER_WAY) if misses else (),
            scarce=self._charges("miss-scarce", source, day, _ONE_AN_HOUR),
        )

    def _charges(self, of: str, who: str, day: int, windows: Windows) -> Charges:
        name = self._name(of, who, day).hex()[:32]
        return tuple(Charge(f"{of}/{seconds}/{name}", amount, seconds) for seconds, amount in windows)

    def _name(self, of: str, who: str, day: int) -> bytes:
        return hmac.digest(self._secret, f"{day} {of} {who}".encode(), hashlib.sha256)


def _those_over(charges: Charges, counted: Sequence[tuple[int, float]]) -> dict[Charge, float]:
    return {
        charge: end for charge, (count, end) in zip(charges, counted, strict=True) if count > charge.amount
    }


def _windows(minute: int = 0, hour: int = 0, day: int = 0) -> Windows:
    return tuple(
        (seconds, amount) for seconds, amount in ((60, minute), (3_600, hour), (_DAY, day)) if amount
    )
