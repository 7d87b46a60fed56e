"""What strangers find by guessing: the exact figure for ``/metrics``, and the one that everybody may see."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from saver.clock import Clock
from saver.codes import SPACE
from saver.database import StorageError
from saver.ratelimit import CountersError
from saver.ratelimit.rules import RateLimits
from saver.store import TextStore

# In seconds: counting reads all live texts, and everybody may ask as often as they like.
_MAX_AGE = 60
# The fewest open texts that are shown. A stranger who saw smaller numbers could watch when a text of a
# small service is saved and when it is read.
_MIN_OPEN_TEXTS = 100


class GuessingFigures(NamedTuple):
    """What today's misses find on average of all open texts, and of one: the chance that it is found."""

    expected_hits: float
    chance: float


def expected_hits(misses: int, open_texts: int) -> float:
    """Return how many of ``open_texts`` are found by ``misses`` guesses on average."""
    return float(misses * open_texts / SPACE)


class PublicGuessing:
    """The figures for everybody: two significant digits, at least 100 open texts, new once a minute."""

    def __init__(self, store: TextStore, rate_limits: RateLimits, clock: Clock) -> None:
        self._store = store
        self._rate_limits = rate_limits
        self._clock = clock
        self._lock = Lock()
        self._figures: GuessingFigures | None = None
        self._counted_at: float | None = None

    def figures(self) -> GuessingFigures | None:
        """Return the figures of the last minute; None if nothing can be counted. Never raises."""
        now = self._clock()
        # Requests do not wait for the one that counts.
        if not self._is_fresh(now) and self._lock.acquire(blocking=False):
            try:
                self._figures = self._count()
                self._counted_at = now
            finally:
                self._lock.release()
        return self._figures

    def _is_fresh(self, now: float) -> bool:
        return self._counted_at is not None and 0 <= now - self._counted_at < _MAX_AGE

    def _count(self) -> GuessingFigures | None:
        if not self._rate_limits.counts_all_misses:
            return None
        try:
            misses, _ = self._rate_limits.counts_today()
            open_texts = self._store.count_open()
        except (CountersError, StorageError):
            return None
        # Rounded before it is multiplied: whoever adds misses could find out the other digits.
        shown = max(_MIN_OPEN_TEXTS, int(_round(open_texts)))
        return GuessingFigures(_round(expected_hits(misses, shown)), _round(expected_hits(misses, 1)))


def _round(number: float) -> float:
    return float(f"{number:.1e}")
