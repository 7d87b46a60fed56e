"""Copies all codes and texts to an empty database, and compares both.

Meetings are not copied: a service that was stopped has ended its live transfers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from saver.database import Database
from saver.database.tables import code as pool
from saver.database.tables import meeting, text

TABLES = (pool, text)
# The tables that must not change after they were copied.
WRITTEN = (*TABLES, meeting)
# Rows in memory at a time: a text may have a MiB.
_ROWS = {pool: 10_000, text: 64}


class OpenDatabase(NamedTuple):
    """A database and a connection to it with an open transaction."""

    database: Database
    connection: Connection


def is_empty(connection: Connection) -> bool:
    """Return whether there is neither a code nor a text."""
    return all(connection.execute(select(table.c.code).limit(1)).first() is None for table in TABLES)


def copy_all(source: OpenDatabase, target: OpenDatabase, advance: Callable[[int], None]) -> None:
    """Copy every row into empty tables; ``advance`` gets the number of rows after each batch."""
    for table in TABLES:
        target.database.copy_rows(target.connection, table, _rows(source, table, advance))


def is_same(source: OpenDatabase, target: OpenDatabase) -> bool:
    """Return whether both have the same rows."""
    return all(_is_same(source, target, table) for table in TABLES)


def _is_same(source: OpenDatabase, target: OpenDatabase, table: Table) -> bool:
    batches = zip_longest(_batches(source, table), _batches(target, table))
    return all(copied == original for original, copied in batches)


def _rows(source: OpenDatabase, table: Table, advance: Callable[[int], None]) -> Iterator[Sequence[Any]]:
    for batch in _batches(source, table):
        yield from batch
        advance(len(batch))


def _batches(source: OpenDatabase, table: Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    # Rows of the driver: those of SQLAlchemy take several times as long for millions of them.
    cursor = source.database.open_cursor(source.connection)
    cursor.execute(str(select(table).order_by(table.c.code).compile(source.connection)))
    while batch := cursor.fetchmany(_ROWS[table]):
        yield batch
    cursor.close()
