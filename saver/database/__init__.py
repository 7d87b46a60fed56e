"""All that differs between SQLite and PostgreSQL, and what their transactions have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from saver.database import postgresql_connections, sqlite_connections
from saver.database.base import (
    NO_STATEMENT_TIMEOUT,
    ONE_READ,
    WRITE,
    BatchPolicy,
    Database,
    IncompatibleDatabaseError,
)
from saver.database.errors import (
    ConflictError,
    ErrorKind,
    NotReplicatedError,
    StorageError,
)
from saver.database.postgresql import PostgresDatabase
from saver.database.retry import run_read
from saver.database.sqlite import SqliteDatabase

__all__ = [
    "NO_STATEMENT_TIMEOUT",
    "ONE_READ",
    "POSTGRESQL",
    "SCHEMES",
    "WRITE",
    "BatchPolicy",
    "ConflictError",
    "Database",
    "ErrorKind",
    "IncompatibleDatabaseError",
    "NotReplicatedError",
    "PostgresDatabase",
    "SqliteDatabase",
    "StorageError",
    "database_for",
    "engine_options",
    "is_supported",
    "run_read",
    "url_of",
]

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SCHEMES = f"{SQLITE}: or {POSTGRESQL}:"
_DRIVERS = (SQLITE, f"{SQLITE}+pysqlite", POSTGRESQL, f"{POSTGRESQL}+psycopg")


def database_for(engine: Engine) -> Database:
    """Make the database of an engine. Its connections are set up by ``prepare``."""
    return PostgresDatabase(engine) if engine.dialect.name == POSTGRESQL else SqliteDatabase(engine)


def url_of(file: Path) -> URL:
    """Return the URL of a database in a file, whatever its name contains."""
    return sqlite_connections.url_of(file)


def is_supported(url: str | URL) -> bool:
    """Return whether saver can use the database with this URL, and its options exist."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return False
    if parsed.drivername not in _DRIVERS:
        return False
    return parsed.get_backend_name() != POSTGRESQL or postgresql_connections.has_known_options(parsed)


def engine_options(url: str | URL, threads: int) -> dict[str, Any]:
    """Return the arguments to create an engine for a process with ``threads`` threads."""
    parsed: URL = make_url(url)
    # Opening a connection costs 15 reads and more, so there is one for each thread; the worker and a
    # command use one of the two others.
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": threads + 2}
    if parsed.get_backend_name() == POSTGRESQL:
        options |= postgresql_connections.engine_options(parsed)
    return options
