"""Statements that cost next to nothing.

A load is one look-up by key and a lease two changes by key, some 10 µs of the
database's time each; run as SQLAlchemy's Core runs them they take four times as
long. So the hot ones are written and compiled with SQLAlchemy, once, and run on
the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.sql.expression import Executable

from saver import database
from saver.database.writer import (
    ConflictError,
    discard_stale_connection,
    retry_on_conflict,
    storage_error,
)

T = TypeVar("T")

# A server that was started anew has closed every kept connection, and reading twice does no harm.
_TRIES = 64


class Statement:
    """A statement to be run within a transaction of its caller."""

    def __init__(self, engine: Engine, statement: Executable) -> None:
        compiled = statement.compile(dialect=engine.dialect)  # type: ignore[attr-defined]
        self._sql = str(compiled)
        self._names: list[str] | None = compiled.positiontup
        self._driver = engine.dialect.loaded_dbapi

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it; the number of rows it touched. Raises StorageError."""
        return int(self._execute(connection, values).rowcount)

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a SELECT; every row it found. Raises StorageError."""
        found: list[tuple[Any, ...]] = self._execute(connection, values).fetchall()
        return found

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, self._ordered(values))
        except self._driver.Error as error:
            if database.is_stale(error):
                raise
            raise storage_error(error) or error from None
        return cursor

    def _ordered(self, values: Mapping[str, Any]) -> Any:
        return values if self._names is None else [values[name] for name in self._names]


class Read(Statement):
    """One SELECT that yields at most one row, in a transaction of its own."""

    def __init__(self, engine: Engine, statement: Select[Any]) -> None:
        super().__init__(engine, statement)
        self._engine = engine

    def one(self, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The row, or None. Raises StorageError."""
        ordered = self._ordered(values)
        return retry_on_conflict(lambda: self._fetch(ordered), _TRIES)

    def _fetch(self, values: Any) -> tuple[Any, ...] | None:
        connection = self._engine.raw_connection()
        try:
            with database.bounded(connection.driver_connection):
                cursor = connection.cursor()
                cursor.execute(self._sql, values)
                row: tuple[Any, ...] | None = cursor.fetchone()
                return row
        except self._driver.Error as error:
            if database.is_lost(connection.driver_connection) or database.is_stale(error):
                connection.invalidate()
                raise ConflictError from None
            raise
        finally:
            connection.close()


def read(engine: Engine, work: Callable[[Connection], T], *, patient: bool = False) -> T:
    """Do work that is one SELECT, which may take long where it is ``patient``. Raises StorageError."""
    options = {} if patient else database.ONE_READ

    def once() -> T:
        with (
            engine.connect().execution_options(**options) as connection,
            database.bounded(connection.connection.driver_connection),
            discard_stale_connection(connection),
        ):
            try:
                if patient:
                    database.disable_timeouts(connection)
                return work(connection)
            except Exception:
                # Not what takes long: it would be begun anew for ever.
                if connection.invalidated and not patient:
                    raise ConflictError from None
                raise

    return retry_on_conflict(once, _TRIES)
