"""Copy all codes and texts to another database while leases come and go in the first.

One snapshot is copied whole; then, round by round, what has changed since. After each
step the target is what the source was in one instant, row by row: that is read back and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Select, Table, case, delete, func, select

from saver import database
from saver.database import moving
from saver.database.tables import code as pool
from saver.database.tables import text
from saver.database.writer import StorageError
from saver.store.pool import count

TABLES = (pool, text)
# How many codes one statement names, and how many rows are held at a time: a text may have a MiB.
_CODES = 500
_ROWS = {pool: 10_000, text: 64}
_EVERY = 10_000


class MoveError(StorageError):
    """The target does not have what it was given."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round brought over: ``codes`` of them, up to the note with the number ``until``."""

    codes: int
    until: int


def is_empty(connection: Connection) -> bool:
    """Whether there is neither a code nor a text."""
    return all(connection.execute(select(table.c.code).limit(1)).first() is None for table in TABLES)


def copy_all(source: Connection, target: Connection, copied: Callable[[int], None]) -> int:
    """Copy a snapshot into empty tables; the number of the last note before it.

    ``copied`` is told how many more rows, now and then. Raises MoveError if what is
    there afterwards is something else.
    """
    since = moving.last_noted(source)
    for table in TABLES:
        database.copy_in(target, table, _counted(_rows(source, table, _all_of(table)), copied))
    # Of the pool the count is enough: no code is in it twice, nor in both tables.
    _compare(_rows(source, text, _all_of(text)), _rows(target, text, _all_of(text)))
    return since


def catch_up(source: Connection, target: Connection, since: int) -> Round:
    """Bring over what was noted after the number ``since``. Raises MoveError as ``copy_all`` does."""
    until = moving.last_noted(source)
    changed = select(moving.noted.c.code).where(moving.noted.c.number > since).distinct()
    codes = sorted(source.scalars(changed))
    chunks = [codes[at : at + _CODES] for at in range(0, len(codes), _CODES)]
    # All are gone before one is there again: a key may have wandered from one of them to another.
    for table in TABLES:
        for chunk in chunks:
            target.execute(delete(table).where(table.c.code.in_(chunk)))
    for table in TABLES:
        database.copy_in(target, table, _rows_among(source, table, chunks))
        _compare(_rows_among(source, table, chunks), _rows_among(target, table, chunks))
    return Round(len(codes), until)


def same(source: Connection, target: Connection, now: int) -> None:
    """Raise MoveError unless all counts and sums agree, as of ``now`` in UTC seconds.

    Counts every code, which takes seconds; ``copy_all`` and ``catch_up`` see what is in each row.
    """
    if count(target, now) != count(source, now):
        raise MoveError("not every code is there")
    same_texts(source, target)


def same_texts(source: Connection, target: Connection) -> None:
    """Raise MoveError unless counts and sums of the texts agree and no code is in two places."""
    if _tally_of(target) != _tally_of(source):
        raise MoveError("not every text is there as it was")
    if target.scalars(_in_both).one():
        raise MoveError("a code is in two places")


def compare(source: Connection, target: Connection) -> None:
    """Raise MoveError unless both have the same codes and texts; reads all of both."""
    for table in TABLES:
        _compare(_rows(source, table, _all_of(table)), _rows(target, table, _all_of(table)))


def _all_of(table: Table) -> Select[Any]:
    return select(table).order_by(table.c.code)


def _rows(connection: Connection, table: Table, wanted: Select[Any]) -> Iterator[Sequence[Any]]:
    return iter(connection.execute(wanted, execution_options={"yield_per": _ROWS[table]}))


def _counted(rows: Iterable[Sequence[Any]], copied: Callable[[int], None]) -> Iterator[Sequence[Any]]:
    number = 0
    for number, row in enumerate(rows, 1):
        yield row
        if number % _EVERY == 0:
            copied(_EVERY)
    copied(number % _EVERY)


def _rows_among(
    connection: Connection, table: Table, chunks: Iterable[Sequence[str]]
) -> Iterator[Sequence[Any]]:
    for chunk in chunks:
        yield from _rows(connection, table, _all_of(table).where(table.c.code.in_(chunk)))


def _compare(source: Iterable[Sequence[Any]], target: Iterable[Sequence[Any]]) -> None:
    for one, other in zip_longest(source, target):
        if one is None or other is None or tuple(one) != tuple(other):
            raise MoveError("a code or text is not there as it was")


_SUMS = (text.c.saved_at, text.c.expires_at, text.c.free_at, text.c.size)
_tally = select(
    func.count(),
    *map(func.count, (column for column in text.c if column.nullable)),
    *(func.sum(column) for column in _SUMS),
    func.sum(case((text.c.once, 1), else_=0)),
)


_in_both = select(func.count()).select_from(text).where(text.c.code.in_(select(pool.c.code)))


def _tally_of(connection: Connection) -> tuple[Any, ...]:
    return tuple(connection.execute(_tally).one())
