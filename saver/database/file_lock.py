"""A fair lock with a timeout for the threads and processes that write to one SQLite file.

In SQLite a waiting writer sleeps and tries again, and any writer that tries at the
right moment overtakes it; under load some wait for seconds. Locks on two files
make a queue: the holder of ``next`` is the next to get ``gate``, and a writer
that has just finished cannot overtake it. The kernel releases both when a process dies.

A stopped process (SIGSTOP) keeps its locks, and the kernel's wait for a lock has no timeout. So a thread
waits in place of the writer, and the writer gives up in time; the thread goes on waiting, and the next
writer of the process takes over its place in the queue.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# In seconds, like SQLite's busy_timeout.
TIMEOUT = 5.0
# For a writer that takes over the place of one that has already waited for TIMEOUT.
_SHORT_TIMEOUT = 0.05


class LockTimeoutError(TimeoutError):
    """Another process has been writing for too long, or was stopped while writing."""


class FairFileLock:
    """The lock of one process on one file, held by one thread at a time."""

    def __init__(self, database: Path) -> None:
        self._paths = [database.with_name(f"{database.name}-{suffix}") for suffix in ("next", "gate")]
        self._in_process = threading.Lock()
        # The thread that still waits for a writer that has given up.
        self._abandoned: _Waiter | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock. Raises LockTimeoutError, and OSError if the lock files cannot be created."""
        deadline = time.monotonic() + TIMEOUT
        if not self._in_process.acquire(timeout=TIMEOUT):
            raise LockTimeoutError
        try:
            descriptor = self._acquire(deadline)
            try:
                yield
            finally:
                os.close(descriptor)
        finally:
            self._in_process.release()

    def _acquire(self, deadline: float) -> int:
        waiter, self._abandoned = self._abandoned, None
        if waiter and waiter.is_alive() and waiter.resume():
            deadline = time.monotonic() + _SHORT_TIMEOUT
        else:
            next_file, gate = _open(self._paths)
            if _try_lock(next_file) and _try_lock(gate):
                os.close(next_file)
                return gate
            waiter = _Waiter(next_file, gate)
            waiter.start()
        if not waiter.wait_until(deadline):
            self._abandoned = waiter
            raise LockTimeoutError
        return waiter.gate


class _Waiter(threading.Thread):
    """Waits for both locks, and releases them if no writer wants them any more."""

    def __init__(self, next_file: int, gate: int) -> None:
        super().__init__(name="gate", daemon=True)
        self.gate = gate
        self._next_file = next_file
        self._change = threading.Condition()
        self._wanted = True
        self._done = False

    def run(self) -> None:
        """Wait without a timeout."""
        fcntl.flock(self._next_file, fcntl.LOCK_EX)
        fcntl.flock(self.gate, fcntl.LOCK_EX)
        os.close(self._next_file)
        with self._change:
            self._done = True
            if not self._wanted:
                os.close(self.gate)
            self._change.notify()

    def resume(self) -> bool:
        """Want the locks again; False if it has got them meanwhile and released them."""
        with self._change:
            self._wanted = not self._done
            return self._wanted

    def wait_until(self, deadline: float) -> bool:
        """Return whether the locks are held in time; if they are not, they are not wanted from then on."""
        with self._change:
            try:
                done = self._change.wait_for(lambda: self._done, max(0.0, deadline - time.monotonic()))
            except BaseException:
                self._release()
                raise
            self._wanted = done
            return done

    def _release(self) -> None:
        self._wanted = False
        if self._done:
            os.close(self.gate)


def _open(paths: list[Path]) -> list[int]:
    opened: list[int] = []
    try:
        for path in paths:
            opened.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        raise
    return opened


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
