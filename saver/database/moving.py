"""What a database that is a file is told while its service moves away from it.

Both are triggers, so they hold for every process that writes, also for one that has
not heard of the move: one kind notes the keys of rows that change, the other refuses every
change. A table tells which move it was that froze it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    update,
)

_metadata = MetaData()
# The keys of rows that have changed since the move began, in their order; some are there twice.
noted = Table(
    "moving",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("code", Text, nullable=False),
)
# One row, from the freeze on.
_move = Table(
    "move",
    _metadata,
    Column("id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("done", Boolean, nullable=False),
)
_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
_REFUSE = "SELECT RAISE(ABORT, 'this database is being moved or was moved away')"


@dataclass(frozen=True, slots=True)
class Freeze:
    """The move that froze a database: its id, its target, and whether it is known to be done."""

    id: str
    target: str
    done: bool


def note_changes(connection: Connection, tables: Iterable[Table]) -> None:
    """From now on note the ``code`` of every row that changes, from an empty list on."""
    end(connection, tables)
    noted.create(connection)
    for name, table, event, row in _triggers("noted", tables):
        # The driver cannot bind a value in a trigger; every name is of the schema.
        note = f"INSERT INTO {noted.name} (code) VALUES ({row}.code)"  # noqa: S608
        connection.exec_driver_sql(f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {note}; END")


def freeze(connection: Connection, tables: Iterable[Table], move: Freeze) -> None:
    """From now on refuse every change of these tables, whoever asks for it."""
    _move.create(connection)
    connection.execute(insert(_move).values(id=move.id, target=move.target, done=move.done))
    for name, table, event, _ in _triggers("frozen", tables):
        connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN {_REFUSE}; END")


def finish(connection: Connection) -> None:
    """The move that froze it is done. It stays frozen."""
    connection.execute(update(_move).values(done=True))


def end(connection: Connection, tables: Iterable[Table]) -> None:
    """Leave nothing of a move: no note is taken and no change refused."""
    for kind in ("noted", "frozen"):
        for name, *_ in _triggers(kind, tables):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    _metadata.drop_all(connection)


def frozen_by(connection: Connection) -> Freeze | None:
    """The move that froze it; None where changes are taken."""
    if not inspect(connection).has_table(_move.name):
        return None
    row = connection.execute(select(_move)).one_or_none()
    return Freeze(row.id, row.target, row.done) if row else None


def last_noted(connection: Connection) -> int:
    """The number of the last note; 0 where there is none."""
    return connection.scalar(select(func.max(noted.c.number))) or 0


def _triggers(kind: str, tables: Iterable[Table]) -> Iterator[tuple[str, str, str, str]]:
    for table in tables:
        for event, row in _EVENTS.items():
            yield f"{kind}_{table.name}_{event.lower()}", table.name, event, row
