"""The protocol of counters in fixed windows, and the values that it exchanges."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Charge:
    """One count to add to: ``key`` in the storage, at most ``limit`` within ``seconds``.

    ``digest`` stands for the key where keys have a fixed size; 16 bytes.
    """

    key: str
    limit: int
    seconds: int
    digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_of(self.key))


def digest_of(key: str) -> bytes:
    """The digest of a key."""
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


class ChargeResult(NamedTuple):
    """The count after a charge.

    ``counted`` includes the charge. ``seconds_left`` is how long its window stays open. ``window`` identifies
    that window among all windows of the same count, and ``charged_at`` is when it was charged: both are in
    the time of the storage, and only comparable with other values of the same storage.
    """

    charge: Charge
    counted: int
    seconds_left: float
    window: float
    charged_at: float

    @property
    def is_over(self) -> bool:
        """Whether the count is above its limit."""
        return self.counted > self.charge.limit


class UsedCredit(NamedTuple):
    """A credit that was used: its count, and when (as ``ChargeResult.charged_at``) the window of it began."""

    credit: Charge
    window_began: float


class CountersError(Exception):
    """The counters are unavailable or full."""


class Counters(Protocol):
    """Counts in fixed windows, each of which begins with the first charge in it.

    Every call is atomic among all processes that count in the same place. A count that is back at 0 is
    deleted. ``now`` is the caller's clock in UTC seconds, for storages that have no clock.

    A credit is a count too: it holds how many charges were left behind for a later call to use.
    """

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that every call raises where it cannot count."""

    def charge(self, charges: Sequence[Charge], now: float) -> list[ChargeResult]:
        """Add one to each count in order, up to and with the first that is over its limit."""

    def refund(self, charged: Sequence[ChargeResult], now: float) -> None:
        """Subtract each charge again, unless its window has ended."""

    def add_credit(self, credit: Charge, began: float, charged: Sequence[ChargeResult], now: float) -> None:
        """Add one credit, whose window began at ``began`` if none is open; refund ``charged``."""

    def use_credit(
        self, credits: Sequence[Charge], charged: Sequence[ChargeResult], now: float
    ) -> UsedCredit | None:
        """Use one credit of the first count that has one, and refund ``charged``; else change nothing."""

    def refund_credit(self, used: UsedCredit, charges: Sequence[Charge], now: float) -> None:
        """Subtract from each count the credit that was used and all credits that are left in its count.

        Only from windows that began no later than that of the credit: later ones were never charged for it.
        """

    def get_counts(self, keys: Sequence[str], now: float) -> list[int]:
        """The counts whose windows are open; 0 for others."""

    def count_secret_keys(self, fingerprint: str) -> int:
        """Store the fingerprint of a secret key; the number of different ones within the last hour."""

    def used_fraction(self, now: float) -> float | None:
        """Roughly how full the storage is, from 0 to 1; None if it has no limited size."""
