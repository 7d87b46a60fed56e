"""Write transactions: a piece of work is done whole or not at all, and told when it is kept.

A file has one writer at a time, so its writers share commits (``Queue``); a server has
many, so each has a transaction of its own (``Several``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from saver import database

T = TypeVar("T")

# Enough that one commit serves every thread that waits, few enough that a
# transaction stays short for the other processes.
_MOST_AT_ONCE = 64
# How often a transaction is tried that another one came between.
_TRIES = 5
# For how long, in seconds.
_TRY_FOR = 3.0


class StorageError(Exception):
    """The database cannot do this now: away, locked by somebody else, or full.

    ``for_room`` says that it may have failed for want of room on a disk.
    """

    for_room = False


class NotReplicatedError(StorageError):
    """It is done, on one machine only, and gone with that machine: not to be acknowledged."""


class ConflictError(StorageError):
    """Another transaction came between; the same may well succeed if it is tried again."""


def storage_error(error: Exception) -> StorageError | None:
    """What a database's error means to a caller; None where it is a fault of ours."""
    if isinstance(error, StorageError):
        return error
    trouble = database.error_kind(error)
    if trouble is None:
        return None
    kind = ConflictError if trouble is database.ErrorKind.CONFLICT else StorageError
    found = kind(type(getattr(error, "orig", None) or error).__name__)
    found.for_room = database.is_full(error)
    return found


class Writer(Protocol):
    """Runs pieces of work, each in a transaction that is committed before ``run`` returns."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction and return its result once it is committed.

        The work may be run again from the start, so it must have no effect but
        through its connection. Whatever it raises is raised here, and nothing of
        it is kept. Raises StorageError where the database failed.
        """


def writer_for(engine: Engine) -> Writer:
    """The writer that fits a database; one for all threads of a process."""
    return DirectWriter(engine) if database.is_server(engine) else GroupCommitWriter(engine)


class DirectWriter:
    """Every thread writes by itself; the server sees that they do not disturb each other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**database.WRITE)

    def run(self, work: Callable[[Connection], T]) -> T:
        """As ``Writer`` says."""
        return retry_on_conflict(lambda: self._once(work), _TRIES)

    def _once(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            with (
                database.bounded(connection.connection.driver_connection),
                discard_stale_connection(connection),
                connection.begin() as transaction,
            ):
                result = work(connection)
                with database.bounded_commit(connection):
                    transaction.commit()
            if database.is_not_replicated(connection):
                raise NotReplicatedError
            return result


@contextmanager
def discard_stale_connection(connection: Connection) -> Iterator[None]:
    """Let go of a connection that remembers what a migration has changed. Raises ConflictError for it."""
    try:
        yield
    except Exception as error:
        if database.is_stale(error):
            connection.invalidate()
            raise ConflictError from None
        raise


def retry_on_conflict(work: Callable[[], T], tries: int) -> T:
    """Do work of which nothing is left where it raises ConflictError. Raises StorageError."""
    began = time.monotonic()
    for left in reversed(range(tries)):
        try:
            return work()
        except Exception as error:
            trouble = storage_error(error)
            if trouble is None:
                raise
            # A connection that was closed is noticed at once; one that is stuck would be waited for again.
            if not isinstance(trouble, ConflictError) or not left or time.monotonic() > began + _TRY_FOR:
                raise trouble from None
    raise StorageError("not tried")


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


class GroupCommitWriter:
    """Several pieces of work in one commit (group commit, as in DeWitt et al.,
    "Implementation techniques for main memory database systems", 1984).

    On SQLite a commit waits for the disk and only one can run at a time, so the
    disk would be the limit: one wait for every write. Here the threads of a process
    queue up. Whoever finds nobody at work leads: it commits what waits and hands the lead
    to the first that came meanwhile. Everybody else sleeps until then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**database.WRITE)
        self._waiting: deque[_Job[Any]] = deque()
        self._queue = threading.Lock()
        self._led = False

    def run(self, work: Callable[[Connection], T]) -> T:
        """As ``Writer`` says."""
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
            with database.fair_file_lock(self._engine):
                # Not before: whoever comes while the gate is waited for is served too.
                jobs = self._take()
                self._together_and_again(jobs)
        except (StorageError, OSError) as error:
            # The database's own trouble, and so everybody's: not to be tried job by job.
            jobs = jobs or self._take()
            _fail(jobs, storage_error(error) or StorageError(type(error).__name__))
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

    def _together_and_again(self, jobs: list[_Job[Any]]) -> None:
        while True:
            try:
                # What was refused for a reason of its own has its answer.
                return self._together([job for job in jobs if not job.done])
            except StorageError as error:
                if not (error.for_room and database.free_reserve(self._engine)):
                    raise

    def _together(self, jobs: list[_Job[Any]]) -> None:
        try:
            with self._engine.begin() as connection:
                results = [job.work(connection) for job in jobs]
        except Exception as error:
            if trouble := storage_error(error):
                raise trouble from None
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
        except Exception as error:
            if trouble := storage_error(error):
                raise trouble from None
            job.error = error
        job.done = True


def _fail(jobs: list[_Job[Any]], error: Exception) -> None:
    for job in jobs:
        if not job.done:
            job.error = error
            job.done = True
