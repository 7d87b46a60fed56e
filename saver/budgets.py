"""How much whoever asks may still try.

Four letters name a text, they do not guard it: what keeps a stranger from
trying them all is that misses are counted. A guess is charged before it is
looked up and refunded when it finds its text, so guesses that run at the same
time cannot all pass on the strength of the same last one.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

from saver import counts
from saver.addresses import network_of, source_of
from saver.counts import Charge, Charged, Counts, CountsError
from saver.settings import Settings

_log = logging.getLogger(__name__)

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

    def __init__(self, kept: Counts, settings: Settings, *, clock: Clock, secret: bytes) -> None:
        self._kept = kept
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
        charged = self._charge(charges, now)
        self._refuse_if(_those_over(charged), charged, now)

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
            self._refund([one for one in charged if one.charge in plan.under_way], now)
            raise
        except BaseException:
            self._refund(charged, now)
            raise
        self._refund(charged, now)

    def today(self) -> tuple[int, int]:
        """Misses and refused requests since midnight UTC. Raises CountsError."""
        now = self._clock()
        plan = self._guess_plan("", int(now // _DAY))
        keys = [charge.key for charge in (*self._refusals(now), *plan.all_misses)]
        refusals, *misses = counts.read(self._kept, keys, now)
        return sum(misses), refusals

    def count_slow(self, requests: int) -> None:
        """Count requests that were cut off for slowness. Raises CountsError."""
        now = self._clock()
        for _ in range(requests):
            self._charge(self._slow(now), now)

    def slow_today(self) -> int:
        """Requests cut off for slowness since midnight UTC. Raises CountsError."""
        now = self._clock()
        return sum(counts.read(self._kept, [charge.key for charge in self._slow(now)], now))

    def _slow(self, now: float) -> Charges:
        return self._charges("slow", "", int(now // _DAY), ((_DAY, 0),))

    def _refusals(self, now: float) -> Charges:
        return self._charges("refused", "", int(now // _DAY), ((_DAY, 0),))

    @contextmanager
    def in_flight(self, key: str) -> Iterator[None]:
        """Hold the key of a repeatable write while it is under way. Raises InFlightError."""
        now = self._clock()
        charged = self._charge(self._charges("in-flight", key, 0, ((_LONGEST_WRITE, 1),)), now)
        try:
            if _those_over(charged):
                raise InFlightError
            yield
        finally:
            self._refund(charged, now)

    def names_of(self, address: str) -> tuple[bytes, ...]:
        """The names under which a source was kept on the days that a text may live, today's first."""
        return self._names(address, int(self._clock() // _DAY))

    def _make_names(self, address: str, day: int) -> tuple[bytes, ...]:
        source = source_of(address)
        return tuple(self._name("keeps", source, day - ago)[:16] for ago in range(self._days_kept))

    def _admit(self, plan: _Plan, now: float) -> list[Charged]:
        """Charge a guess; what is to be refunded when it is no miss."""
        charged = self._charge_when_answered(plan, now)
        over = _those_over(charged)
        if over and {one.charge for one in over} <= set(plan.all_misses):
            # Everybody together has spent the budget of the day: few misses each,
            # so that strangers cannot keep those who know their code from loading.
            scarce = self._charge(plan.scarce, now)
            charged, over = charged + scarce, _those_over(scarce)
        self._refuse_if(over, charged, now)
        return charged[len(plan.loads) :]

    def _charge_when_answered(self, plan: _Plan, now: float) -> list[Charged]:
        """Charge, and wait while only guesses under way, which may yet find their texts, spend the budget."""
        charges = plan.loads + plan.misses + plan.all_misses + plan.under_way
        deadline = time.monotonic() + _LONGEST_WAIT
        while True:
            charged = self._charge(charges, now)
            if not _is_crowded(plan, charged) or time.monotonic() > deadline:
                return charged
            self._refund(charged, now)
            time.sleep(_PAUSE)

    def _charge(self, charges: Charges, now: float) -> list[Charged]:
        return counts.charge(self._kept, charges, now) if charges else []

    def _refuse_if(self, over: Sequence[Charged], charged: Sequence[Charged], now: float) -> None:
        if over:
            self._refund(charged, now)
            self._charge(self._refusals(now), now)
            raise SpentError(max(1, math.ceil(max(one.left for one in over))))

    def _refund(self, charged: Sequence[Charged], now: float) -> None:
        if not charged:
            return
        try:
            counts.refund(self._kept, charged, now)
        except CountsError as error:
            # What was asked is done, perhaps for good, and a charge that stays renews nothing.
            _log.warning("charges stay until their windows end: %s", error)

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


def _those_over(charged: Sequence[Charged]) -> list[Charged]:
    return [one for one in charged if one.is_over]


def _is_crowded(plan: _Plan, charged: Sequence[Charged]) -> bool:
    """Whether a budget is spent, but not without the guesses that are under way."""
    over = _those_over(charged)
    if not over or not plan.under_way:
        return False
    under_way = charged[-1].counted
    return all(one.charge in plan.misses and one.counted - under_way < one.charge.amount for one in over)


def _windows(minute: int = 0, hour: int = 0, day: int = 0) -> Windows:
    return tuple(
        (seconds, amount) for seconds, amount in ((60, minute), (3_600, hour), (_DAY, day)) if amount
    )
