"""Makes an SQLite database read-only for every process, also for one that still has the old settings."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table

_PREFIX = "frozen"
_EVENTS = ("INSERT", "UPDATE", "DELETE")
_REFUSE = "SELECT RAISE(ABORT, 'this database was copied to a server')"
# Earlier versions moved a live service and also had triggers that logged changes.
_TRIGGERS = (
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND (name GLOB 'frozen_*' OR name GLOB 'noted_*')"
)


def make_read_only(connection: Connection, tables: Iterable[Table]) -> None:
    """Refuse every change of these tables from now on."""
    for table in tables:
        for event in _EVENTS:
            name = f"{_PREFIX}_{table.name}_{event.lower()}"
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table.name} BEGIN {_REFUSE}; END"
            )


def make_writable(connection: Connection) -> bool:
    """Accept changes again. Returns whether the database was read-only."""
    names = list(connection.exec_driver_sql(_TRIGGERS).scalars())
    for name in names:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    return bool(names)


def is_read_only(connection: Connection) -> bool:
    """Whether the database refuses changes."""
    names = connection.exec_driver_sql(_TRIGGERS).scalars()
    return any(name.startswith(_PREFIX) for name in names)
