"""Repeat work that another transaction or a lost connection has undone, and reads in general."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from saver.blocking import about_to_block
from saver.database.base import ONE_READ, Database
from saver.database.errors import ConflictError, StorageError

T = TypeVar("T")

WRITE_TRIES = 5
# A restarted server has closed every pooled connection, and repeating a read is harmless.
READ_TRIES = 64
# In seconds.
_RETRY_FOR = 3.0


def retry_on_conflict(database: Database, work: Callable[[], T], tries: int) -> T:
    """Run work that leaves nothing behind when it raises ConflictError. Raises StorageError."""
    began = time.monotonic()
    for left in reversed(range(tries)):
        try:
            return work()
        except Exception as error:
            failure = database.storage_error(error)
            if failure is None:
                raise
            # A closed connection is noticed at once; one that hangs would take as long again.
            if not isinstance(failure, ConflictError) or not left or time.monotonic() > began + _RETRY_FOR:
                raise failure from None
    raise StorageError("not tried")


@contextmanager
def discard_stale_connection(database: Database, connection: Connection) -> Iterator[None]:
    """Close a connection whose prepared statements predate a migration. Raises ConflictError for it."""
    try:
        yield
    except Exception as error:
        if database.is_stale(error):
            connection.invalidate()
            raise ConflictError from None
        raise


def run_read(database: Database, work: Callable[[Connection], T], *, no_timeout: bool = False) -> T:
    """Run work that is one SELECT; with ``no_timeout`` it may take long. Raises StorageError."""
    options = {} if no_timeout else ONE_READ
    about_to_block()

    def run() -> T:
        with (
            database.engine.connect().execution_options(**options) as connection,
            database.with_deadline(connection.connection.driver_connection),
            discard_stale_connection(database, connection),
        ):
            try:
                if no_timeout:
                    database.disable_timeouts(connection)
                return work(connection)
            except Exception:
                # A long read is not repeated: it could begin again forever.
                if connection.invalidated and not no_timeout:
                    raise ConflictError from None
                raise

    return retry_on_conflict(database, run, READ_TRIES)
