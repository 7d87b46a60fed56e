"""Counts in a file that every process of one machine maps into its memory.

A table of slots under one lock: a charge costs some microseconds, where a database
would cost as much as the load that it guards. The counts outlive the processes;
a power cut may lose them, so they wait for no disk.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from limits.storage import Storage

from saver.ratelimit.counters import Charge, Charged, Taken
from saver.ratelimit.mapped_table import NO_ROOM, SLOT, Table

# 2 MiB at first, 64 MiB at most.
_SLOTS = 1 << 16
_MOST_SLOTS = 1 << 21
# How often the file may have been replaced between its opening and its lock.
_TRIES = 10
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
# Seconds for which another holder of the table is waited for; only one that is stopped takes that long.
_PATIENCE = 5.0
_PAUSE = 0.000_5
_HELD = "another process keeps the counts"
T = TypeVar("T")
_log = logging.getLogger(__name__)


class MappedFileCounters(Storage):
    """A storage of ``limits`` for URLs such as ``shared:////var/lib/saver/counts``.

    A window begins with the first count in it. A table that is full is replaced by one
    of twice the size, so what is counted is never dropped for others.
    """

    STORAGE_SCHEME = ["shared"]  # noqa: RUF012 - declared so by the base class

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._path = Path((uri or "").removeprefix("shared://"))
        self._place = str(self._path)
        self._threads = threading.Lock()
        self.patience = _PATIENCE
        self._file: int | None = None
        self._known = (0, 0, 0)
        self._pid = 0
        self._table: Table

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong: the file, or no free slot."""
        return OSError

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count, in order, up to the first that is over."""
        charged: list[Charged] = []
        with self._locked():
            try:
                self._where_there_is_room(lambda: self._table.charge(charges, now, charged), now)
            except OSError:
                self._table.refund(charged, now)
                raise
        return charged

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""
        with self._locked():
            self._table.refund(charged, now)

    def leave(self, mark: Charge, at: float, charged: Sequence[Charged], now: float) -> None:
        """Add one to a count whose window, if none is open, began at ``at``; take charges back."""
        with self._locked():
            self._table.refund(charged, now)
            self._where_there_is_room(lambda: self._table.add(mark.key, mark.seconds, now, begun=at), now)

    def take(self, marks: Sequence[Charge], charged: Sequence[Charged], now: float) -> Taken | None:
        """Take one from the first count that has one; only then take the charges back."""
        with self._locked():
            for mark in marks:
                if taken := self._table.take(mark, now):
                    self._table.refund(charged, now)
                    return taken
        return None

    def forgive(self, taken: Taken, charges: Sequence[Charge], now: float) -> None:
        """Take back what was taken, and all that is left where it was taken from, from windows as old."""
        with self._locked():
            self._table.forgive(taken, charges, now)

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others."""
        with self._locked():
            return [self._table.find(key, now)[0] for key in keys]

    def secrets(self, mark: str) -> int:
        """One: whoever counts in a file has the key that lies beside it."""
        return 1

    def fill(self, now: float) -> float | None:
        """The part of all the slots that there may be which is in use."""
        with self._locked():
            return self._table.used(now) / _MOST_SLOTS

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to one count, as ``limits`` asks for it."""
        now = time.time()

        def add() -> int:
            return self._table.add(key, expiry, now, amount=amount)[0]

        with self._locked():
            return self._where_there_is_room(add, now)

    def get(self, key: str) -> int:
        """One count; 0 where there is none."""
        return self.read([key], time.time())[0]

    def get_expiry(self, key: str) -> float:
        """The end of a count's window, in UTC seconds."""
        with self._locked():
            return self._table.find(key, time.time())[1]

    def check(self) -> bool:
        """Whether the file can be used."""
        try:
            with self._locked():
                return True
        except OSError:
            return False

    def reset(self) -> int | None:
        """Forget every count."""
        with self._locked():
            self._table.memory[:] = bytes(len(self._table.memory))
        return None

    def clear(self, key: str) -> None:
        """Forget one count."""
        mark = Charge(key, 0, 0)
        with self._locked():
            while self._table.take(mark, time.time()):
                pass

    def _where_there_is_room(self, add: Callable[[], T], now: float) -> T:
        while True:
            try:
                return add()
            except OSError:
                self._grow(now)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self._threads.acquire(timeout=self.patience):
            raise OSError(_HELD)
        try:
            self._lock()
            try:
                yield
            finally:
                assert self._file is not None  # noqa: S101 - for the type checker
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _lock(self) -> None:
        """Lock the file that the path names now: a lock on another would be one that nobody else holds."""
        for _ in range(_TRIES):
            # A lock on a file belongs to its opening, which must not cross a fork.
            if self._file is None or self._pid != os.getpid():
                with _opened(self._path) as descriptor:
                    self._use(descriptor, _mapped(descriptor))
            assert self._file is not None  # noqa: S101 - for the type checker
            self._wait_for(self._file)
            if self._is_there():
                return
            os.close(self._file)
            self._file = None
        raise OSError("the file of counts does not stay in its place")

    def _wait_for(self, file: int) -> None:
        """Lock a file. Raises OSError where another process keeps it: one that is stopped would for ever."""
        deadline = 0.0
        while True:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                deadline = deadline or time.monotonic() + self.patience
                if time.monotonic() > deadline:
                    raise OSError(_HELD) from None
                time.sleep(_PAUSE)

    def _is_there(self) -> bool:
        """Whether the path still names what is mapped; whoever writes beyond the end of a file is killed."""
        try:
            found = os.lstat(self._place)
        except FileNotFoundError:
            _log.warning("the file of counts was deleted: budgets begin anew")
            return False
        if found.st_ino == self._known[1] and found.st_size < self._known[2]:
            _log.warning("the file of counts was cut off: budgets begin anew")
        return (found.st_dev, found.st_ino, found.st_size) == self._known

    def _use(self, descriptor: int, table: Table) -> None:
        found = os.fstat(descriptor)
        self._file, self._table, self._pid = descriptor, table, os.getpid()
        self._known = found.st_dev, found.st_ino, found.st_size

    def _grow(self, now: float) -> None:
        """Put a table of twice the slots in the place of this one. Raises OSError."""
        held, slots = self._file, self._table.slots * 2
        assert held is not None  # noqa: S101 - for the type checker
        if slots > _MOST_SLOTS:
            raise OSError(NO_ROOM)
        aside = self._path.with_name(f"{self._path.name}.new")
        try:
            with _opened(aside, os.O_TRUNC) as descriptor:
                table = _mapped(descriptor, slots)
                table.copy_from(self._table, now)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Whoever waits for the lock on the old one finds that it is no longer there.
                aside.replace(self._path)
                self._use(descriptor, table)
        except OSError:
            # What was given to it before the disk was full is room that others need.
            aside.unlink(missing_ok=True)
            raise
        os.close(held)


@contextmanager
def _opened(path: Path, flags: int = 0) -> Iterator[int]:
    """An open file, which is closed only where something fails."""
    descriptor = os.open(path, _FLAGS | flags, 0o660)
    try:
        yield descriptor
    except OSError:
        os.close(descriptor)
        raise


def _mapped(descriptor: int, least: int = _SLOTS) -> Table:
    """The table in an open file, which has at least so many slots afterwards."""
    slots = os.fstat(descriptor).st_size // SLOT.size
    slots = min(max(least, 1 << slots.bit_length() >> 1), _MOST_SLOTS)
    # Every byte of it, and now: whoever writes into a hole of a mapped file while the
    # disk is full is killed (SIGBUS), and that would be the process that serves.
    os.posix_fallocate(descriptor, 0, slots * SLOT.size)
    return Table(mmap.mmap(descriptor, slots * SLOT.size))
