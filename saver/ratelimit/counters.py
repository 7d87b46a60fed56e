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
    tells that window from every other of the same count, and ``at`` when it was charged:
    both are in the time of whoever keeps the counts, and mean nothing elsewhere.
    """

    charge: Charge
    counted: int
    left: float
    window: float
    at: float

    @property
    def is_over(self) -> bool:
        """Whether it is more than the budget allows."""
        return self.counted > self.charge.amount


class Taken(NamedTuple):
    """One that was taken from a count, and when (as ``Charged.at``) the window of that count began."""

    charge: Charge
    begun: float


class CountersError(Exception):
    """The counts are out of reach."""


class Counters(Protocol):
    """Keeps counts in fixed windows, which begin with the first count in them.

    Each call is one step: whoever else counts there comes before it or after it. A count
    that is back at 0 is forgotten. ``now`` is the caller's clock in UTC seconds, for those
    who have none of their own.
    """

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What can go wrong in it."""

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count, in order, up to the first that is over; that one is the last answered."""

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""

    def leave(self, mark: Charge, at: float, charged: Sequence[Charged], now: float) -> None:
        """Add one to a count whose window, if none is open, began at ``at``; take charges back."""

    def take(self, marks: Sequence[Charge], charged: Sequence[Charged], now: float) -> Taken | None:
        """Take one from the first count that has one; only then take the charges back."""

    def forgive(self, taken: Taken, charges: Sequence[Charge], now: float) -> None:
        """Take from each count what was ``taken``, and all that is left where it was taken from.

        Only from windows that began no later than that of the mark: later ones were never charged for it.
        """

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others."""

    def secrets(self, mark: str) -> int:
        """Note the mark of a secret key; how many different ones were noted within the hour."""

    def fill(self, now: float) -> float | None:
        """About how full it is, of 1; None where it has no bounds of its own."""
