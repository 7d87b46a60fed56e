"""Write transactions: work is committed completely or not at all, and ``run`` returns after the commit.

SQLite has one writer at a time, so its writers share commits (``GroupCommitWriter``); PostgreSQL has
many, so each has a transaction of its own (``DirectWriter``).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine, event

from saver.blocking import about_to_block
from saver.database.base import WRITE, Database
from saver.database.errors import NotReplicatedError, StorageError
from saver.database.retry import WRITE_TRIES, discard_stale_connection, retry_on_conflict

T = TypeVar("T")

# Enough that one commit serves every thread that waits, few enough that a
# transaction stays short for the other processes.
_MAX_BATCH = 64


class Writer(Protocol):
    """Runs work in transactions that are committed before ``run`` returns."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run the work in a transaction and return its result after the commit.

        The work may be run again from the start, so it must have no effect but
        through its connection. Whatever it raises is raised here, and the transaction
        is rolled back. Raises StorageError if the database failed.
        """


class DirectWriter:
    """Every thread has its own transaction; the database server isolates them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.engine.execution_options(**WRITE)

    def run(self, work: Callable[[Connection], T]) -> T:
        """See ``Writer.run``."""
        return retry_on_conflict(self._database, lambda: self._run_once(work), WRITE_TRIES)

    def _run_once(self, work: Callable[[Connection], T]) -> T:
        database = self._database
        with self._engine.connect() as connection:
            with (
                database.with_deadline(connection.connection.driver_connection),
                discard_stale_connection(database, connection),
                connection.begin() as transaction,
            ):
                result = work(connection)
                with database.with_commit_deadline(connection):
                    transaction.commit()
            if database.is_not_replicated(connection):
                raise NotReplicatedError
            return result


class _Job(Generic[T]):
    """Work in the queue; ``ready`` is released when it is done or its thread becomes the leader."""

    __slots__ = ("done", "error", "ready", "result", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.result: T | None = None
        self.error: Exception | None = None
        self.ready = threading.Lock()
        self.ready.acquire()


class GroupCommitWriter:
    """Commits the work of several threads together (group commit, as in DeWitt et al.,
    "Implementation techniques for main memory database systems", 1984).

    On SQLite a commit waits for the disk and only one can run at a time, so every write
    would wait for the disk once. Here the threads of a process queue up. A thread that finds
    no leader becomes the leader: it commits what waits and makes the first thread that
    came meanwhile the next leader. The others sleep until their work is done.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.engine.execution_options(**WRITE)
        # Used by the leader; the pool would take as long to lend one as SQLite to begin and commit.
        self._connection: Connection | None = None
        event.listen(database.engine, "engine_disposed", self._close)
        self._waiting: deque[_Job[Any]] = deque()
        self._queue = threading.Lock()
        self._has_leader = False

    def run(self, work: Callable[[Connection], T]) -> T:
        """See ``Writer.run``."""
        job = _Job(work)
        about_to_block()
        with self._queue:
            self._waiting.append(job)
            is_leader, self._has_leader = not self._has_leader, True
        if not is_leader:
            job.ready.acquire()
        if not job.done:
            self._lead()
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]

    @property
    def waiting(self) -> int:
        """How many jobs wait for a leader."""
        return len(self._waiting)

    @property
    def has_leader(self) -> bool:
        """Whether a thread is committing."""
        return self._has_leader

    def _lead(self) -> None:
        """Serve the queue, whose first job is the caller's, and promote the next leader."""
        jobs: list[_Job[Any]] = []
        try:
            with self._database.write_lock():
                # Not before the lock: jobs that come while it is waited for are served too.
                jobs = self._next_batch()
                self._commit_with_reserve(jobs)
        except (StorageError, OSError) as error:
            # The database failed, so every job would fail: they are not tried one by one.
            jobs = jobs or self._next_batch()
            _fail(jobs, self._database.storage_error(error) or StorageError(type(error).__name__))
        finally:
            # Also if the thread is stopped: no job may wait for a leader that is gone.
            jobs = jobs or self._next_batch()
            _fail(jobs, StorageError("interrupted"))
            self._promote_next(jobs)

    def _next_batch(self) -> list[_Job[Any]]:
        with self._queue:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_BATCH))]

    def _promote_next(self, served: list[_Job[Any]]) -> None:
        with self._queue:
            self._has_leader = bool(self._waiting)
            if self._waiting:
                self._waiting[0].ready.release()
        for job in served[1:]:
            job.ready.release()

    def _commit_with_reserve(self, jobs: list[_Job[Any]]) -> None:
        while True:
            try:
                # A job that was refused on its own merits is done.
                return self._commit_batch([job for job in jobs if not job.done])
            except StorageError as error:
                if not (error.disk_full and self._database.release_reserve()):
                    raise

    def _commit_batch(self, jobs: list[_Job[Any]]) -> None:
        try:
            with self._transaction() as connection:
                results = [job.work(connection) for job in jobs]
        except Exception as error:
            if failure := self._database.storage_error(error):
                raise failure from None
            # One of them was refused and all were rolled back, so each gets its own transaction.
            for job in jobs:
                self._commit_one(job)
        else:
            for job, result in zip(jobs, results, strict=True):
                job.result = result
                job.done = True

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        connection = self._connection
        if connection is None or self._database.is_lost(connection):
            self._close()
            connection = self._connection = self._engine.connect()
        try:
            with connection.begin():
                yield connection
        except BaseException:
            # Whatever state it is in, the pool resets it.
            self._connection = None
            connection.close()
            raise

    def _close(self, _engine: Engine | None = None) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _commit_one(self, job: _Job[Any]) -> None:
        try:
            with self._transaction() as connection:
                job.result = job.work(connection)
        except Exception as error:
            if failure := self._database.storage_error(error):
                raise failure from None
            job.error = error
        job.done = True


def _fail(jobs: list[_Job[Any]], error: Exception) -> None:
    for job in jobs:
        if not job.done:
            job.error = error
            job.done = True
