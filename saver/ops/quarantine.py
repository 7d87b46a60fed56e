"""Make a database safe that its server's own tools have brought back from a backup."""

from __future__ import annotations

import math

from sqlalchemy import Connection

from saver.clock import Clock
from saver.database import Database
from saver.ops.files import OperationError
from saver.ops.restore import RestorePolicy, RestoreResult
from saver.ops.schema import require_schema
from saver.store import count, quarantine_all

_IN_USE = "the database is in use: stop whatever serves it, and the workers, on every machine first"


class Quarantine:
    """What must be done to a server's database that is a backup of itself."""

    def __init__(self, database: Database, rules: RestorePolicy, clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock

    def quarantine(self, codes_rest: int | None = None) -> RestoreResult:
        """Let every code rest that may have been leased since the backup; see ``quarantine_all``.

        ``codes_rest`` is for how many seconds no code is leased, by default as long as any text could
        have lived and its code rested. All or nothing. Raises OperationError and StorageError.
        """
        if self._database.file:
            raise OperationError("this database is a file: restore it with flask --app saver restore")
        now = math.floor(self._clock())
        longest = self._rules.longest_life + self._rules.rest
        until = now + (longest if codes_rest is None else codes_rest)

        def work(connection: Connection) -> RestoreResult:
            self._check(connection)
            self._database.disable_timeouts(connection)
            quarantine_all(self._database, connection, now, until, self._rules.rest)
            return RestoreResult(count(connection, now), None, 0, until)

        return self._database.writer.run(work)

    def _check(self, connection: Connection) -> None:
        if self._database.count_other_clients(connection):
            raise OperationError(_IN_USE)
        advice = "run it with the saver that made the backup, then upgrade"
        require_schema(connection, self._rules.head, "the database", advice)
