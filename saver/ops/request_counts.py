"""How many requests each route had, with which status, and how long they took.

A process has the numbers in memory and writes them into its file, at most twice a second, because a write for
each request would cost as much as the counting. A file belongs to one process at a time: the next one that
takes it goes on from its numbers, so the sum of all files never falls, and no file of a process that
has ended is left over. It is not mapped: on a full disk a write to a mapped file kills the process (SIGBUS).
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from operator import add
from pathlib import Path
from time import monotonic_ns
from typing import NamedTuple

# Requests that match no route, and those that the server refuses before it knows the route.
UNKNOWN, NO_ROUTE = "unknown", "none"
STATUSES = (
    *("200", "201", "204", "303", "304", "400", "404", "405", "408", "409", "411", "413", "414", "415"),
    *("417", "422", "429", "431", "500", "501", "503", "505", "other"),
)
# Upper bounds in seconds; the last bucket has no bound.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BOUNDS = [round(seconds * 1e9) for seconds in BUCKETS]
_STATUS_INDEX = {status: index for index, status in enumerate(STATUSES)}
_OTHER = len(STATUSES) - 1
_FIRST_BUCKET = len(STATUSES)
_NANOSECONDS = _FIRST_BUCKET + len(BUCKETS) + 1
_RECORD = _NANOSECONDS + 1
_INTEGER = "Q"
_INTEGER_SIZE = 8
_HEADER_SIZE = 16
_MAX_FILES = 256
_WRITE_INTERVAL = 500_000_000  # nanoseconds
_MAX_SIZE = 1 << 20
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_log = logging.getLogger(__name__)


class RouteCounts(NamedTuple):
    """The requests of a route by status, their durations by bucket, and the sum of them in seconds."""

    route: str
    statuses: dict[str, int]
    buckets: Sequence[int]
    seconds: float


class RequestCounts:
    """Counts the requests of all processes whose files begin with ``path``.

    ``routes`` is called at the first request, when the app has all of them.
    """

    def __init__(self, path: Path, routes: Callable[[], Iterable[str]]) -> None:
        self._path = path
        self._get_routes = routes
        self._lock = threading.Lock()
        self._values = array(_INTEGER)
        self._is_written = True
        self._next_write = 0
        self._file = -1
        self._pid = 0

    def count(self, route: str, status: str, started: int | None = None) -> None:
        """Count a request that ends now. Never raises OSError.

        ``started`` is a time of ``monotonic_ns``; None if the request was refused before it arrived.
        """
        now = monotonic_ns()
        with self._lock:
            if self._pid != os.getpid():
                self._open()
            values, start = self._values, self._starts[route]
            values[start + _STATUS_INDEX.get(status, _OTHER)] += 1
            if started is not None:
                values[start + _FIRST_BUCKET + bisect_left(_BOUNDS, now - started)] += 1
                values[start + _NANOSECONDS] += now - started
            self._is_written = False
            if now >= self._next_write:
                self._write(now)

    def flush(self) -> None:
        """Write what was counted since the last write. Never raises OSError."""
        with self._lock:
            if not self._is_written and self._pid == os.getpid():
                self._write(monotonic_ns())

    def totals(self) -> Iterator[RouteCounts]:
        """The sums over all processes."""
        self.flush()
        total = self._zeros()
        for path in self._path.parent.glob(f"{self._path.name}-*"):
            with suppress(OSError):
                total = array(_INTEGER, map(add, total, self._parse(path.read_bytes())))
        for route, start in self._starts.items():
            record = total[start : start + _RECORD]
            statuses = dict(zip(STATUSES, record, strict=False))
            yield RouteCounts(route, statuses, record[_FIRST_BUCKET:_NANOSECONDS], record[_NANOSECONDS] / 1e9)

    def _open(self) -> None:
        """Take a file that no other process has; without one the requests of this process are not counted."""
        if self._file >= 0:
            # After a fork: the lock on it stays with the parent.
            os.close(self._file)
        self._file, self._pid, self._values = -1, os.getpid(), self._zeros()
        try:
            self._file = self._take_file()
            self._values = self._parse(os.pread(self._file, _MAX_SIZE, 0))
        except OSError as error:
            _log.warning("the requests of this process are not counted: %s", error.strerror)

    def _write(self, now: int) -> None:
        # The numbers stay in memory: if the disk is full, a later call writes them.
        with suppress(OSError):
            content = self._header + self._values.tobytes()
            os.pwrite(self._file, content, 0)
            os.ftruncate(self._file, len(content))
        self._is_written, self._next_write = True, now + _WRITE_INTERVAL

    def _take_file(self) -> int:
        """Lock the first file that is free. Raises OSError."""
        for number in range(_MAX_FILES):
            with suppress(PermissionError):
                file = os.open(f"{self._path}-{number}", _FLAGS, 0o600)
                try:
                    # Until the process ends.
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(file)
                else:
                    return file
        raise OSError(0, "every file is taken")

    @cached_property
    def _starts(self) -> dict[str, int]:
        """Where the numbers of each route begin."""
        routes = sorted({*self._get_routes(), UNKNOWN, NO_ROUTE})
        return {route: index * _RECORD for index, route in enumerate(routes)}

    @cached_property
    def _header(self) -> bytes:
        """What a file begins with; another version has other routes or statuses."""
        layout = repr(([*self._starts], STATUSES, BUCKETS)).encode()
        return hashlib.blake2b(layout, digest_size=_HEADER_SIZE).digest()

    def _zeros(self) -> array[int]:
        return array(_INTEGER, bytes(len(self._starts) * _RECORD * _INTEGER_SIZE))

    def _parse(self, content: bytes) -> array[int]:
        """The numbers in a file; zeros if they are those of another version."""
        zeros = self._zeros()
        size = _HEADER_SIZE + len(zeros) * _INTEGER_SIZE
        is_ours = content.startswith(self._header) and len(content) == size
        return array(_INTEGER, content[_HEADER_SIZE:]) if is_ours else zeros
