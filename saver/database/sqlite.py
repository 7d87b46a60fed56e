"""SQLite: a file with one writer at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from saver.database import disk, read_only, sqlite_connections, sqlite_files
from saver.database.base import ONE_READ, BatchPolicy, Database, ProbePlan
from saver.database.errors import ErrorKind, cause_of, is_unavailable
from saver.database.file_lock import FairFileLock
from saver.database.retry import run_read
from saver.database.sqlite_reads import RowReader
from saver.database.writer import GroupCommitWriter

T = TypeVar("T")


class SqliteDatabase(Database):
    """A database in a file; its writers take turns and share commits."""

    # The file is locked while a batch is written: for a quarter of the time, so that most writes do
    # not meet it.
    batch_policy = BatchPolicy(batch_seconds=0.010, max_rows=250, pause_factor=3.0)
    # 256 codes that are not free cost as much as counting 30,000 that are and walking to one of them.
    probe_plan = ProbePlan(tries=(1, 128, 128), low=30_000)
    has_concurrent_writers = False

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.file = Path(engine.url.database) if engine.url.database else None
        self.writer = GroupCommitWriter(self)
        self._reader = RowReader(engine)
        # By process, since a waiting thread of the lock does not survive a fork.
        self._locks: dict[int, FairFileLock] = {}

    @property
    def name(self) -> str:
        """See ``Database.name``."""
        return str(self.file)

    def prepare(self) -> None:
        """See ``Database.prepare``."""
        sqlite_connections.prepare(self.engine)

    def create_file(self) -> None:
        """See ``Database.create_file``."""
        if self.file:
            sqlite_connections.create_file(self.file)

    def write_lock(self) -> AbstractContextManager[None]:
        """See ``Database.write_lock``."""
        if self.file is None:
            return nullcontext()
        pid = os.getpid()
        return (self._locks.get(pid) or self._locks.setdefault(pid, FairFileLock(self.file))).hold()

    def fetch_one(self, sql: str, values: Any) -> tuple[Any, ...] | None:
        """See ``Database.fetch_one``."""
        return self._reader.fetch_one(sql, values)

    def run_durable_read(self, work: Callable[[Connection], T]) -> T:
        """See ``Database.run_durable_read``; the only machine has every commit."""
        return run_read(self, work)

    def error_kind(self, error: Exception) -> ErrorKind | None:
        """See ``Database.error_kind``."""
        refused = sqlite_files.is_refused_by_trigger(cause_of(error))
        return ErrorKind.UNAVAILABLE if refused or is_unavailable(error) else None

    def is_lost(self, connection: Connection) -> bool:
        """See ``Database.is_lost``: its file was deleted or replaced."""
        return sqlite_connections.file_connection(connection.connection).is_lost_by_folder()

    def is_disk_full(self, error: Exception) -> bool:
        """See ``Database.is_disk_full``."""
        return disk.is_full(cause_of(error))

    def release_reserve(self) -> bool:
        """See ``Database.release_reserve``."""
        if self.file is None or not disk.release_reserve(self.file):
            return False
        # The file grows first: then its log is begun anew, and needs no more room than it has.
        with suppress(DBAPIError):
            self.checkpoint()
        return True

    def checkpoint(self) -> None:
        """See ``Database.checkpoint``; writers go on meanwhile."""
        if self.file:
            self._checkpoint("PASSIVE")
            # What was written meanwhile is little. With it the log is copied completely, and is begun anew.
            self._checkpoint("PASSIVE")

    def shrink_log(self) -> None:
        """See ``Database.shrink_log``."""
        if self.file:
            self._checkpoint("TRUNCATE")

    def _checkpoint(self, mode: str) -> None:
        with self.engine.connect().execution_options(**ONE_READ) as connection:
            connection.exec_driver_sql(f"PRAGMA wal_checkpoint({mode})")

    def integrity_errors(self, connection: Connection) -> list[str]:
        """See ``Database.integrity_errors``."""
        return sqlite_files.integrity_errors(connection)

    def is_read_only(self, connection: Connection) -> bool:
        """See ``Database.is_read_only``."""
        return read_only.is_read_only(connection)
