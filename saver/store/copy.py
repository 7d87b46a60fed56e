"""Copies all codes and texts to an empty database, and compares both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Table, select

from saver.database import database_for
from saver.database.tables import code as pool
from saver.database.tables import text

TABLES = (pool, text)
# Rows in memory at a time: a text may have a MiB.
_ROWS = {pool: 10_000, text: 64}


def is_empty(connection: Connection) -> bool:
    """Whether there is neither a code nor a text."""
    return all(connection.execute(select(table.c.code).limit(1)).first() is None for table in TABLES)


def copy_all(source: Connection, target: Connection, advance: Callable[[int], None]) -> None:
    """Copy every row into empty tables; ``advance`` gets the number of rows after each batch."""
    for table in TABLES:
        database_for(target.engine).copy_rows(target, table, _rows(source, table, advance))


def is_same(source: Connection, target: Connection) -> bool:
    """Compare every row of both databases."""
    return all(_is_same(source, target, table) for table in TABLES)


def _is_same(source: Connection, target: Connection, table: Table) -> bool:
    batches = zip_longest(_batches(source, table), _batches(target, table))
    return all(one == other for one, other in batches)


def _rows(source: Connection, table: Table, advance: Callable[[int], None]) -> Iterator[Sequence[Any]]:
    for batch in _batches(source, table):
        yield from batch
        advance(len(batch))


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    statement = select(table).order_by(table.c.code).compile(connection)
    return database_for(connection.engine).stream(connection, str(statement), _ROWS[table])
