"""Statements that cost next to nothing.

A load is one look-up by key and a lease two changes by key, some 10 µs of the
database's time each; run as SQLAlchemy's Core runs them they take four times as
long. So the hot ones are written and compiled with SQLAlchemy, once, and run on
the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.expression import Executable

from saver.writer import StorageError


class Statement:
    """A statement to be run within a transaction of its caller."""

    def __init__(self, engine: Engine, statement: Executable) -> None:
        compiled = statement.compile(dialect=engine.dialect)  # type: ignore[attr-defined]
        self._sql = str(compiled)
        self._names: list[str] | None = compiled.positiontup
        self._driver = engine.dialect.loaded_dbapi

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it; the number of rows it touched. Raises StorageError."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, self._ordered(values))
        except self._driver.OperationalError as error:
            raise StorageError(type(error).__name__) from None
        return int(cursor.rowcount)

    def _ordered(self, values: Mapping[str, Any]) -> Any:
        return values if self._names is None else [values[name] for name in self._names]


class Read(Statement):
    """One SELECT that yields at most one row, in a transaction of its own."""

    def __init__(self, engine: Engine, statement: Select[Any]) -> None:
        super().__init__(engine, statement)
        self._engine = engine

    def one(self, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The row, or None. Raises StorageError."""
        try:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(self._sql, self._ordered(values))
                row: tuple[Any, ...] | None = cursor.fetchone()
                return row
            finally:
                connection.close()
        except (self._driver.Error, DBAPIError, PoolTimeoutError) as error:
            raise StorageError(type(error).__name__) from None
