"""PostgreSQL: a database server with many writers at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table

from saver.database import postgresql_checks as checks
from saver.database import postgresql_connections as connections
from saver.database.base import (
    ONE_READ,
    BatchPolicy,
    Database,
    IncompatibleDatabaseError,
    ProbePlan,
)
from saver.database.errors import ConflictError, ErrorKind, cause_of, is_unavailable
from saver.database.timeouts import DeadlineWatchdog
from saver.database.writer import DirectWriter

T = TypeVar("T")

# For all engines of a process.
_watchdog = DeadlineWatchdog()


class PostgresDatabase(Database):
    """A database on a server; every writer has a transaction of its own."""

    # A batch delays nobody; the pause leaves a part of the server's time to others.
    batch_policy = BatchPolicy(batch_seconds=0.050, max_rows=2_000, pause_factor=0.5)
    # To count the free codes the server reads its whole table, which does not shrink with the pool.
    probe_plan = ProbePlan(tries=(1, 256, *[1024] * 8), low=1_500)
    has_concurrent_writers = True
    file = None

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.writer = DirectWriter(self)

    @property
    def name(self) -> str:
        """See ``Database.name``."""
        return f"{self.engine.url.database} on {self.engine.url.host or 'this machine'}"

    def prepare(self) -> None:
        """See ``Database.prepare``."""
        connections.prepare(self.engine)

    def refuse_incompatible(self) -> None:
        """See ``Database.refuse_incompatible``."""
        with self.engine.connect().execution_options(**ONE_READ) as connection:
            if incompatible := checks.incompatible_encoding(connection):
                raise IncompatibleDatabaseError(incompatible)

    def lock(self, connection: Connection, kind: str, *names: str | bytes) -> None:
        """See ``Database.lock``; two names may share a lock by chance.

        The locks are taken in a fixed order, so that two transactions cannot wait for each other.
        """
        numbers = sorted(_lock_number(kind, name) for name in names or ("",))
        locks = ", ".join(f"pg_advisory_xact_lock({number})" for number in numbers)
        connection.exec_driver_sql(f"SELECT {locks}")

    @contextmanager
    def advisory_lock(self, name: str) -> Iterator[None]:
        """See ``Database.advisory_lock``."""
        with self.engine.connect() as connection, connection.begin():
            self.disable_timeouts(connection)
            self.lock(connection, name)
            yield

    def disable_timeouts(self, connection: Connection) -> None:
        """See ``Database.disable_timeouts``."""
        _watchdog.exempt(connection.connection.driver_connection)
        connections.disable_timeouts(connection)

    def with_deadline(self, driver_connection: Any) -> AbstractContextManager[None]:
        """See ``Database.with_deadline``."""
        return _watchdog.limit(driver_connection)

    def with_commit_deadline(self, connection: Connection) -> AbstractContextManager[None]:
        """See ``Database.with_commit_deadline``."""
        if connections.has_disabled_timeouts(connection):
            return nullcontext()
        return _watchdog.limit_commit(connection.connection.driver_connection)

    def is_not_replicated(self, connection: Connection) -> bool:
        """See ``Database.is_not_replicated``."""
        return connections.is_not_replicated(connection)

    def fetch_one(self, sql: str, values: Any) -> tuple[Any, ...] | None:
        """See ``Database.fetch_one``."""
        connection: Any = self.engine.raw_connection()
        try:
            with self.with_deadline(connection.driver_connection):
                # Binary: as text a body would come in hexadecimal, twice as long.
                cursor = connection.cursor(binary=True)
                row: tuple[Any, ...] | None = cursor.execute(sql, values).fetchone()
                return row
        except self.engine.dialect.loaded_dbapi.Error as error:
            if connection.driver_connection.closed or self.is_stale(error):
                connection.invalidate()
                raise ConflictError from None
            raise
        finally:
            connection.close()

    def run_durable_read(self, work: Callable[[Connection], T]) -> T:
        """See ``Database.run_durable_read``; the SELECT locks its rows, so that its commit is replicated."""
        return self.writer.run(work)

    def copy_rows(self, connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> bool:
        """See ``Database.copy_rows``: by COPY."""
        columns = ", ".join(column.name for column in table.columns)
        cursor: Any = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return True

    def open_cursor(self, connection: Connection) -> Any:
        """See ``Database.open_cursor``."""
        return connection.connection.cursor(name="saver_stream")

    def error_kind(self, error: Exception) -> ErrorKind | None:
        """See ``Database.error_kind``."""
        cause = cause_of(error)
        if checks.is_conflict(cause) or checks.is_lost_at_begin(error):
            return ErrorKind.CONFLICT
        return ErrorKind.UNAVAILABLE if is_unavailable(error) or checks.is_not_set_up(cause) else None

    def is_stale(self, error: Exception) -> bool:
        """See ``Database.is_stale``."""
        return checks.is_stale(cause_of(error))

    def count_other_clients(self, connection: Connection) -> int:
        """See ``Database.count_other_clients``."""
        # Otherwise a transaction that asks again gets the first answer again.
        connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        return int(
            connection.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).scalar_one()
        )

    def integrity_errors(self, connection: Connection) -> list[str]:
        """See ``Database.integrity_errors``."""
        return checks.integrity_errors(connection)


def _lock_number(kind: str, name: str | bytes) -> int:
    whole = kind.encode() + b"\0" + (name.encode() if isinstance(name, str) else name)
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), signed=True)


def lock_exclusive(connection: Connection, tables: Iterable[Table]) -> None:
    """Lock whole tables, also for readers, until the transaction ends. Raises OperationalError if in use."""
    names = ", ".join(table.name for table in tables)
    connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def analyze(connection: Connection, tables: Iterable[Table]) -> None:
    """Update the planner's statistics of tables that were just filled."""
    connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")


def describe(connection: Connection) -> str:
    """Return host, port and name of the database, without the secrets of its URL."""
    found: Any = connection.connection.driver_connection
    return f"{found.info.host}:{found.info.port}/{found.info.dbname}"
