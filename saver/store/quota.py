"""How much may be stored: by one source, by one network, by everybody, and on the disk.

The texts of a source are counted within the transaction that stores the new one, so that two concurrent
writers cannot both store the last one. The total of all live texts is read from time to time: it protects
a disk, for which the writes of a second do not matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Column, Connection, bindparam, func, select

from saver.database import Database, StorageError, run_read
from saver.database.disk import Disk
from saver.database.statements import Statement
from saver.database.tables import text
from saver.store.predicates import is_expired, is_live

# How old (seconds) the sum of all live texts may be, and how many times as old as it took to make.
_SUM_EVERY = 1.0
_TIMES_AS_LONG = 50


class QuotaError(Exception):
    """A source or its network has stored as much as it may."""


class FullError(Exception):
    """There is no space for another text of any source."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one source may store: live texts and their bytes; 0 means any number.

    ``sources`` are the keys under which its texts were stored on the last days, today's
    first. ``network`` is the quota of its network, if it has one.
    """

    sources: Sequence[bytes]
    texts: int
    size: int
    network: Quota | None = None

    @property
    def limits(self) -> bool:
        """Return whether the quota limits anything."""
        return bool(self.texts or self.size)


class Quotas:
    """Refuses a text that there is no space for."""

    def __init__(
        self, database: Database, disk: Disk, clock: Callable[[], float], max_bytes: int = 0
    ) -> None:
        """``max_bytes`` is how many bytes all live texts may have together; 0 means any number."""
        self._database = database
        self._disk = disk
        self._total = _Total(database, clock, max_bytes)
        # By the number of keys of a source, which is the same for all sources of a process.
        self._usage = lru_cache(lambda column, names: _usage_statement(database, column, names))

    def must_have_room(self, size: int) -> None:
        """Raise FullError if all live texts are as large as they may be together. Raises StorageError."""
        self._total.must_have_room(size)

    def check(self, connection: Connection, quota: Quota | None, size: int, now: int) -> None:
        """Raise QuotaError or FullError unless a text of ``size`` bytes may be stored, as of ``now``.

        Raises StorageError if the free space is unknown.
        """
        try:
            if not self._disk.has_room(connection, size):
                raise FullError
        except OSError as error:
            raise StorageError(type(error).__name__) from None
        if quota is None:
            return
        # Two concurrent texts of one source must not both use the last place. Two keys of each source,
        # because at midnight today's key of one text is yesterday's key of the other.
        names = [*quota.sources[:2], *(quota.network.sources[:2] if quota.network else ())]
        self._database.lock(connection, "quota", *names)
        self._check(connection, text.c.source, quota, size, now)
        if quota.network:
            self._check(connection, text.c.network, quota.network, size, now)

    def add(self, size: int) -> None:
        """Count a text that was stored."""
        self._total.add(size)

    def _check(
        self, connection: Connection, column: Column[bytes], quota: Quota, size: int, now: int
    ) -> None:
        if not quota.limits:
            return
        values = {**_named(quota.sources), "now": now}
        ((texts, stored),) = self._usage(column, len(quota.sources)).rows(connection, values)
        too_many = quota.texts and texts + 1 > quota.texts
        too_large = quota.size and (stored or 0) + size > quota.size
        if too_many or too_large:
            raise QuotaError


class _Total:
    """The bytes of all live texts a moment ago, and of those that this process has stored since."""

    def __init__(self, database: Database, clock: Callable[[], float], max_bytes: int) -> None:
        self._database = database
        self._clock = clock
        self._max_bytes = max_bytes
        self._sum = 0
        self._read_at = float("-inf")
        self._lasts = _SUM_EVERY

    def must_have_room(self, size: int) -> None:
        if not self._max_bytes:
            return
        now = self._clock()
        # abs: also if the clock was set back.
        if abs(now - self._read_at) >= self._lasts:
            self._read_at = now
            self._read(int(now))
        if self._sum + size > self._max_bytes:
            raise FullError

    def add(self, size: int) -> None:
        self._sum += size

    def _read(self, now: int) -> None:
        began = time.monotonic()
        found = run_read(self._database, lambda connection: connection.scalar(_live_bytes, {"now": now}))
        self._sum = found or 0
        self._lasts = max(_SUM_EVERY, _TIMES_AS_LONG * (time.monotonic() - began))


_live_bytes = select(func.sum(text.c.size)).where(is_live)


def _named(sources: Sequence[bytes]) -> dict[str, bytes]:
    return {f"source{place}": source for place, source in enumerate(sources)}


def _usage_statement(database: Database, column: Column[bytes], names: int) -> Statement:
    """Select how many live texts have one of so many keys in a column, and their bytes (NULL if none)."""
    any_name = column.in_([bindparam(name) for name in _named([b""] * names)])
    # A wiped text has no key, so only the index is read.
    return Statement(database, select(func.count(), func.sum(text.c.size)).where(any_name, ~is_expired))
