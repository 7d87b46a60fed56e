"""Reads of one row from SQLite, on a connection that each thread keeps.

The pool would take longer to lend a connection than SQLite to find the row.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event

from saver.database.sqlite_connections import FileConnection, file_connection


class _Kept(threading.local):
    connection: FileConnection | None = None


class RowReader:
    """Runs a SELECT that returns at most one row; such a read is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept = _Kept()
        # Those of threads that have ended are closed by the garbage collector.
        self._opened = WeakSet[FileConnection]()
        event.listen(engine, "engine_disposed", self._close)

    def fetch_one(self, sql: str, values: Any) -> tuple[Any, ...] | None:
        """Return the row, or None. Raises the errors of the driver and of the pool."""
        connection = self._kept.connection
        if connection is None or connection.is_lost_by_folder():
            self._drop()
            connection = self._kept.connection = self._open()
        try:
            row: tuple[Any, ...] | None = connection.execute(sql, values).fetchone()
        except sqlite3.Error:
            self._drop()
            raise
        return row

    def _open(self) -> FileConnection:
        pooled = self._engine.raw_connection()
        connection = file_connection(pooled)
        pooled.detach()
        self._opened.add(connection)
        return connection

    def _drop(self) -> None:
        connection, self._kept.connection = self._kept.connection, None
        if connection is not None:
            connection.close()

    def _close(self, _engine: Engine) -> None:
        self._kept = _Kept()
        for connection in set(self._opened):
            connection.close()
