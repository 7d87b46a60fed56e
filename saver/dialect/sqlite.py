"""SQLite: a file with one writer at a time.

WAL, so that readers never wait for the writer; ``synchronous=FULL``,
so that a commit is on the disk before it is acknowledged; ``BEGIN IMMEDIATE``
for writes, because a deferred transaction that reads first and writes later is
refused at once when another writer came between. Its database is a file, which
can be copied while it is written to, and replaced while nobody has it open.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

# How a transaction begins that replaces one database by another.
REPLACE = {"saver_begin": "replace"}
_BEGIN = {
    "write": "BEGIN IMMEDIATE",
    "read": "BEGIN",
    "no transaction": "",
    "replace": "BEGIN EXCLUSIVE",
}

# The name under which `replacing` shows the database that is to be replaced.
OLD = "old"
# What may lie beside a database and belongs to it alone.
BESIDE = ("-wal", "-shm", "-journal")

_PRAGMAS = (
    # How long to wait for a writer outside the gate (a shell, a backup), in ms.
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # A wiped text is overwritten in the file, not only forgotten.
    "secure_delete = ON",
)


def prepare(engine: Engine) -> None:
    """Set up every connection that the engine will open."""
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _on_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late and never for a SELECT.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    begin = _BEGIN[connection.get_execution_options().get("saver_begin", "read")]
    if begin:
        connection.exec_driver_sql(begin)


@contextmanager
def gate(database: Path) -> Iterator[None]:
    """What a process holds while it writes, so that writers take turns.

    SQLite lets a waiting writer sleep and try again, and whoever comes at the
    right moment passes; under load some wait for seconds. Locks on two files
    make a queue: whoever holds ``next`` is the next to get ``gate``, and the one
    that has just finished cannot pass it. The kernel frees both when a process dies.
    """
    upcoming = _locked(database.with_name(f"{database.name}-next"))
    try:
        mine = _locked(database.with_name(f"{database.name}-gate"))
    finally:
        os.close(upcoming)
    try:
        yield
    finally:
        os.close(mine)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def copy_whole(engine: Engine, target: Path) -> None:
    """Write what is committed now into ``target``, an empty file, while others go on writing.

    ``VACUUM INTO`` reads one snapshot. The copy has no free pages, so nothing that was wiped
    can be in it. The backup interface of SQLite copies those too, and begins anew whenever
    another process writes: under load it does not end.
    """
    with engine.connect().execution_options(saver_begin="no transaction") as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))


def reading(path: Path) -> Engine:
    """An engine that only reads a file that nobody writes: a backup. Leaves nothing beside it."""
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    # By the driver's own hand: a URL of SQLAlchemy cannot carry every name of a file.
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool)


def replacing(path: Path, old: Path | None) -> Engine:
    """An engine for the file that is to become the database; ``old`` is the one that it replaces.

    Whoever begins a transaction with REPLACE locks both, and the old one until its
    connection is closed. OperationalError: somebody else has one of them open.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 0")
        if old is not None:
            connection.execute(f"ATTACH ? AS {OLD}", (str(old),))
            # Before it is first read: only then the lock is on the whole file.
            connection.execute(f"PRAGMA {OLD}.locking_mode = EXCLUSIVE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def put_into_one_file(connection: Connection) -> None:
    """Bring all that lies beside the old database into it. Its lock goes on."""
    connection.connection.cursor().execute(f"PRAGMA {OLD}.journal_mode = DELETE")


def line_of(connection: Connection, schema: str = "main") -> int:
    """The number that a database and its backups share; 0 where it has none yet."""
    return int(connection.exec_driver_sql(f"PRAGMA {schema}.user_version").scalar_one())


def begin_line(connection: Connection) -> None:
    """Give a database its number, unless it has one."""
    if line_of(connection) == 0:
        connection.exec_driver_sql(f"PRAGMA user_version = {secrets.randbelow(2**31 - 1) + 1}")


def is_locked(error: DBAPIError) -> bool:
    """Whether somebody else has the database."""
    return getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def is_frozen(error: BaseException) -> bool:
    """Whether a trigger refused it: those of a database that has been moved away."""
    return getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"


def faults(connection: Connection, schema: str = "main") -> list[str]:
    """What the database itself finds wrong with its file; reads all of it."""
    found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {schema}.integrity_check(3)")]
    strays = connection.exec_driver_sql(f"PRAGMA {schema}.foreign_key_check").fetchmany(1)
    return [line for line in found if line != "ok"] + (["a row points nowhere"] if strays else [])
