"""Maintenance by the worker and the operator: sweep, fill, audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from saver.database import StorageError
from saver.database.errors import cause_of
from saver.store import pool, sweep
from saver.store.base import Store
from saver.store.sweep import SweepResult


class Maintenance:
    """The operations of the worker and the operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.database

    def sweep(self, max_rows: int) -> SweepResult:
        """Run one batch: wipe up to ``max_rows`` expired texts and return as many cooled-down codes."""
        return self._store.write(
            lambda connection: sweep.sweep(self._database, connection, self._store.now(), max_rows)
        )

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the database as far as nobody has to wait; never raises."""
        # What is not copied now is copied later.
        with suppress(SQLAlchemyError):
            self._database.checkpoint()

    def sweep_all(self, max_rows: int) -> Iterator[SweepResult]:
        """Run batches until nothing is left to do, each in its own transaction."""
        more = True
        while more:
            result = self.sweep(max_rows)
            more = result.more
            yield result

    def keep_reserve(self) -> None:
        """Ensure the reserve of space on the disk. Raises StorageError."""
        disk = self._store.disk
        try:
            if not disk.ensure_reserve():
                self._database.shrink_log()
                disk.ensure_reserve()
        except (DBAPIError, OSError) as error:
            raise StorageError(type(cause_of(error)).__name__) from None

    def fill(self) -> Iterator[pool.FillResult]:
        """Add every missing code, one first letter at a time.

        Each step is a transaction of its own, so a fill that was killed continues
        where it stopped, and one that is not needed only counts.
        """
        is_full = self._store.read(pool.is_full, no_timeout=True)
        for letter in pool.LETTERS:
            added = 0
            if not is_full:
                added = self._store.write(partial(pool.fill_letter, self._database, letter=letter))
            yield pool.FillResult(letter, added)

    def audit(self) -> pool.Audit:
        """Count where the codes are, in one snapshot."""
        return self._store.read(
            lambda connection: pool.count(connection, self._store.now(), self._store.pool_size),
            no_timeout=True,
        )

    def count_by_key(self) -> pool.KeyCounts:
        """Count the live texts by what the keyring knows of their keys."""
        ids = self._store.keyring.ids
        return self._store.read(
            lambda connection: pool.count_by_key(connection, self._store.now(), ids), no_timeout=True
        )

    def stats(self) -> pool.PoolStats:
        """Count for metrics, in one snapshot."""
        return self._store.read(lambda connection: pool.stats(connection, self._store.now()))

    def count_free(self) -> int:
        """Return how many codes are free."""
        return self._store.read(pool.count_free)

    def count_open(self) -> int:
        """Return how many texts without a password are live."""
        return self._store.read(lambda connection: pool.count_open(connection, self._store.now()))

    def purge_receipts(self) -> None:
        """Delete the receipts of codes that are free again. Raises ReceiptsError."""
        self._store.receipts.purge(self._store.now())
