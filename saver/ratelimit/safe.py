"""Counts as the budgets use them: one kind of error, and none from taking back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from saver.ratelimit.counters import Charge, Charged, Counters, CountersError, Taken

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)


class SafeCounters:
    """The same calls as ``Counts``; raises CountersError where nothing can be counted.

    What only takes back never fails: what was asked is done by then, perhaps for good,
    and a charge that stays renews nothing.
    """

    def __init__(self, counts: Counters) -> None:
        self._counts = counts

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count, up to the first that is over. Raises CountersError."""
        return self._tried(self._counts.charge, charges, now) if charges else []

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take charges back."""
        if charged:
            self._tried_in_vain(self._counts.refund, charged, now)

    def leave(self, mark: Charge, at: float, charged: Sequence[Charged], now: float) -> None:
        """Add one to a count, take charges back."""
        self._tried_in_vain(self._counts.leave, mark, at, charged, now)

    def take(self, marks: Sequence[Charge], charged: Sequence[Charged], now: float) -> Taken | None:
        """Take one and charges back, or nothing. Raises CountersError."""
        return self._tried(self._counts.take, marks, charged, now)

    def forgive(self, taken: Taken, charges: Sequence[Charge], now: float) -> None:
        """Take back what the marks stand for."""
        self._tried_in_vain(self._counts.forgive, taken, charges, now)

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others. Raises CountersError."""
        return self._tried(self._counts.read, keys, now)

    def secrets(self, mark: str) -> int:
        """Note the mark of a secret key; how many there were within the hour. Raises CountersError."""
        return self._tried(self._counts.secrets, mark)

    def fill(self, now: float) -> float | None:
        """About how full it is, of 1; None where it has no bounds. Raises CountersError."""
        return self._tried(self._counts.fill, now)

    def _tried(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        try:
            return call(*given, **named)
        except self._counts.base_exceptions as error:
            raise CountersError(type(error).__name__) from None

    def _tried_in_vain(self, call: Callable[P, None], *given: P.args, **named: P.kwargs) -> None:
        try:
            self._tried(call, *given, **named)
        except CountersError as error:
            _log.warning("charges stay until their windows end: %s", error)
