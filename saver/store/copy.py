"""Copies all codes and texts to an empty database, and compares both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from saver.database import Database
from saver.database.tables import code as pool
from saver.database.tables import text

TABLES = (pool, text)
# Rows in memory at a time: a text may have a MiB.
_ROWS = {pool: 10_000, text: 64}


class Side(NamedTuple):
    """A database and a connection in a transaction of it."""

    database: Database
    connection: Connection


def is_empty(connection: Connection) -> bool:
    """Return whether there is neither a code nor a text."""
    return all(connection.execute(select(table.c.code).limit(1)).first() is None for table in TABLES)


def copy_all(source: Side, target: Side, advance: Callable[[int], None]) -> None:
    """Copy every row into empty tables; ``advance`` gets the number of rows after each batch."""
    for table in TABLES:
        target.database.copy_rows(target.connection, table, _rows(source, table, advance))


def is_same(source: Side, target: Side) -> bool:
    """Return whether every row of both is the same."""
    return all(_is_same(source, target, table) for table in TABLES)


def _is_same(source: Side, target: Side, table: Table) -> bool:
    batches = zip_longest(_batches(source, table), _batches(target, table))
    return all(one == other for one, other in batches)


def _rows(source: Side, table: Table, advance: Callable[[int], None]) -> Iterator[Sequence[Any]]:
    for batch in _batches(source, table):
        yield from batch
        advance(len(batch))


def _batches(side: Side, table: Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    # Rows of the driver: those of SQLAlchemy take several times as long for millions of them.
    cursor = side.database.open_cursor(side.connection)
    cursor.execute(str(select(table).order_by(table.c.code).compile(side.connection)))
    while batch := cursor.fetchmany(_ROWS[table]):
        yield batch
    cursor.close()
