"""The order in which threads and processes write to one file, and how long one of them waits.

SQLite lets a waiting writer sleep and try again, and whoever comes at the
right moment passes; under load some wait for seconds. Locks on two files
make a queue: whoever holds ``next`` is the next to get ``gate``, and the one
that has just finished cannot pass it. The kernel frees both when a process dies.

A process that is stopped keeps them. The kernel's wait for such a lock has no end, so a thread waits
in the place of the writer, who gives up in time; it goes on waiting, and the next writer
of the process has its place.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# In seconds, as long as SQLite's own lock is waited for.
PATIENCE = 5.0
# While one has waited for so long already, nobody else waits as long.
_SHORT_PATIENCE = 0.05


class LockTimeoutError(TimeoutError):
    """Somebody else has been writing for too long, or was stopped while writing."""


class FairFileLock:
    """The turn of one process at one file, for one thread at a time."""

    def __init__(self, database: Path) -> None:
        self._paths = [database.with_name(f"{database.name}-{which}") for which in ("next", "gate")]
        self._mine = threading.Lock()
        # Who still waits for a writer that has given up.
        self._left: _Waiting | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Have the turn. Raises LockTimeoutError, and OSError where the files cannot be made."""
        deadline = time.monotonic() + PATIENCE
        if not self._mine.acquire(timeout=PATIENCE):
            raise LockTimeoutError
        try:
            descriptor = self._take(deadline)
            try:
                yield
            finally:
                os.close(descriptor)
        finally:
            self._mine.release()

    def _take(self, deadline: float) -> int:
        waiting, self._left = self._left, None
        if waiting and waiting.is_alive() and waiting.goes_on():
            deadline = time.monotonic() + _SHORT_PATIENCE
        else:
            upcoming, mine = _opened(self._paths)
            if _is_free(upcoming) and _is_free(mine):
                os.close(upcoming)
                return mine
            waiting = _Waiting(upcoming, mine)
            waiting.start()
        if not waiting.done_by(deadline):
            self._left = waiting
            raise LockTimeoutError
        return waiting.mine


class _Waiting(threading.Thread):
    """Waits for both locks, and lets go of them if nobody wants them any more."""

    def __init__(self, upcoming: int, mine: int) -> None:
        super().__init__(name="gate", daemon=True)
        self.mine = mine
        self._upcoming = upcoming
        self._change = threading.Condition()
        self._wanted = True
        self._done = False

    def run(self) -> None:
        """Wait, for however long."""
        fcntl.flock(self._upcoming, fcntl.LOCK_EX)
        fcntl.flock(self.mine, fcntl.LOCK_EX)
        os.close(self._upcoming)
        with self._change:
            self._done = True
            if not self._wanted:
                os.close(self.mine)
            self._change.notify()

    def goes_on(self) -> bool:
        """Want it again; False where it has got the locks meanwhile, and let go of them."""
        with self._change:
            self._wanted = not self._done
            return self._wanted

    def done_by(self, deadline: float) -> bool:
        """Whether the locks are held in time; where they are not, nobody wants them from then on."""
        with self._change:
            try:
                done = self._change.wait_for(lambda: self._done, max(0.0, deadline - time.monotonic()))
            except BaseException:
                self._let_go()
                raise
            self._wanted = done
            return done

    def _let_go(self) -> None:
        self._wanted = False
        if self._done:
            os.close(self.mine)


def _opened(paths: list[Path]) -> list[int]:
    opened: list[int] = []
    try:
        for path in paths:
            opened.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        raise
    return opened


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
