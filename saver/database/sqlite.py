"""SQLite: a file with one writer at a time.

WAL, so that readers never wait for the writer; ``synchronous=FULL``,
so that a commit is on the disk before it is acknowledged; ``BEGIN IMMEDIATE``
for writes, because a deferred transaction that reads first and writes later is
refused at once when another writer came between. Its database is a file, which
can be copied while it is written to, and replaced while nobody has it open.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

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
    # A log that has grown is cut to so many bytes when it is begun anew.
    "journal_size_limit = 16777216",
)


# What belongs to a connection that is open; any other file of these names is not the one it writes to.
_HELD = ("", "-wal", "-shm")
_IDENTITY = "saver_files"

_Identity = tuple[tuple[int, int] | None, ...]


class FileGoneError(sqlite3.OperationalError):
    """The database's file, or its log, is not there any more, or another one is in its place."""


def url_of(database: Path) -> URL:
    """Its URL, made of parts: in a string some names would mean something else."""
    return URL.create("sqlite", database=str(database))


def make(database: Path) -> None:
    """Make the file, empty and for its owner alone, unless it is there. Raises OSError."""
    with suppress(FileExistsError):
        # What SQLite makes beside it gets the same mode.
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def prepare(engine: Engine) -> None:
    """Set up every connection that the engine will open.

    A file that is not there is not made, and nothing is read from or written to one that was deleted or
    replaced while it was open: what is kept there nobody would find again.
    """
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    path = engine.url.database
    if not path:
        return
    event.listen(engine, "do_connect", _open)

    def on_connect(connection: sqlite3.Connection, record: Any) -> None:
        # The log is opened by the first read.
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        record.info[_IDENTITY] = _identity(path)

    def on_checkout(_connection: object, record: Any, _proxy: object) -> None:
        if _is_gone(record.info, path):
            # The pool opens another one.
            raise DisconnectionError

    def on_commit(connection: Connection) -> None:
        is_write = connection.get_execution_options().get("saver_begin") == "write"
        if is_write and _is_gone(connection.info, path):
            raise FileGoneError("the database's file was deleted or replaced")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "checkout", on_checkout)
    event.listen(engine, "commit", on_commit)


def _open(_dialect: object, _record: object, arguments: list[str], options: dict[str, Any]) -> Any:
    [path] = arguments
    # By the driver's own hand: a URL of SQLAlchemy cannot carry every name of a file.
    try:
        return sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, **options)
    except sqlite3.OperationalError:
        if _identity(path)[0] is None:
            raise FileGoneError(f"there is no file {path}") from None
        raise


def _is_gone(opened: dict[str, Any], path: str) -> bool:
    """Whether a connection has another file open than those that are there now."""
    before, now = opened.get(_IDENTITY, ()), _identity(path)
    if before == now:
        return False
    # An empty database has no log before it is first written to.
    opened[_IDENTITY] = tuple(one or other for one, other in zip(before, now, strict=True))
    return bool(opened[_IDENTITY] != now)


def _identity(path: str) -> _Identity:
    return tuple(map(_inode, (path + ending for ending in _HELD)))


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - for every look-up
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _on_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late and never for a SELECT.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    begin = _BEGIN[connection.get_execution_options().get("saver_begin", "read")]
    if begin:
        connection.exec_driver_sql(begin)


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
    engine = create_engine(url_of(path), poolclass=NullPool)

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


def merge_log_into_file(connection: Connection) -> None:
    """Bring all that lies beside the old database into it. Its lock goes on."""
    connection.connection.cursor().execute(f"PRAGMA {OLD}.journal_mode = DELETE")


def lineage_of(connection: Connection, schema: str = "main") -> int:
    """The number that a database and its backups share; 0 where it has none yet."""
    return int(connection.exec_driver_sql(f"PRAGMA {schema}.user_version").scalar_one())


def begin_lineage(connection: Connection) -> None:
    """Give a database its number, unless it has one."""
    if lineage_of(connection) == 0:
        connection.exec_driver_sql(f"PRAGMA user_version = {secrets.randbelow(2**31 - 1) + 1}")


def is_locked(error: DBAPIError) -> bool:
    """Whether somebody else has the database."""
    return getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def is_frozen(error: BaseException) -> bool:
    """Whether a trigger refused it: those of a database that has been moved away."""
    return getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"


def integrity_errors(connection: Connection, schema: str = "main") -> list[str]:
    """What the database itself finds wrong with its file; reads all of it."""
    found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {schema}.integrity_check(3)")]
    strays = connection.exec_driver_sql(f"PRAGMA {schema}.foreign_key_check").fetchmany(1)
    return [line for line in found if line != "ok"] + (["a row points nowhere"] if strays else [])
