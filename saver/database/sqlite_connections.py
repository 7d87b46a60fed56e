"""Connections to SQLite.

WAL, so that readers never wait for the writer; ``synchronous=FULL``,
so that a commit is on the disk before it is acknowledged; ``BEGIN IMMEDIATE``
for writes, because SQLite refuses a deferred transaction that reads first and writes
later if another writer committed in between.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

# How a transaction begins that replaces one database by another.
REPLACE = {"saver_begin": "replace"}
_BEGIN = {
    "write": "BEGIN IMMEDIATE",
    "read": "BEGIN",
    "no transaction": "",
    "replace": "BEGIN EXCLUSIVE",
}

_PRAGMAS = (
    # How long to wait for a writer that does not use the file lock (a shell, a backup), in ms.
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # A wiped text is overwritten in the file, and its page is not only marked as free.
    "secure_delete = ON",
    # The log is truncated to this size (bytes) when it is begun anew.
    "journal_size_limit = 16777216",
    # A writer copies the log into the file, while all others wait, only once it has this many pages (8 MiB):
    # without a worker, or if writes never pause. On a full disk the file may have to grow by as much.
    "wal_autocheckpoint = 2000",
)


# The files that a connection has open.
_OPENED = ("", "-wal", "-shm")

# Seconds; more than any file system has. ext3 counts in steps of one second, FAT in steps of two.
_CLOCK_TICK = 3.0

_Identity = list[tuple[int, int] | None]


class FileConnection(sqlite3.Connection):
    """Knows whether the files that it has open are still those in their folder."""

    _paths: tuple[str, ...] = ()
    _files: _Identity = []  # noqa: RUF012 - replaced, never changed
    _folder = ""
    _seen_folder = (0, 0, 0)
    _first_seen = 0.0
    _is_checked = False

    def note_files(self, path: str) -> None:
        """Note which files are open; ``path`` is that of the database."""
        # The log is opened by the first read.
        self.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        self._paths = tuple(path + ending for ending in _OPENED)
        self._files = _identity(self._paths)
        self._folder = str(Path(path).parent)

    def is_lost_by_folder(self) -> bool:
        """Return the same as ``is_lost``, mostly with one call of the system: every read does it.

        It looks at the files only if one was created, deleted or renamed in their folder since it last did.
        """
        try:
            status = os.stat(self._folder)  # noqa: PTH116 - as in _identity
        except OSError:
            return self.is_lost()
        folder = status.st_dev, status.st_ino, status.st_ctime_ns
        if folder != self._seen_folder:
            self._seen_folder, self._first_seen, self._is_checked = folder, time.monotonic(), False
        if self._is_checked:
            return False
        # Two changes within one tick have the same time. Where a symbolic link leads to, changes do not show.
        is_past_tick = time.monotonic() > self._first_seen + _CLOCK_TICK
        shows_changes = is_past_tick and not Path(self._paths[0]).is_symlink()
        is_lost = self.is_lost()
        self._is_checked = shows_changes and not is_lost
        return is_lost

    def is_lost(self) -> bool:
        """Return whether one of the files was deleted or replaced."""
        now = _identity(self._paths)
        if self._files == now:
            return False
        # An empty database has no log before it is first written to.
        self._files = [one or other for one, other in zip(self._files, now, strict=True)]
        return self._files != now


class FileGoneError(sqlite3.OperationalError):
    """The database's file or its log was deleted or replaced."""


def url_of(file: Path) -> URL:
    """Return the URL of a file; made of parts, because a string would give some names another meaning."""
    return URL.create("sqlite", database=str(file))


def create_file(file: Path) -> None:
    """Create an empty file that only its owner may read, unless it exists. Raises OSError."""
    with suppress(FileExistsError):
        # SQLite gives its other files the same mode.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def prepare(engine: Engine) -> None:
    """Set up every connection that the engine will open.

    A missing file is not created, and a file that was deleted or replaced while it was open is neither
    read nor written: nobody would find again what is stored there.
    """
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", on_begin)
    path = engine.url.database
    if not path:
        return
    event.listen(engine, "do_connect", _open)

    def on_connect(connection: FileConnection, _record: object) -> None:
        connection.note_files(path)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "checkout", _on_checkout)
    event.listen(engine, "commit", _on_commit)


def _open(_dialect: object, _record: object, arguments: list[str], options: dict[str, Any]) -> Any:
    [path] = arguments
    # By the driver: a URL of SQLAlchemy cannot contain every file name.
    try:
        return sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, factory=FileConnection, **options)
    except sqlite3.OperationalError:
        if _identity([path]) == [None]:
            raise FileGoneError(f"there is no file {path}") from None
        raise


def _on_checkout(connection: FileConnection, _record: object, _proxy: object) -> None:
    if connection.is_lost():
        # The pool opens another one.
        raise DisconnectionError


def _on_commit(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("saver_begin") == "write"
    if is_write and file_connection(connection.connection).is_lost():
        raise FileGoneError("the database's file was deleted or replaced")


def file_connection(connection: PoolProxiedConnection) -> FileConnection:
    """Return the driver's connection of a connection of the pool."""
    # ``driver_connection`` is None once the pool has given the connection away.
    found: Any = connection.dbapi_connection
    return cast("FileConnection", found)


def _identity(paths: Iterable[str]) -> _Identity:
    # Runs for each look-up, so without a function for each path.
    found: _Identity = []
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return found


def _on_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late and never for a SELECT.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def on_begin(connection: Connection) -> None:
    begin = _BEGIN[connection.get_execution_options().get("saver_begin", "read")]
    if not begin:
        return
    try:
        # By the driver: SQLAlchemy takes longer for it than for the statements of a write.
        connection.connection.cursor().execute(begin)
    except sqlite3.Error as error:
        raise DBAPIError.instance(begin, None, error, sqlite3.Error) from None
