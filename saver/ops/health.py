"""Readiness: whether this process can serve requests, and whether the worker sweeps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from saver.clock import Clock
from saver.database import Database, StorageError, run_read
from saver.database.tables import sweeper
from saver.installation import PROGRAM
from saver.ops.schema import schema_version

_select_zero = select(literal(0))
_last_heartbeat = select(sweeper.c.beat_at).where(sweeper.c.id == 1)
_update_heartbeat = update(sweeper).where(sweeper.c.id == 1).values(beat_at=bindparam("now"))
_insert_heartbeat = insert(sweeper).values(id=1, beat_at=bindparam("now"))

_MAX_MISSED_SWEEPS = 6
_MIN_SECONDS = 60


def heartbeat_timeout(sweep_interval: int) -> int:
    """Return after how many seconds without a sweep the worker counts as hung or dead."""
    return max(_MAX_MISSED_SWEEPS * sweep_interval, _MIN_SECONDS)


class Readiness:
    """Checks the database, its schema, the counters and the worker; stores the worker's heartbeat."""

    def __init__(  # noqa: PLR0913 - each is needed by one of the checks
        self,
        database: Database,
        clock: Clock,
        *,
        head: str,
        sweep_interval: int,
        can_count: Callable[[], bool],
        has_space_for_text: Callable[[], bool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._head = head
        self._can_count = can_count
        self._has_space_for_text = has_space_for_text
        self._heartbeat_timeout = heartbeat_timeout(sweep_interval)

    def record_heartbeat(self) -> None:
        """Store that a sweep has finished now. Raises StorageError."""
        now = math.floor(self._clock())

        def store(connection: Connection) -> None:
            if connection.execute(_update_heartbeat, {"now": now}).rowcount == 0:
                connection.execute(_insert_heartbeat, {"now": now})

        self._database.writer.run(store)

    def heartbeat_age(self) -> float | None:
        """Seconds since the last sweep; None before the first. Raises StorageError."""
        heartbeat = self._read(_last_heartbeat)
        return None if heartbeat is None else self._clock() - heartbeat

    def check(self) -> dict[str, bool]:
        """Whether ``database``, ``schema``, ``counts`` and ``sweeper`` work. Never raises."""
        checks = {"database": False, "schema": False, "counts": self._can_count(), "sweeper": False}
        try:
            checks["database"] = self._read(_select_zero) is not None
            checks["schema"] = run_read(self._database, schema_version) == self._head
            heartbeat = self._read(_last_heartbeat)
        except (StorageError, DBAPIError):
            return checks
        # A heartbeat in the future means that the clock was set back: the worker counts as alive.
        checks["sweeper"] = heartbeat is not None and self._clock() - heartbeat <= self._heartbeat_timeout
        return checks

    def database_problem(self) -> str:
        """Why the database cannot be used, in a sentence with its name; empty if it has the right schema."""
        checks = self.check()
        if checks["schema"]:
            return ""
        name = self._database.name
        if not checks["database"]:
            file = self._database.file
            if file and not file.exists():
                return (
                    f"there is no database {name}: {PROGRAM} db upgrade makes a new one,"
                    f" and {PROGRAM} restore brings a lost one back"
                )
            return f"the database {name} cannot be read"
        return f"the database {name} is not set up for this version: {PROGRAM} db upgrade"

    def accepts_writes(self) -> bool:
        """Whether there is space for the longest text; only writes need it. Never raises."""
        try:
            return self._has_space_for_text()
        except (StorageError, DBAPIError, OSError):
            return False

    def _read(self, statement: Select[Any]) -> Any:
        return run_read(self._database, lambda connection: connection.scalar(statement))
