"""All that differs between the databases, in one file for each; here is what holds for both.

Who uses an engine asks this room and not the engine's name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Engine, Table, Text, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.types import TypeEngine

from saver.database import disk, postgresql, read_only, sqlite
from saver.database.dump import DumpError as DumpError
from saver.database.dump import Environment as Environment
from saver.database.dump import dump as dump
from saver.database.file_lock import FairFileLock
from saver.database.timeouts import DeadlineWatchdog

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SCHEMES = f"{SQLITE}: or {POSTGRESQL}:"
_DRIVERS = (SQLITE, f"{SQLITE}+pysqlite", POSTGRESQL, f"{POSTGRESQL}+psycopg")

# Execution options: how a transaction begins. Without one it is a snapshot that only reads.
WRITE = {"saver_begin": "write"}
ONE_READ = {"saver_begin": "no transaction"}
NO_STATEMENT_TIMEOUT = postgresql.NO_STATEMENT_TIMEOUT

# As PEP 249 names the database's own trouble.
_TROUBLE = {"OperationalError", "InternalError", "InterfaceError"}

# For all engines of a process.
_watch = DeadlineWatchdog()
_gates: dict[tuple[int, Path], FairFileLock] = {}


class IncompatibleDatabaseError(Exception):
    """Why a database cannot be used."""


class BatchPolicy(NamedTuple):
    """How work on many rows is cut up, so that those who write beside it do not notice.

    A batch that takes longer than ``batch_seconds`` is followed by a smaller one, of ``most`` rows at most;
    after each there is a rest of so long, times ``pause_factor``.
    """

    batch_seconds: float
    most: int
    pause_factor: float


# A file is locked while a batch is written: a quarter of the time, so that most writes never meet it.
_PACE_OF_A_FILE = BatchPolicy(batch_seconds=0.010, most=500, pause_factor=3.0)
# On a server nobody waits; what is left to others is a part of its time.
_PACE_OF_A_SERVER = BatchPolicy(batch_seconds=0.050, most=2_000, pause_factor=0.5)


class ErrorKind(Enum):
    """What can befall a statement that is right."""

    UNAVAILABLE = "the database is away, locked by somebody else, full, for reading only, or not set up"
    CONFLICT = "another transaction came between, or the connection was lost before anything was done"


def code_type() -> TypeEngine[str]:
    """The column type of a code: compared byte by byte, so that case matters."""
    return Text().with_variant(Text(collation="C"), POSTGRESQL)


def url_of(file: Path) -> URL:
    """The URL of a database that is a file, whatever its name has in it."""
    return sqlite.url_of(file)


def is_known(address: str | URL) -> bool:
    """Whether a database URL is one of a database that saver can use, with options that there are."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return False
    if url.drivername not in _DRIVERS:
        return False
    return url.get_backend_name() != POSTGRESQL or postgresql.has_known_options(url)


def engine_options(address: str | URL, threads: int) -> dict[str, Any]:
    """How to make an engine for a process with so many threads; each uses one connection at a time."""
    url: URL = make_url(address)
    # Opening a connection costs 15 reads and more, so each thread keeps one; the worker and a
    # command use one of the two others.
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": threads + 2}
    if url.get_backend_name() == POSTGRESQL:
        options |= postgresql.engine_options(url)
    return options


def prepare(engine: Engine) -> None:
    """Set up every connection that the engine will open."""
    (postgresql if is_server(engine) else sqlite).prepare(engine)


def is_server(engine: Engine) -> bool:
    """Whether a server keeps the database, for many writers at once; else it is a file with one."""
    return engine.dialect.name == POSTGRESQL


def batch_policy(engine: Engine) -> BatchPolicy:
    """The pace that fits a database."""
    return _PACE_OF_A_SERVER if is_server(engine) else _PACE_OF_A_FILE


def fair_file_lock(engine: Engine) -> AbstractContextManager[None]:
    """What a process holds while it writes to a file, so that writers take turns. Raises OSError."""
    file = file_of(engine)
    if file is None:
        return nullcontext()
    # A thread does not cross a fork.
    name = os.getpid(), file
    return (_gates.get(name) or _gates.setdefault(name, FairFileLock(file))).hold()


def make_file(engine: Engine) -> None:
    """Make the file that is the database, where it is one and is not there yet. Raises OSError."""
    if file := file_of(engine):
        sqlite.make(file)


def is_full(error: Exception) -> bool:
    """Whether a statement may have failed for want of room on the disk of a file."""
    return disk.is_full(getattr(error, "orig", None) or error)


def free_reserve(engine: Engine) -> bool:
    """Make some room on a disk that is full, of the file that is kept for it; whether there was any."""
    file = file_of(engine)
    if file is None or not disk.gives_up_reserve(file):
        return False
    # The file grows first: then its log is begun anew, and needs no more room than it has.
    with suppress(DBAPIError):
        _checkpoint(engine, "PASSIVE")
    return True


