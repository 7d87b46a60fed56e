"""Counters with one kind of error, and none from what only refunds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from saver.ratelimit.counters import Charge, ChargeResult, Counters, CountersError, UsedCredit

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)


class SafeCounters:
    """The calls of ``Counters``; raises CountersError where nothing can be counted.

    A refund never fails: the request that it belongs to is done by then, and a charge that stays
    makes no limit wider.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def charge(self, charges: Sequence[Charge], now: float) -> list[ChargeResult]:
        """Add one to each count, up to the first that is over. Raises CountersError."""
        return self._call(self._counters.charge, charges, now) if charges else []

    def refund(self, charged: Sequence[ChargeResult], now: float) -> None:
        """Subtract charges again."""
        if charged:
            self._call_logged(self._counters.refund, charged, now)

    def add_credit(self, credit: Charge, began: float, charged: Sequence[ChargeResult], now: float) -> None:
        """Add one credit and refund charges."""
        self._call_logged(self._counters.add_credit, credit, began, charged, now)

    def use_credit(
        self, credits: Sequence[Charge], charged: Sequence[ChargeResult], now: float
    ) -> UsedCredit | None:
        """Use one credit and refund charges, or change nothing. Raises CountersError."""
        return self._call(self._counters.use_credit, credits, charged, now)

    def refund_credit(self, used: UsedCredit, charges: Sequence[Charge], now: float) -> None:
        """Subtract what the credits were charged."""
        self._call_logged(self._counters.refund_credit, used, charges, now)

    def get_counts(self, keys: Sequence[str], now: float) -> list[int]:
        """The counts whose windows are open; 0 for others. Raises CountersError."""
        return self._call(self._counters.get_counts, keys, now)

    def count_secret_keys(self, fingerprint: str) -> int:
        """The number of different secret keys within the last hour. Raises CountersError."""
        return self._call(self._counters.count_secret_keys, fingerprint)

    def used_fraction(self, now: float) -> float | None:
        """Roughly how full the storage is, from 0 to 1, if it has a size. Raises CountersError."""
        return self._call(self._counters.used_fraction, now)

    def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except self._counters.errors as error:
            raise CountersError(type(error).__name__) from None

    def _call_logged(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            self._call(call, *args, **kwargs)
        except CountersError as error:
            _log.warning("charges stay until their windows end: %s", error)
