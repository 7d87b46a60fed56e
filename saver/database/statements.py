"""Statements that cost next to nothing.

A load is one look-up by key and a lease two changes by key, some 10 µs of the
database's time each; SQLAlchemy's Core makes them take four times as long. So the
frequent ones are written and compiled with SQLAlchemy, once, and run on the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.expression import Executable

from saver.database.base import Database
from saver.database.retry import READ_TRIES, retry_on_conflict


class Statement:
    """A statement that runs within its caller's transaction."""

    def __init__(self, database: Database, statement: Executable) -> None:
        dialect = database.engine.dialect
        compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self._database = database
        self._sql = str(compiled)
        self._names: list[str] | None = compiled.positiontup
        self._driver = dialect.loaded_dbapi

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it and return how many rows it changed. Raises StorageError."""
        return int(self._execute(connection, values).rowcount)

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a SELECT and return its rows. Raises StorageError."""
        found: list[tuple[Any, ...]] = self._execute(connection, values).fetchall()
        return found

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, self._ordered(values))
        except self._driver.Error as error:
            if self._database.is_stale(error):
                raise
            raise self._database.storage_error(error) or error from None
        return cursor

    def _ordered(self, values: Mapping[str, Any]) -> Any:
        return values if self._names is None else [values[name] for name in self._names]


class Read(Statement):
    """A SELECT that returns at most one row, in a transaction of its own."""

    def one(self, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the row, or None. Raises StorageError."""
        ordered, database = self._ordered(values), self._database
        return retry_on_conflict(database, lambda: database.fetch_one(self._sql, ordered), READ_TRIES)