def shrink_log(engine: Engine) -> None:
    """Give what the log of a file takes back to its disk, as far as nobody reads it. Raises DBAPIError."""
    if file_of(engine):
        _checkpoint(engine, "TRUNCATE")


def _checkpoint(engine: Engine, how: str) -> None:
    with engine.connect().execution_options(**ONE_READ) as connection:
        connection.exec_driver_sql(f"PRAGMA wal_checkpoint({how})")


def lock(connection: Connection, of: str, *names: str | bytes) -> None:
    """Wait until nobody else holds a lock of these names, and hold them until the transaction ends.

    On SQLite a transaction that writes is the only one anyway.
    """
    if is_server(connection.engine):
        postgresql.lock(connection, of, *names)


def advisory_lock(engine: Engine, name: str) -> AbstractContextManager[None]:
    """Hold a server's lock of this name over several transactions of others' connections."""
    return postgresql.advisory_lock(engine, name) if is_server(engine) else nullcontext()


def disable_timeouts(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they need: they are an operator's."""
    if is_server(connection.engine):
        _watch.leave(connection.connection.driver_connection)
        postgresql.disable_timeouts(connection)


def count_other_clients(connection: Connection) -> int:
    """How many other connections of saver's a server's database has."""
    return postgresql.count_other_clients(connection) if is_server(connection.engine) else 0


def copy_in(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> bool:
    """Add whole rows by a way that is quicker than statements; False where the database has none."""
    if not is_server(connection.engine):
        return False
    postgresql.copy_in(connection, table, rows)
    return True


def stream(connection: Connection, statement: str, rows: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield batches of the driver's rows; SQLAlchemy's take several times as long for millions of rows."""
    options = {"name": "saver_stream"} if is_server(connection.engine) else {}
    cursor: Any = connection.connection.cursor(**options)
    cursor.execute(statement)
    while batch := cursor.fetchmany(rows):
        yield batch
    cursor.close()


def file_of(engine: Engine) -> Path | None:
    """The file that is the database; None where a server keeps it."""
    database = engine.url.database
    return Path(database) if not is_server(engine) and database else None


def name_of(engine: Engine) -> str:
    """Which database it is, for a person to read; without a password."""
    file = file_of(engine)
    return str(file) if file else f"{engine.url.database} on {engine.url.host or 'this machine'}"


def error_kind(error: Exception) -> ErrorKind | None:
    """What befell the database where this is its own trouble; None where a statement is at fault.

    Takes errors of SQLAlchemy and of the drivers, which share the names of PEP 249.
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    names = {kind.__name__ for of in (error, cause) for kind in type(of).__mro__}
    if postgresql.is_conflict(cause) or postgresql.is_lost_before(error):
        return ErrorKind.CONFLICT
    of_its_own = sqlite.is_frozen(cause) or postgresql.is_not_set_up(cause)
    if isinstance(error, PoolTimeoutError) or names & _TROUBLE or of_its_own:
        return ErrorKind.UNAVAILABLE
    return None


def is_lost(driver_connection: Any) -> bool:
    """Whether a driver's connection is of no use any more."""
    return bool(getattr(driver_connection, "closed", False))


def is_stale(error: Exception) -> bool:
    """Whether a connection remembers a statement that a migration has changed; nothing was done yet."""
    return postgresql.is_stale(getattr(error, "orig", None) or error)


def bounded(driver_connection: Any) -> AbstractContextManager[None]:
    """See that work on a server ends; a thread that waits for longer sees its connection lost."""
    return _watch.over(driver_connection) if hasattr(driver_connection, "cancel_safe") else nullcontext()


def bounded_commit(connection: Connection) -> AbstractContextManager[None]:
    """See that a commit on a server does not wait for its standby for ever, unless it is an operator's."""
    if not is_server(connection.engine) or postgresql.has_disabled_timeouts(connection):
        return nullcontext()
    return _watch.over_commit(connection.connection.driver_connection)


def is_not_replicated(connection: Connection) -> bool:
    """Whether what was just committed is not yet where the server should have put it."""
    return is_server(connection.engine) and postgresql.is_not_replicated(connection)


def refuse_incompatible(engine: Engine) -> None:
    """Raise IncompatibleDatabaseError where a server's database cannot keep every text."""
    if is_server(engine):
        with engine.connect().execution_options(**ONE_READ) as connection:
            if unfit := postgresql.incompatible_encoding(connection):
                raise IncompatibleDatabaseError(unfit)


def integrity_errors(connection: Connection) -> list[str]:
    """What the database itself finds wrong with it; reads all of it where it is a file."""
    if is_server(connection.engine):
        return postgresql.integrity_errors(connection)
    return sqlite.integrity_errors(connection)


def is_read_only(connection: Connection) -> bool:
    """Whether an SQLite database refuses writes because it was copied to a server."""
    return not is_server(connection.engine) and read_only.is_read_only(connection)
