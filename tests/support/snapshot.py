"""What is in the database, read by plain SQL in one snapshot, without saver's code."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.postgres import PostgresDatabase

# An SQLite file or a PostgreSQL database.
Database = Path | PostgresDatabase

# One statement is one snapshot, even while others write.
_EVERY_ROW = "SELECT code, 1 FROM code UNION ALL SELECT code, 0 FROM text"


class Snapshot(NamedTuple):
    """The codes of each table; lists, so that a duplicate is seen."""

    free: list[str]
    leased: list[str]

    def misplaced(self, codes: Iterable[str]) -> dict[str, int]:
        """The codes that are not in exactly one table, and how often each is there."""
        places = Counter(self.free + self.leased)
        places.update(dict.fromkeys(codes, 0))
        wanted = set(codes)
        return {code: count for code, count in places.items() if (count, code in wanted) != (1, True)}


@contextmanager
def connected(database: Database) -> Iterator[Any]:
    """A connection of the driver's; commits at the end."""
    if isinstance(database, PostgresDatabase):
        with database.connect() as server_connection:
            yield server_connection
        return
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        yield connection


def snapshot(database: Database) -> Snapshot:
    """Read both tables at one instant."""
    rows = query(database, _EVERY_ROW)
    return Snapshot(
        [str(code) for code, free in rows if free], [str(code) for code, free in rows if not free]
    )


def query(database: Database, statement: str, *values: object) -> list[tuple[object, ...]]:
    """The rows that answer a statement; ``?`` stands for a value."""
    with connected(database) as connection:
        rows: list[tuple[object, ...]] = connection.execute(_spelled(database, statement), values).fetchall()
    return rows


def everything_stored(database: Database) -> bytes:
    """All stored bytes: the file, or the rows on the server."""
    if isinstance(database, Path):
        return b"".join(path.read_bytes() for path in database.parent.glob("saver.db*"))
    rows = [row for table in ("code", "text", "meeting") for row in query(database, f"SELECT * FROM {table}")]
    return b" ".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def execute(database: Database, statement: str, rows: Iterable[tuple[object, ...]] = ((),)) -> None:
    """Run a statement for each row, in one transaction; ``?`` stands for a value."""
    with connected(database) as connection, closing(connection.cursor()) as cursor:
        cursor.executemany(_spelled(database, statement), list(rows))


def put_codes(database: Database, codes: Iterable[str]) -> None:
    """Add these codes to the free ones."""
    execute(database, "INSERT INTO code VALUES (?)", [(code,) for code in codes])


@contextmanager
def out_of_reach(database: Database) -> Iterator[None]:
    """The database cannot be used during the block, and open connections are lost."""
    if isinstance(database, PostgresDatabase):
        with database.closed():
            yield
        return
    aside = database.rename(database.with_name("aside.db"))
    yield
    aside.rename(database)


def _spelled(database: Database, statement: str) -> str:
    return statement.replace("?", "%s") if isinstance(database, PostgresDatabase) else statement
