"""What PostgreSQL's errors and settings mean."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from saver.database.postgresql_connections import BEGIN

# Deadlock, lost serialization, and a key that another transaction has just inserted.
_CONFLICTS = {"40P01", "40001", "23505"}
# No such table, no such column, no right to use it.
_NOT_SET_UP = {"42P01", "42703", "42501"}


def is_conflict(error: BaseException) -> bool:
    """Return whether a transaction failed because another one interfered."""
    return getattr(error, "sqlstate", None) in _CONFLICTS


def is_not_set_up(error: BaseException) -> bool:
    """Return whether tables or rights are missing."""
    return getattr(error, "sqlstate", None) in _NOT_SET_UP


def is_stale(error: BaseException) -> bool:
    """Return whether a prepared statement no longer fits the tables."""
    return getattr(error, "sqlstate", None) == "0A000"


def is_lost_at_begin(error: Exception) -> bool:
    """Return whether a pooled connection turned out to be lost when a transaction began."""
    if not isinstance(error, DBAPIError) or not error.connection_invalidated:
        return False
    return error.statement in BEGIN.values()


def integrity_errors(connection: Connection) -> list[str]:
    """Return the server's settings that lose texts, cannot store them, or write them to a log."""
    found = []
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        value = _setting(connection, name)
        if value in ("off", "local"):
            found.append(f"{name} = {value}: a text that was acknowledged can be lost")
    if incompatible := incompatible_encoding(connection):
        found.append(incompatible)
    if _setting(connection, "log_parameter_max_length") != "0" and _logs_statements(connection):
        found.append("statements are logged with their values: set log_parameter_max_length = 0")
    return found


def incompatible_encoding(connection: Connection) -> str:
    """Return why the database cannot store every text; empty if it can."""
    encoding = _setting(connection, "server_encoding")
    return "" if encoding == "UTF8" else f"the database's encoding is {encoding}: make it with -E UTF8"


def _logs_statements(connection: Connection) -> bool:
    slow = ("log_min_duration_statement", "log_min_duration_sample")
    if any(_setting(connection, name) != "-1" for name in slow):
        return True
    return _setting(connection, "log_statement") in ("mod", "all")


def _setting(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())
