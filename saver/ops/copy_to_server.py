"""Copies the database of a stopped service from SQLite to PostgreSQL.

The copy is one transaction of the target, and is compared with its source row by row before the commit. The
source is locked for writing all the time and read-only afterwards, so no text is stored in the database that
is no longer used. If a run fails or is killed, the target is empty or complete, and the next run finds out
which.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from saver.clock import Clock
from saver.database import WRITE, Database, database_for, postgresql, read_only
from saver.installation import PROGRAM
from saver.ops import files
from saver.ops.copy_target import describe_error, migrate_target, open_target, translate_errors
from saver.ops.files import OperationError
from saver.ops.schema import require_schema
from saver.store import Audit, count
from saver.store.copy import TABLES, WRITTEN, OpenDatabase, copy_all, is_empty, is_same

_UNCHANGED = "nothing was copied, and the SQLite database is unchanged"


class Progress(Protocol):
    """Receives the progress of a copy."""

    def start(self, rows: int) -> None:
        """The number of rows that will be copied."""

    def advance(self, rows: int) -> None:
        """The number of rows that were copied since the last call."""

    def stage_done(self, stage: str) -> None:
        """``copied``, ``compared`` and ``committed``, in this order."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """``target`` describes the target; ``is_new`` is False if an earlier run had copied everything."""

    target: str
    audit: Audit
    is_new: bool


class CopyToServer:
    """Copies one database. ``migrate`` upgrades the schema of a database to the revision ``head``."""

    def __init__(
        self, database: Database, head: str, migrate: Callable[[Engine], None], clock: Clock
    ) -> None:
        self._database = database
        self._head = head
        self._migrate = migrate
        self._clock = clock

    def run(self, url: str, progress: Progress) -> CopyResult:
        """Copy everything to the database at a URL. May be repeated. Raises OperationError."""
        with self._locked_source() as source, open_target(url) as target:
            if self._database.is_read_only(source):
                raise OperationError("this database was copied already, and accepts no writes (see --undo)")
            audit = self._check_source(source)
            progress.start(audit.free + audit.live + audit.not_wiped + audit.cooling_down)
            migrate_target(target, self._migrate)
            try:
                description, is_new = self._copy(source, target, progress)
            except (DBAPIError, target.dialect.loaded_dbapi.Error) as error:
                raise OperationError(f"{_UNCHANGED}: {describe_error(error, database_for(target))}") from None
            read_only.make_read_only(source, WRITTEN)
            return CopyResult(description, audit, is_new)

    def undo(self) -> bool:
        """Make the SQLite database writable again; return whether it was not. Raises OperationError."""
        with self._locked_source() as source:
            return read_only.make_writable(source)

    @contextmanager
    def _locked_source(self) -> Iterator[Connection]:
        """A connection in a transaction that locks out all other writers, and is committed at the end."""
        path = self._path()
        with files.exclusive_lock(path.with_name(f"{path.name}-copy")):
            if pids := files.processes_using(path):
                raise OperationError(f"stop the service first: process {min(pids)} uses {path.name}")
            with self._database.engine.connect().execution_options(**WRITE) as connection:
                # A cursor that was not read to its end would block the connection for others.
                connection.detach()
                with connection.begin():
                    yield connection

    def _path(self) -> Path:
        path = self._database.file
        if path is None:
            raise OperationError("the service uses a database server already")
        if not path.exists():
            raise OperationError(f"there is no database {path}")
        return path

    def _check_source(self, source: Connection) -> Audit:
        require_schema(source, self._head, "the database", "upgrade first")
        audit = count(source, math.floor(self._clock()))
        if audit.duplicated:
            raise OperationError(f"{audit.duplicated:,} codes are in two places: see {PROGRAM} pool audit")
        return audit

    def _copy(self, source: Connection, target: Engine, progress: Progress) -> tuple[str, bool]:
        with target.connect().execution_options(**WRITE) as connection:
            from_database, to_database = (
                OpenDatabase(self._database, source),
                OpenDatabase(database_for(target), connection),
            )
            description = postgresql.describe(connection)
            transaction = connection.begin()
            with translate_errors(f"{description} is in use:", target):
                postgresql.lock_exclusive(connection, TABLES)
            to_database.database.disable_timeouts(connection)
            if not is_empty(connection):
                if is_same(from_database, to_database):
                    return description, False
                raise OperationError(f"{description} contains other codes or texts: use an empty database")
            copy_all(from_database, to_database, progress.advance)
            progress.stage_done("copied")
            if not is_same(from_database, to_database):
                raise OperationError(f"{_UNCHANGED}: the copy differs from its source")
            postgresql.analyze(connection, TABLES)
            progress.stage_done("compared")
            self._commit(transaction.commit, description)
            progress.stage_done("committed")
            return description, True

    def _commit(self, commit: Callable[[], None], description: str) -> None:
        try:
            commit()
        except DBAPIError as error:
            raise OperationError(
                f"it is unknown whether {description} has committed ({type(error).__name__}):"
                " run the same command again, which finds out"
            ) from None
