"""All that differs between the databases.

SQLite: WAL, so that readers never wait for the writer; ``synchronous=FULL``,
so that a commit is on the disk before it is acknowledged; ``BEGIN IMMEDIATE``
for writes, because a deferred transaction that reads first and writes later is
refused at once when another writer came between.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import CHAR, Connection, Engine, Text, event
from sqlalchemy.types import TypeEngine

# Execution options: how a transaction begins. Without one it is a snapshot.
WRITE = {"saver_begin": "BEGIN IMMEDIATE"}
ONE_READ = {"saver_begin": ""}

_PRAGMAS = (
    # How long to wait for a writer outside the gate (a shell, a backup), in ms.
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # A wiped text is overwritten in the file, not only forgotten.
    "secure_delete = ON",
)


def code_type() -> TypeEngine[str]:
    """The column type of a code: compared byte by byte, so that case matters."""
    return Text().with_variant(CHAR(4, collation="C"), "postgresql")


def prepare(engine: Engine) -> None:
    """Set up every connection that the engine will open."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late and never for a SELECT.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_sqlite_begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get("saver_begin", "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


def gate(engine: Engine) -> AbstractContextManager[None]:
    """What a process holds while it writes, so that writers take turns.

    SQLite lets a waiting writer sleep and try again, and whoever comes at the
    right moment passes; under load some wait for seconds. Locks on two files
    make a queue: whoever holds ``next`` is the next to get ``gate``, and the one
    that has just finished cannot pass it. The kernel frees both when a process dies.
    """
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database is None:
        return nullcontext()
    return _file_gate(Path(database))


@contextmanager
def _file_gate(database: Path) -> Iterator[None]:
    upcoming = _locked(database.with_name(f"{database.name}-next"))
    try:
        mine = _locked(database.with_name(f"{database.name}-gate"))
    finally:
        os.close(upcoming)
    try:
        yield
    finally:
        os.close(mine)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
