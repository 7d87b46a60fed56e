"""What a count is, and what whoever keeps counts must do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Charge(NamedTuple):
    """One count to add to: ``key`` in the storage, at most ``amount`` within ``seconds``."""

    key: str
    amount: int
    seconds: int


class Charged(NamedTuple):
    """What a charge came to.

    ``counted`` includes it. ``left`` is how long (seconds) its window goes on. ``window``
    tells that window from every other of the same count, and means nothing else.
    """

    charge: Charge
    counted: int
    left: float
    window: float

    @property
    def is_over(self) -> bool:
        """Whether it is more than the budget allows."""
        return self.counted > self.charge.amount


class CountsError(Exception):
    """The counts are out of reach."""


class Counts(Protocol):
    """Keeps counts in fixed windows, which begin with the first count in them.

    Each call is one step: whoever else counts there comes before it or after it.
    ``now`` is the caller's clock in UTC seconds, for those who have none of their own.
    """

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What can go wrong in it."""

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count."""

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others."""


def charge(counts: Counts, charges: Sequence[Charge], now: float) -> list[Charged]:
    """Add one to each count. Raises CountsError."""
    try:
        return counts.charge(charges, now)
    except counts.base_exceptions as error:
        raise CountsError(type(error).__name__) from None


def refund(counts: Counts, charged: Sequence[Charged], now: float) -> None:
    """Take each charge back, unless its window has ended. Raises CountsError."""
    try:
        counts.refund(charged, now)
    except counts.base_exceptions as error:
        raise CountsError(type(error).__name__) from None


def read(counts: Counts, keys: Sequence[str], now: float) -> list[int]:
    """Counts whose windows are open; 0 for others. Raises CountsError."""
    try:
        return counts.read(keys, now)
    except counts.base_exceptions as error:
        raise CountsError(type(error).__name__) from None
