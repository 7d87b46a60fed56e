"""Write transactions that share a commit.

On SQLite a commit waits for the disk and only one can run at a time, so the
disk would be the limit: one wait for every write. Here the threads of a process
queue up, and the one whose turn comes carries the work of all that wait in one
transaction (group commit, as in DeWitt et al., "Implementation techniques for
main memory database systems", 1984). Nobody is answered before that commit.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from saver import dialect

T = TypeVar("T")

# Enough that one commit serves every thread that waits, few enough that a
# transaction stays short for the other processes.
_MOST_AT_ONCE = 64


class StorageError(Exception):
    """The database cannot do this now: away, locked by somebody else, or full."""


class _Job(Generic[T]):
    """A piece of work in the queue; ``ready`` is released when it is done or is to lead."""

    __slots__ = ("done", "error", "ready", "result", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.result: T | None = None
        self.error: Exception | None = None
        self.ready = threading.Lock()
        self.ready.acquire()


class Writer:
    """Runs pieces of work, each all or nothing, several in one commit.

    Whoever finds nobody at work leads: it commits what waits and hands the lead
    to the first that came meanwhile. Everybody else sleeps until then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**dialect.WRITE)
        self._waiting: deque[_Job[Any]] = deque()
        self._queue = threading.Lock()
        self._led = False

    def run(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction and return its result once it is committed.

        The work may be run a second time from the start, so it must have no
        effect but through its connection. Whatever it raises is raised here, and
        nothing of it is kept. Raises StorageError where the database failed.
        """
        job = _Job(work)
        with self._queue:
            self._waiting.append(job)
            leads, self._led = not self._led, True
        if not leads:
            job.ready.acquire()
        if not job.done:
            self._lead()
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]

    def _lead(self) -> None:
        """Serve the queue's head, which the caller is, and hand on the lead."""
        jobs: list[_Job[Any]] = []
        try:
            with dialect.gate(self._engine):
                # Not before: whoever comes while the gate is waited for is served too.
                jobs = self._take()
                self._together(jobs)
        except (StorageError, OperationalError, OSError) as error:
            # The database's own trouble, and so everybody's: not to be tried job by job.
            jobs = jobs or self._take()
            _fail(jobs, StorageError(type(error).__name__))
        finally:
            # Also where the thread is stopped: nobody may wait for a leader that is gone.
            jobs = jobs or self._take()
            _fail(jobs, StorageError("interrupted"))
            self._hand_on(jobs)

    def _take(self) -> list[_Job[Any]]:
        with self._queue:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]

    def _hand_on(self, served: list[_Job[Any]]) -> None:
        with self._queue:
            self._led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].ready.release()
        for job in served[1:]:
            job.ready.release()

    def _together(self, jobs: list[_Job[Any]]) -> None:
        try:
            with self._engine.begin() as connection:
                results = [job.work(connection) for job in jobs]
        except (StorageError, OperationalError):
            raise
        except Exception:
            # One of them was refused: nothing is kept, so each gets its own transaction.
            for job in jobs:
                self._alone(job)
        else:
            for job, result in zip(jobs, results, strict=True):
                job.result = result
                job.done = True

    def _alone(self, job: _Job[Any]) -> None:
        try:
            with self._engine.begin() as connection:
                job.result = job.work(connection)
        except (StorageError, OperationalError):
            raise
        except Exception as error:
            job.error = error
        job.done = True


def _fail(jobs: list[_Job[Any]], error: Exception) -> None:
    for job in jobs:
        if not job.done:
            job.error = error
            job.done = True
