"""How much may be kept: by one source, by one network, by everybody, and on the disk.

Whoever writes is counted within the transaction that keeps the text, so that writers at the same time
cannot each find room for the last one. What everybody keeps is summed up now and then: it guards a disk,
and a second's writes more or less do it no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Column, Connection, Engine, bindparam, func, select

from saver import database
from saver.database.disk import Disk
from saver.database.statements import Statement, read
from saver.database.tables import text
from saver.database.writer import StorageError
from saver.store.sweep import expired, live

# How old (seconds) the sum of all live texts may be, and how many times as old as it took to make.
_SUM_EVERY = 1.0
_TIMES_AS_LONG = 50


class QuotaError(Exception):
    """A source or its network keeps as much as it may."""


class FullError(Exception):
    """There is no room for another text, whoever writes it."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one source may keep: live texts and their bytes; 0 means any number.

    ``sources`` are the names under which the source was kept on the last days,
    today's first. ``network`` is the same for all sources of its network, if it is in one that counts.
    """

    sources: Sequence[bytes]
    texts: int
    size: int
    network: Quota | None = None

    @property
    def limits(self) -> bool:
        """Whether there is anything that it refuses."""
        return bool(self.texts or self.size)


class Quotas:
    """Refuses a text that there is no room for."""

    def __init__(self, engine: Engine, disk: Disk, clock: Callable[[], float], size_in_all: int) -> None:
        """``size_in_all`` is how many bytes all live texts may have together; 0 means any number."""
        self._disk = disk
        self._all = _InAll(engine, clock, size_in_all)
        # By the number of names that a source has; in a process it is always the same one.
        self._kept = lru_cache(lambda column, names: _kept_by(engine, column, names))

    def must_have_room(self, size: int) -> None:
        """Raise FullError where everybody together keeps as much as they may. Raises StorageError."""
        self._all.must_have_room(size)

    def check(self, connection: Connection, quota: Quota | None, size: int, now: int) -> None:
        """Raise QuotaError or FullError unless a text of ``size`` bytes may be kept, as of ``now``.

        Raises StorageError where nobody can tell.
        """
        try:
            if not self._disk.has_room(connection, size):
                raise FullError
        except OSError as error:
            raise StorageError(type(error).__name__) from None
        if quota is None:
            return
        # Or two texts of one source would each find room for one; at midnight the second's first
        # name is another's second.
        names = [*quota.sources[:2], *(quota.network.sources[:2] if quota.network else ())]
        database.lock(connection, "quota", *names)
        self._check(connection, text.c.source, quota, size, now)
        if quota.network:
            self._check(connection, text.c.network, quota.network, size, now)

    def kept(self, size: int) -> None:
        """Count a text that was kept."""
        self._all.kept(size)

    def _check(
        self, connection: Connection, column: Column[bytes], quota: Quota, size: int, now: int
    ) -> None:
        if not quota.limits:
            return
        values = {**_named(quota.sources), "now": now}
        ((texts, kept),) = self._kept(column, len(quota.sources)).rows(connection, values)
        too_many = quota.texts and texts + 1 > quota.texts
        too_large = quota.size and (kept or 0) + size > quota.size
        if too_many or too_large:
            raise QuotaError


class _InAll:
    """The bytes of all live texts, as they were a moment ago, and what this process has kept since."""

    def __init__(self, engine: Engine, clock: Callable[[], float], most: int) -> None:
        self._engine = engine
        self._clock = clock
        self._most = most
        self._sum = 0
        self._read_at = float("-inf")
        self._lasts = _SUM_EVERY

    def must_have_room(self, size: int) -> None:
        if not self._most:
            return
        now = self._clock()
        # Also where the clock was set back.
        if abs(now - self._read_at) >= self._lasts:
            self._read_at = now
            self._read(int(now))
        if self._sum + size > self._most:
            raise FullError

    def kept(self, size: int) -> None:
        self._sum += size

    def _read(self, now: int) -> None:
        began = time.monotonic()
        self._sum = read(self._engine, lambda connection: connection.scalar(_live_bytes, {"now": now})) or 0
        self._lasts = max(_SUM_EVERY, _TIMES_AS_LONG * (time.monotonic() - began))


_live_bytes = select(func.sum(text.c.size)).where(live)


def _named(sources: Sequence[bytes]) -> dict[str, bytes]:
    return {f"source{place}": source for place, source in enumerate(sources)}


def _kept_by(engine: Engine, column: Column[bytes], names: int) -> Statement:
    """How many live texts have one of so many names in a column, and their bytes; none: no number."""
    any_name = column.in_([bindparam(name) for name in _named([b""] * names)])
    # Whatever is wiped has no name any more: nothing but the index is read.
    return Statement(engine, select(func.count(), func.sum(text.c.size)).where(any_name, ~expired))
