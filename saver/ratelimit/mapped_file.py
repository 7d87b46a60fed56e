"""Counters in a file that every process of one machine maps into its memory.

It is a hash table under one lock: a charge costs some microseconds, where a database would cost as much as
the load that it guards. The counts outlive the processes; a power cut may lose them, since nothing waits
for the disk.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from saver.blocking import about_to_block
from saver.ratelimit.counters import Charge, ChargeResult, UsedCredit
from saver.ratelimit.file_calls import LOCKED, FileIdentity, file_of, find_file, lock, try_lock, unlock
from saver.ratelimit.mapped_table import NO_FREE_SLOT, SLOT, Table

# 2 MiB at first, 64 MiB at most.
FIRST_SLOTS = 1 << 16
MAX_SLOTS = 1 << 21
# Seconds to wait for the lock; only a process that is stopped holds it that long.
LOCK_TIMEOUT = 5.0
# Seconds; all threads of the process together seldom need more.
_QUICK_WAIT = 0.005
# The file may be replaced between its opening and its lock.
_MAX_REOPENS = 10
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
T = TypeVar("T")
_log = logging.getLogger(__name__)


class _Locked:
    """A ``with`` block under the lock; ``contextlib`` takes as long as two charges."""

    def __init__(self, acquire: Callable[[], None], release: Callable[[], None]) -> None:
        self._acquire = acquire
        self._release = release

    def __enter__(self) -> None:
        self._acquire()

    def __exit__(self, *_: object) -> None:
        self._release()


class MappedFileCounters:
    """Implements ``Counters`` for all processes that name the same ``path``.

    A table that is full is replaced by one of twice the size, so no count is dropped for another one.
    ``lock_timeout`` is in seconds.
    """

    errors = (OSError,)

    def __init__(self, path: Path, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._path = path
        self._name = os.fsencode(path)
        self._lock_timeout = lock_timeout
        self._thread_lock = threading.Lock()
        self._file: int | None = None
        # Of the file that is mapped.
        self._identity: FileIdentity | None = None
        self._pid = 0
        self._table: Table
        self._locked = _Locked(self._acquire, self._release)

    def charge(self, charges: Sequence[Charge], now: float) -> list[ChargeResult]:
        """Add one to each count in order, up to and with the first that is over its limit."""
        charged: list[ChargeResult] = []
        with self._locked:
            try:
                self._grow_if_full(lambda: self._table.charge(charges, now, charged), now)
            except OSError:
                self._table.refund(charged, now)
                raise
        return charged

    def refund(self, charged: Sequence[ChargeResult], now: float) -> None:
        """Subtract each charge again, unless its window has ended."""
        with self._locked:
            self._table.refund(charged, now)

    def add_credit(self, credit: Charge, began: float, charged: Sequence[ChargeResult], now: float) -> None:
        """Add one credit, whose window began at ``began`` if none is open; refund ``charged``."""
        with self._locked:
            self._table.refund(charged, now)
            self._grow_if_full(lambda: self._table.add(credit, now, began), now)

    def use_credit(
        self, credits: Sequence[Charge], charged: Sequence[ChargeResult], now: float
    ) -> UsedCredit | None:
        """Use one credit of the first count that has one, and refund ``charged``; else change nothing."""
        with self._locked:
            for credit in credits:
                if used := self._table.use_credit(credit, now):
                    self._table.refund(charged, now)
                    return used
        return None

    def refund_credit(self, used: UsedCredit, charges: Sequence[Charge], now: float) -> None:
        """Subtract the used credit and those left in its count, from windows that are no younger."""
        with self._locked:
            self._table.refund_credit(used, charges, now)

    def get_counts(self, keys: Sequence[str], now: float) -> list[int]:
        """The counts whose windows are open; 0 for others."""
        with self._locked:
            return [self._table.get_count(key, now) for key in keys]

    def count_secret_keys(self, fingerprint: str) -> int:
        """One: all processes that share the file also share the secret key next to it."""
        return 1

    def used_fraction(self, now: float) -> float | None:
        """The part of all possible slots that is in use."""
        with self._locked:
            return self._table.used_slots(now) / MAX_SLOTS

    def _grow_if_full(self, add: Callable[[], T], now: float) -> T:
        while True:
            try:
                return add()
            except OSError:
                self._grow(now)

    def _acquire(self) -> None:
        if not self._thread_lock.acquire(timeout=_QUICK_WAIT):
            about_to_block()
            if not self._thread_lock.acquire(timeout=self._lock_timeout):
                raise OSError(LOCKED)
        try:
            self._lock()
        except BaseException:
            self._thread_lock.release()
            raise

    def _release(self) -> None:
        assert self._file is not None  # noqa: S101 - for the type checker
        try:
            unlock(self._file)
        finally:
            self._thread_lock.release()

    def _lock(self) -> None:
        """Lock the file that the path names."""
        for _ in range(_MAX_REOPENS):
            # A file lock belongs to the open file, which a fork would share.
            if self._file is not None and self._pid == os.getpid():
                # A process that is stopped keeps its lock, but only on this file.
                if not try_lock(self._file) and find_file(self._name) == self._identity:
                    lock(self._file, self._lock_timeout)
                # A write beyond the end of a file that was truncated would kill the process (SIGBUS).
                if find_file(self._name) == self._identity:
                    return
            self._reopen()
        raise OSError("the file of counts is replaced again and again")

    def _reopen(self) -> None:
        if self._file is not None and self._pid == os.getpid():
            self._log_loss()
            # Closing alone would leave the lock to a child that shares the open file.
            unlock(self._file)
            os.close(self._file)
        self._file = None
        with _opened(self._path) as descriptor:
            self._use(descriptor, _map(descriptor))

    def _log_loss(self) -> None:
        found, known = find_file(self._name), self._identity
        if found is None:
            _log.warning("the file of counts was deleted: all counts begin at 0")
        elif known and found.inode == known.inode and found.size < known.size:
            _log.warning("the file of counts was truncated: all counts begin at 0")

    def _use(self, descriptor: int, table: Table) -> None:
        self._file, self._table, self._pid = descriptor, table, os.getpid()
        self._identity = file_of(descriptor)

    def _grow(self, now: float) -> None:
        """Replace the file by one with twice the slots. Raises OSError."""
        old_file, slots = self._file, self._table.slots * 2
        assert old_file is not None  # noqa: S101 - for the type checker
        if slots > MAX_SLOTS:
            raise OSError(NO_FREE_SLOT)
        new_path = self._path.with_name(f"{self._path.name}.new")
        try:
            with _opened(new_path, os.O_TRUNC) as descriptor:
                table = _map(descriptor, slots)
                table.copy_from(self._table, now)
                lock(descriptor, self._lock_timeout)
                new_path.replace(self._path)
                self._use(descriptor, table)
        except OSError:
            # On a full disk the part that was written takes space that others need.
            new_path.unlink(missing_ok=True)
            raise
        unlock(old_file)
        os.close(old_file)


@contextmanager
def _opened(path: Path, flags: int = 0) -> Iterator[int]:
    """An open file, which is only closed after an error."""
    descriptor = os.open(path, _FLAGS | flags, 0o660)
    try:
        yield descriptor
    except OSError:
        os.close(descriptor)
        raise


def _map(descriptor: int, min_slots: int = FIRST_SLOTS) -> Table:
    """Map an open file, which grows to ``min_slots`` first if it is smaller."""
    slots = os.fstat(descriptor).st_size // SLOT.size
    slots = min(max(min_slots, 1 << slots.bit_length() >> 1), MAX_SLOTS)
    # Allocates every byte now: on a full disk a write to a hole of a mapped file kills the process
    # (SIGBUS), which here is the one that serves.
    os.posix_fallocate(descriptor, 0, slots * SLOT.size)
    return Table(mmap.mmap(descriptor, slots * SLOT.size))
