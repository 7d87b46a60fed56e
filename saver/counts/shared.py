"""Counts in a file that every process of one machine maps into its memory.

A table of slots under one lock: a charge costs some microseconds, where a database
would cost as much as the load that it guards. The counts outlive the processes;
a power cut may lose them, so they wait for no disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from limits.storage import Storage

from saver.counts.base import Charge, Charged

_SLOT = struct.Struct("<16sQd")  # hash of the key, count, end of its window in UTC seconds
_SLOTS = 1 << 16
_PROBES = 64
_LONGEST_WINDOW = 86_400
# Whoever looked at the clock first may come second: a window may end this much
# later (seconds) than the one who finds it thinks it could.
_SLACK = 1.0


class SharedCounts(Storage):
    """A storage of ``limits`` for URLs such as ``shared:////var/lib/saver/counts``.

    A window begins with the first count in it. A slot whose window has ended is
    free; so is one that ends later than it could, because the clock was set back
    or a process died while it wrote, and nobody is to be locked out by that.
    """

    STORAGE_SCHEME = ["shared"]  # noqa: RUF012 - declared so by the base class

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._path = Path((uri or "").removeprefix("shared://"))
        self._threads = threading.Lock()
        self._file: int | None = None
        self._pid = 0
        self._map: mmap.mmap | None = None

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong: the file, or no free slot."""
        return OSError

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count."""
        with self._table() as table:
            counted = [_add(table, charge.key, 1, charge.seconds, now) for charge in charges]
        return [
            Charged(charge, count, ends_at - now, ends_at)
            for charge, (count, ends_at) in zip(charges, counted, strict=True)
        ]

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""
        with self._table() as table:
            for charge, _count, _left, window in charged:
                name = _hash(charge.key)
                place, count, ends_at = _find(table, name, now)
                # A window is known by its end: the next one ends later.
                if count and ends_at == window:
                    _SLOT.pack_into(table, place, name, count - 1, ends_at)

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others."""
        with self._table() as table:
            return [_find(table, _hash(key), now)[1] for key in keys]

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to one count, as ``limits`` asks for it."""
        with self._table() as table:
            return _add(table, key, amount, expiry, time.time())[0]

    def get(self, key: str) -> int:
        """One count; 0 where there is none."""
        with self._table() as table:
            return _find(table, _hash(key), time.time())[1]

    def get_expiry(self, key: str) -> float:
        """The end of a count's window, in UTC seconds."""
        with self._table() as table:
            return _find(table, _hash(key), time.time())[2]

    def check(self) -> bool:
        """Whether the file can be used."""
        try:
            with self._table():
                return True
        except OSError:
            return False

    def reset(self) -> int | None:
        """Forget every count."""
        with self._table() as table:
            table[:] = bytes(len(table))
        return None

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._table() as table:
            place, _count, ends_at = _find(table, _hash(key), time.time())
            _SLOT.pack_into(table, place, _hash(key), 0, ends_at)

    @contextmanager
    def _table(self) -> Iterator[mmap.mmap]:
        with self._threads:
            # A lock on a file belongs to its opening, which must not cross a fork.
            if self._map is None or self._pid != os.getpid():
                self._open()
            assert self._map is not None  # noqa: S101 - for the type checker
            assert self._file is not None  # noqa: S101
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield self._map
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _open(self) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        size = _SLOTS * _SLOT.size
        try:
            # Every byte of it, and now: whoever writes into a hole of a mapped file while the
            # disk is full is killed (SIGBUS), and that would be the process that serves.
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            os.close(descriptor)
            raise
        self._file, self._map, self._pid = descriptor, mmap.mmap(descriptor, size), os.getpid()


@lru_cache(maxsize=_SLOTS)
def _hash(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


def _find(table: mmap.mmap, name: bytes, now: float) -> tuple[int, int, float]:
    """Where a count is or may be put, the count, the end of its window; raises OSError when full."""
    free = -1
    first = int.from_bytes(name[:4], "little")
    for probe in range(_PROBES):
        place = (first + probe) % _SLOTS * _SLOT.size
        held, count, ends_at = _SLOT.unpack_from(table, place)
        is_open = now < ends_at <= now + _LONGEST_WINDOW + _SLACK
        if held == name and is_open:
            return place, count, ends_at
        if free < 0 and not is_open:
            free = place
        if ends_at == 0.0:
            break  # never used, so nothing of this name lies beyond
    if free < 0:
        raise OSError("no free slot")
    return free, 0, 0.0


def _add(table: mmap.mmap, key: str, amount: int, seconds: float, now: float) -> tuple[int, float]:
    name = _hash(key)
    place, count, ends_at = _find(table, name, now)
    latest = now + seconds
    if not now < ends_at <= latest + _SLACK:
        count, ends_at = 0, latest
    count = max(0, count + amount)
    _SLOT.pack_into(table, place, name, count, ends_at)
    return count, ends_at
