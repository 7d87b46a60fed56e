"""Upkeep: sweep, fill, audit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sqlalchemy.exc import DBAPIError

from saver import database
from saver.database import BatchPolicy
from saver.database.writer import StorageError
from saver.store import pool, sweep
from saver.store.base import StoreBase
from saver.store.sweep import SweepResult


class Maintenance(StoreBase):
    """The deeds of the worker and the operator."""

    @property
    def pace(self) -> BatchPolicy:
        """How a long sweep is cut up."""
        return database.batch_policy(self._engine)

    def sweep(self, most: int) -> SweepResult:
        """One batch: wipe at most ``most`` expired texts, give back at most ``most`` rested codes."""
        return self._writer.run(lambda connection: sweep.sweep(connection, self._now(), most))

    def keep_reserve(self) -> None:
        """See that there is a reserve of room on the disk. Raises StorageError."""
        try:
            if not self.disk.keeps_reserve():
                database.shrink_log(self._engine)
                self.disk.keeps_reserve()
        except (DBAPIError, OSError) as error:
            raise StorageError(type(getattr(error, "orig", None) or error).__name__) from None

    def fill(self) -> Iterator[pool.FillResult]:
        """Add every code that is nowhere yet, one first letter at a time.

        Each step is a transaction of its own, so a fill that was killed goes on
        where it stopped, and one that is not needed only counts.
        """
        for letter in pool.LETTERS:
            added = self._writer.run(partial(pool.fill_letter, letter=letter))
            yield pool.FillResult(letter, added)

    def audit(self) -> pool.Audit:
        """Count where the codes are, in one snapshot."""
        return self._read(
            lambda connection: pool.count(connection, self._now(), self._pool_size), patient=True
        )

    def stats(self) -> pool.PoolStats:
        """Count for an operator, in one snapshot."""
        return self._read(lambda connection: pool.stats(connection, self._now()))

    def count_free(self) -> int:
        """How many codes are free."""
        return self._read(pool.count_free)

    def purge_receipts(self) -> None:
        """Forget the receipts of codes that are free again. Raises ReceiptsError."""
        self._receipts.purge(self._now())
