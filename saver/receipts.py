"""Receipts: what the sender may learn of a text, beside the budgets.

First loaded at, and how often it was refused. Noted in an SQLite file of its
own that waits for no disk: a power cut may lose a note, and nothing makes one
wrong. A note is kept under a name that only the lease knows.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

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
_READ = "SELECT first_loaded_at, refused FROM note WHERE name = ?"
_PURGE = "DELETE FROM note WHERE drop_at <= ?"
_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Receipt:
    """``first_loaded_at`` in UTC seconds, ``refused`` tries with a wrong password."""

    first_loaded_at: int | None = None
    refused: int = 0


class ReceiptsError(Exception):
    """The notes are out of reach."""


class Receipts:
    """Notes of loads and refusals, shared by all processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        # Names already noted as loaded, so that the second load costs nothing.
        self._noted: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def loaded(self, name: bytes, now: int, drop_at: int) -> None:
        """Note a load; only the first one counts. Never fails a load."""
        if name in self._noted:
            return
        if self._note(_LOADED, (name, now, drop_at)):
            with self._lock:
                self._noted[name] = None
                if len(self._noted) > _REMEMBERED:
                    self._noted.popitem(last=False)

    def refused(self, name: bytes, drop_at: int) -> None:
        """Note a refused try. Never fails a load."""
        self._note(_REFUSED, (name, drop_at))

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
            connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_SCHEMA)
            self._local.connection, self._local.pid = connection, os.getpid()
        kept: sqlite3.Connection = self._local.connection
        return kept
