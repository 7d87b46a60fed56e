"""SQLite's files: copied while they are written to, replaced while nobody uses them."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from saver.database.sqlite_connections import on_begin, url_of

# The schema name that ``open_for_replace`` gives to the database that is to be replaced.
OLD = "old"
# The files that may accompany a database and belong to it only.
SUFFIXES = ("-wal", "-shm", "-journal")


def copy_whole(engine: Engine, target: Path) -> None:
    """Copy what is committed into ``target``, an empty file, while writers continue.

    ``VACUUM INTO`` reads one snapshot. The copy has no free pages, so nothing that was wiped
    can be in it. The backup interface of SQLite copies those too, and begins again whenever
    another process writes: under load it does not end.
    """
    with engine.connect().execution_options(saver_begin="no transaction") as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))


def open_read_only(path: Path) -> Engine:
    """Return an engine that reads a file that nobody writes, such as a backup; it creates no other file."""
    uri = f"file:{quote(str(path))}?mode=ro&immutable=1"
    # By the driver: a URL of SQLAlchemy cannot contain every file name.
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool)


def open_for_replace(path: Path, old: Path | None) -> Engine:
    """Return an engine for the file that is to become the database; ``old`` is the file that it replaces.

    A transaction that begins with REPLACE locks both, and the old one until its
    connection is closed. OperationalError: another process has one of them open.
    """
    engine = create_engine(url_of(path), poolclass=NullPool)

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 0")
        if old is not None:
            connection.execute(f"ATTACH ? AS {OLD}", (str(old),))
            # Before the first read, or the lock would not cover the whole file.
            connection.execute(f"PRAGMA {OLD}.locking_mode = EXCLUSIVE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def merge_log_into_file(connection: Connection) -> None:
    """Write the old database's log into its file. Its lock is kept."""
    connection.connection.cursor().execute(f"PRAGMA {OLD}.journal_mode = DELETE")


def get_lineage_id(connection: Connection, schema: str = "main") -> int:
    """Return the number that a database and its backups share; 0 if it has none yet."""
    return int(connection.exec_driver_sql(f"PRAGMA {schema}.user_version").scalar_one())


def ensure_lineage_id(connection: Connection) -> None:
    """Give a database its lineage id unless it has one."""
    if get_lineage_id(connection) == 0:
        connection.exec_driver_sql(f"PRAGMA user_version = {secrets.randbelow(2**31 - 1) + 1}")


def is_locked(error: DBAPIError) -> bool:
    """Return whether another connection has locked the database."""
    return getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def is_refused_by_trigger(error: BaseException) -> bool:
    """Return whether a trigger refused a write: a database that was copied to a server is read-only."""
    return getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"


def integrity_errors(connection: Connection, schema: str = "main") -> list[str]:
    """Return what SQLite finds wrong with its file; reads all of it."""
    found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {schema}.integrity_check(3)")]
    orphans = connection.exec_driver_sql(f"PRAGMA {schema}.foreign_key_check").fetchmany(1)
    return [line for line in found if line != "ok"] + (["a row points nowhere"] if orphans else [])
