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
    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.result: T | None = None
        self.error: Exception | None = None


class Writer:
    """Runs pieces of work, each all or nothing, several in one commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**dialect.WRITE)
        self._waiting: deque[_Job[Any]] = deque()
        self._turn = threading.Lock()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction and return its result once it is committed.

        The work may be run a second time from the start, so it must have no
        effect but through its connection. Whatever it raises is raised here, and
        nothing of it is kept. Raises StorageError where the database failed.
        """
        job = _Job(work)
        self._waiting.append(job)
        with self._turn:
            while not job.done:
                self._serve()
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]

    def _serve(self) -> None:
        jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
        try:
            with dialect.gate(self._engine):
                self._together(jobs)
        except (OperationalError, OSError) as error:
            # The database's own trouble, and so everybody's: not to be tried job by job.
            _fail(jobs, StorageError(type(error).__name__))
        finally:
            _fail(jobs, StorageError("interrupted"))

    def _together(self, jobs: list[_Job[Any]]) -> None:
        try:
            with self._engine.begin() as connection:
                results = [job.work(connection) for job in jobs]
        except OperationalError:
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
        except OperationalError:
            raise
        except Exception as error:
            job.error = error
        job.done = True


def _fail(jobs: list[_Job[Any]], error: Exception) -> None:
    for job in jobs:
        if not job.done:
            job.error = error
            job.done = True
