"""Receipts in an SQLite file of its own that waits for no disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from saver.receipts.base import LruSet, Receipt, ReceiptsError

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS note (
        name BLOB PRIMARY KEY,
        first_loaded_at INTEGER,
        refused INTEGER NOT NULL DEFAULT 0,
        drop_at INTEGER NOT NULL
    ) WITHOUT ROWID
"""
_LOADED = """
    INSERT INTO note (name, first_loaded_at, drop_at) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET
        first_loaded_at = coalesce(first_loaded_at, excluded.first_loaded_at),
        drop_at = max(drop_at, excluded.drop_at)
"""
_REFUSED = """
    INSERT INTO note (name, refused, drop_at) VALUES (?, 1, ?)
    ON CONFLICT (name) DO UPDATE SET refused = refused + 1, drop_at = max(drop_at, excluded.drop_at)
"""
_KEEP = "UPDATE note SET drop_at = max(drop_at, ?) WHERE name = ?"
_READ = "SELECT first_loaded_at, refused FROM note WHERE name = ?"
_PURGE = "DELETE FROM note WHERE drop_at <= ?"


class FileReceipts:
    """Notes of loads and refusals, shared by all processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._remembered = LruSet()

    def loaded(self, name: bytes, now: int, drop_at: int) -> None:
        """Note a load; only the first one counts. Never fails a load."""
        if name not in self._remembered and self._note(_LOADED, (name, now, drop_at)):
            self._remembered.add(name)

    def refused(self, name: bytes, drop_at: int) -> None:
        """Note a refused try. Never fails a load."""
        self._note(_REFUSED, (name, drop_at))

    def keep(self, name: bytes, drop_at: int) -> None:
        """Keep what is noted so long, if it would go earlier. Never fails an extension."""
        self._note(_KEEP, (drop_at, name))

    def of(self, name: bytes) -> Receipt:
        """What is known. Raises ReceiptsError."""
        try:
            row = self._connection().execute(_READ, (name,)).fetchone()
        except sqlite3.Error as error:
            raise ReceiptsError(type(error).__name__) from None
        return Receipt(*row) if row else Receipt()

    def purge(self, now: int) -> None:
        """Forget what nobody can ask for any more. Raises ReceiptsError."""
        try:
            self._connection().execute(_PURGE, (now,))
        except sqlite3.Error as error:
            raise ReceiptsError(type(error).__name__) from None

    def _note(self, statement: str, values: tuple[object, ...]) -> bool:
        try:
            self._connection().execute(statement, values)
        except sqlite3.Error:
            return False
        return True

    def _connection(self) -> sqlite3.Connection:
        # A connection must not cross a fork, nor be used by two threads at once.
        if getattr(self._local, "pid", None) != os.getpid():
            # What SQLite makes beside it gets the same mode.
            with suppress(OSError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_SCHEMA)
            self._local.connection, self._local.pid = connection, os.getpid()
        kept: sqlite3.Connection = self._local.connection
        return kept
