"""Readiness: can this process do its work, and does anybody sweep?"""

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
from saver.ops.schema import schema_version

_nothing = select(literal(0))
_last_beat = select(sweeper.c.beat_at).where(sweeper.c.id == 1)
_note = update(sweeper).where(sweeper.c.id == 1).values(beat_at=bindparam("now"))
_note_first = insert(sweeper).values(id=1, beat_at=bindparam("now"))

_MAX_MISSED_SWEEPS = 6
_MIN_SECONDS = 60


def max_silence(sweep_interval: int) -> int:
    """Return after how many seconds without a sweep the worker counts as hung or gone."""
    return max(_MAX_MISSED_SWEEPS * sweep_interval, _MIN_SECONDS)


class Readiness:
    """Checks the database, its schema, the counts and the sweeper; keeps the sweeper's heartbeat."""

    def __init__(  # noqa: PLR0913 - each is one thing that is asked
        self,
        database: Database,
        clock: Clock,
        *,
        head: str,
        sweep_interval: int,
        can_count: Callable[[], bool],
        has_room: Callable[[], bool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._head = head
        self._can_count = can_count
        self._has_room = has_room
        self._max_silence = max_silence(sweep_interval)

    def beat(self) -> None:
        """Note that a sweep has finished. Raises StorageError."""
        now = math.floor(self._clock())

        def note(connection: Connection) -> None:
            if connection.execute(_note, {"now": now}).rowcount == 0:
                connection.execute(_note_first, {"now": now})

        self._database.writer.run(note)

    def beat_age(self) -> float | None:
        """Seconds since the last sweep; None before the first. Raises StorageError."""
        beat = self._read(_last_beat)
        return None if beat is None else self._clock() - beat

    def check(self) -> dict[str, bool]:
        """Whether ``database``, ``schema``, ``counts`` and ``sweeper`` are well. Never raises."""
        checks = {"database": False, "schema": False, "counts": self._can_count(), "sweeper": False}
        try:
            checks["database"] = self._read(_nothing) is not None
            checks["schema"] = run_read(self._database, schema_version) == self._head
            beat = self._read(_last_beat)
        except (StorageError, DBAPIError):
            return checks
        # A beat from the future: the clock was set back, which is no reason to be away.
        checks["sweeper"] = beat is not None and self._clock() - beat <= self._max_silence
        return checks

    def fault(self) -> str:
        """Why nothing works, in a sentence that names the database; nothing where it has its tables."""
        checks = self.check()
        if checks["schema"]:
            return ""
        name = self._database.name
        if not checks["database"]:
            file = self._database.file
            if file and not file.exists():
                return (
                    f"there is no database {name}: flask --app saver db upgrade makes a new one,"
                    " and flask --app saver restore brings a lost one back"
                )
            return f"the database {name} cannot be read"
        return f"the database {name} is not set up for this version: flask --app saver db upgrade"

    def takes_writes(self) -> bool:
        """Whether there is room for the longest text: without it all else goes on. Never raises."""
        try:
            return self._has_room()
        except (StorageError, DBAPIError, OSError):
            return False

    def _read(self, statement: Select[Any]) -> Any:
        return run_read(self._database, lambda connection: connection.scalar(statement))
