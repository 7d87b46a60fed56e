"""Receipts in a separate SQLite file whose writes do not wait for the disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from saver.blocking import about_to_block
from saver.receipts.base import LruSet, Receipt, ReceiptsError

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS note (
        name BLOB PRIMARY KEY,
        first_loaded_at INTEGER,
        refused INTEGER NOT NULL DEFAULT 0,
        drop_at INTEGER NOT NULL
    ) WITHOUT ROWID
"""
_RECORD_LOAD = """
    INSERT INTO note (name, first_loaded_at, drop_at) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET
        first_loaded_at = coalesce(first_loaded_at, excluded.first_loaded_at),
        drop_at = max(drop_at, excluded.drop_at)
"""
_RECORD_REFUSAL = """
    INSERT INTO note (name, refused, drop_at) VALUES (?, 1, ?)
    ON CONFLICT (name) DO UPDATE SET refused = refused + 1, drop_at = max(drop_at, excluded.drop_at)
"""
_POSTPONE_DROP = "UPDATE note SET drop_at = max(drop_at, ?) WHERE name = ?"
_GET = "SELECT first_loaded_at, refused FROM note WHERE name = ?"
_PURGE = "DELETE FROM note WHERE drop_at <= ?"


class FileReceipts:
    """Implements ``Receipts`` for all processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._recorded = LruSet()

    def record_load(self, key: bytes, now: int, drop_at: int) -> None:
        """Store the time of the first load; later loads change nothing. Never raises."""
        if key not in self._recorded and self._execute(_RECORD_LOAD, (key, now, drop_at)):
            self._recorded.add(key)

    def record_refusal(self, key: bytes, drop_at: int) -> None:
        """Count a try with a wrong password. Never raises."""
        self._execute(_RECORD_REFUSAL, (key, drop_at))

    def postpone_drop(self, key: bytes, drop_at: int) -> None:
        """Delete an existing receipt not before ``drop_at``. Never raises."""
        self._execute(_POSTPONE_DROP, (drop_at, key))

    def get(self, key: bytes) -> Receipt:
        """The receipt, an empty one if nothing is stored. Raises ReceiptsError."""
        try:
            row = self._connection().execute(_GET, (key,)).fetchone()
        except sqlite3.Error as error:
            raise ReceiptsError(type(error).__name__) from None
        return Receipt(*row) if row else Receipt()

    def purge(self, now: int) -> None:
        """Delete the receipts whose ``drop_at`` has come. Raises ReceiptsError."""
        try:
            self._connection().execute(_PURGE, (now,))
        except sqlite3.Error as error:
            raise ReceiptsError(type(error).__name__) from None

    def _execute(self, statement: str, values: tuple[object, ...]) -> bool:
        about_to_block()
        try:
            self._connection().execute(statement, values)
        except sqlite3.Error:
            return False
        return True

    def _connection(self) -> sqlite3.Connection:
        # A connection must not cross a fork, nor be used by two threads at once.
        if getattr(self._local, "pid", None) != os.getpid():
            # SQLite's -wal and -shm files get the mode of this file.
            with suppress(OSError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_SCHEMA)
            self._local.connection, self._local.pid = connection, os.getpid()
        current: sqlite3.Connection = self._local.connection
        return current
