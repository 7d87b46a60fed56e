"""Quarantine the codes of a PostgreSQL database after pg_restore."""

from __future__ import annotations

import math
import time

from sqlalchemy import Connection

from saver.clock import Clock
from saver.database import Database
from saver.installation import PROGRAM
from saver.ops.files import OperationError
from saver.ops.restore import RestoreResult
from saver.ops.restore_policy import RestorePolicy
from saver.ops.schema import require_schema
from saver.store import count, count_by_key, quarantine_all

_IN_USE = "the database is in use: stop whatever serves it, and the workers, on every machine first"
# Seconds. PostgreSQL still lists a client for some milliseconds after it has ended, as pg_restore just did.
_MAX_WAIT = 2.0
_POLL_INTERVAL = 0.02


class Quarantine:
    """Lets every code of a restored database cool down."""

    def __init__(self, database: Database, policy: RestorePolicy, clock: Clock) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock

    def run(self, quarantine: int | None = None) -> RestoreResult:
        """Let every code cool down that may have been leased since the backup; see ``quarantine_all``.

        No code is leased for ``quarantine`` seconds, by default those of the policy. One transaction.
        Raises OperationError and StorageError.
        """
        if self._database.file:
            raise OperationError(f"this database is a file: restore it with {PROGRAM} restore")
        now = math.floor(self._clock())
        until = now + (self._policy.quarantine if quarantine is None else quarantine)

        def work(connection: Connection) -> RestoreResult:
            self._check(connection)
            self._database.disable_timeouts(connection)
            quarantine_all(self._database, connection, now, until, self._policy.cool_down)
            unreadable = count_by_key(connection, now, self._policy.key_ids).unknown
            return RestoreResult(count(connection, now), None, 0, until, unreadable)

        return self._database.writer.run(work)

    def _check(self, connection: Connection) -> None:
        refuse_in_use(self._database, connection)
        advice = "run it with the saver that made the backup, then upgrade"
        require_schema(connection, self._policy.head, "the database", advice)


def refuse_in_use(database: Database, connection: Connection) -> None:
    """Raise OperationError if another client stays connected."""
    deadline = time.monotonic() + _MAX_WAIT
    while database.count_other_clients(connection):
        if time.monotonic() > deadline:
            raise OperationError(_IN_USE)
        time.sleep(_POLL_INTERVAL)
