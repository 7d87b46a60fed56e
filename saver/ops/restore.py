"""Put a backup in the place of the database, while nobody uses it.

The database that is replaced is kept under another name, never deleted. What
the codes and texts of the backup must learn of the time since is in ``saver.store.after_restore``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from saver.clock import Clock
from saver.database import Database, sqlite_files
from saver.database.sqlite_connections import REPLACE
from saver.ops import files
from saver.ops.backup import sound
from saver.ops.files import OperationError
from saver.ops.schema import require_schema
from saver.store import Audit, count, merge_from_old, quarantine_all

_ASIDE = "%Y%m%dT%H%M%SZ"
# Longer than anybody waits for the lock of the old file (busy_timeout).
_PATIENCE = 10.0
_IN_USE = (
    "the database is in use{by}: stop whatever serves it, and the worker, first"
    " (systemctl stop saver-web.socket saver-web saver-worker, or apache2)"
)
_LOST = (
    "the database that is to be replaced is {how}, so nobody can tell which codes were leased since"
    " the backup. With --lost it is restored all the same: then no code is leased for the next"
    " {seconds:,} seconds, and texts that were deleted since are there again (docs/operating.md)"
)


@dataclass(frozen=True, slots=True)
class RestorePolicy:
    """``head`` is the schema's version; ``rest`` and ``longest_life`` of a text are in seconds."""

    head: str
    rest: int
    longest_life: int


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What was done. ``kept`` is where the old database is now, if there was one.

    ``taken_over`` counts the leases since the backup; ``free_from`` (UTC seconds) is when
    codes are leased again if they all rest.
    """

    audit: Audit
    kept: Path | None
    taken_over: int
    free_from: int | None


class Restorer:
    """Restores backups to the place of one database."""

    def __init__(self, database: Database, rules: RestorePolicy, clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock

    def restore(self, backup: Path, *, lost: bool = False, codes_rest: int | None = None) -> RestoreResult:
        """Put ``backup``, of which a copy is used, in the place of the database.

        ``lost`` says that the database in use so far is not there or not whole; ``codes_rest`` is
        then for how many seconds no code is leased, by default as long as any text could have
        lived and its code rested. Raises OperationError, and then the database is as it was.
        """
        place = self._database.file
        if place is None:
            raise OperationError(
                "this database is kept by a server: use the server's own tool, such as pg_restore,"
                " and then flask --app saver restore-finish"
            )
        self._check(backup, place)
        if place.parent.stat().st_uid != os.geteuid():
            raise OperationError(f"{place.parent} belongs to another user: restore as that user")
        self._database.engine.dispose()
        work = place.with_name(f"{place.name}.restoring")
        try:
            with _working_copy(backup, work):
                return self._without_old(place, work, codes_rest) if lost else self._with_old(place, work)
        except OSError as error:
            raise OperationError(f"{place.parent} cannot be written to: {error.strerror}") from None

    def _check(self, backup: Path, place: Path) -> None:
        """Refuse what is not a whole backup of this version."""
        if not backup.is_file():
            raise OperationError(f"there is no file {backup}")
        if place.exists() and backup.samefile(place):
            raise OperationError(f"{backup} is the database itself")
        beside = backup.with_name(f"{backup.name}-wal")
        if beside.exists() and beside.stat().st_size:
            raise OperationError(f"{beside.name} lies beside it: that is a database in use, not a backup")
        engine = sqlite_files.open_read_only(backup)
        try:
            with engine.connect() as connection:
                advice = "restore it with the saver that made it, then upgrade"
                require_schema(connection, self._rules.head, backup.name, advice)
                sound(connection, self._now(), backup.name)
        except DBAPIError as error:
            raise OperationError(f"{backup.name} is no whole database of saver: {error.orig}") from None
        finally:
            engine.dispose()

    def _with_old(self, place: Path, work: Path) -> RestoreResult:
        if not place.exists() or not place.stat().st_size:
            raise OperationError(self._told_lost("not there"))
        try:
            return self._merged(place, work, self._now())
        except DBAPIError:
            raise OperationError(self._told_lost("not whole")) from None

    def _merged(self, place: Path, work: Path, now: int) -> RestoreResult:
        with _both(work, place) as connection:
            with connection.begin():
                if how := _unfit(connection):
                    raise OperationError(self._told_lost(how))
                taken = merge_from_old(self._database, connection, now)
                audit = count(connection, now)
            sqlite_files.merge_log_into_file(connection)
            kept = self._swap(place, work)
            # Whoever opened the old file before it was moved must find it locked until
            # they give up: they would go on writing where nobody looks.
            _wait_until_unused(kept)
        return RestoreResult(audit, kept, taken, None)

    def _without_old(self, place: Path, work: Path, codes_rest: int | None) -> RestoreResult:
        if self._is_fit(place, work):
            raise OperationError(
                f"{place.name} is whole: without --lost the leases since the backup are taken over from it"
            )
        if users := files.users_of(place):
            raise OperationError(_IN_USE.format(by=_by(users)))
        now = self._now()
        until = now + (self._longest() if codes_rest is None else codes_rest)
        engine = sqlite_files.open_for_replace(work, None)
        with engine.connect().execution_options(**REPLACE) as connection, connection.begin():
            quarantine_all(self._database, connection, now, until, self._rules.rest)
            audit = count(connection, now)
        engine.dispose()
        return RestoreResult(audit, self._swap(place, work), 0, until)

    def _is_fit(self, place: Path, work: Path) -> bool:
        """Whether the leases since the backup can be learnt from the old database."""
        if not place.exists() or not place.stat().st_size:
            return False
        try:
            with _both(work, place) as connection, connection.begin():
                return not _unfit(connection)
        except DBAPIError:
            return False

    def _swap(self, place: Path, work: Path) -> Path | None:
        """Give the old database another name and the new one its own; the old one's new name."""
        stamp = datetime.fromtimestamp(self._now(), UTC).strftime(_ASIDE)
        kept = place.with_name(f"{place.name}.replaced-{stamp}")
        if kept.exists():
            raise OperationError(f"{kept.name} is there already")
        files.sync(work)
        # A log that lies beside another database than its own damages it.
        for ending in sqlite_files.SUFFIXES:
            with suppress(FileNotFoundError):
                place.with_name(place.name + ending).rename(kept.with_name(kept.name + ending))
        with suppress(FileNotFoundError):
            kept.hardlink_to(place)
        # In one step, so that there is no moment without a database.
        work.replace(place)
        files.sync(place.parent)
        return kept if kept.exists() else None

    def _told_lost(self, how: str) -> str:
        return _LOST.format(how=how, seconds=self._longest())

    def _longest(self) -> int:
        return self._rules.longest_life + self._rules.rest

    def _now(self) -> int:
        return math.floor(self._clock())


@contextmanager
def _working_copy(backup: Path, work: Path) -> Iterator[None]:
    """A copy of the backup to work on; it is gone at the end unless it became the database."""
    if work.exists() and not files.is_abandoned(work):
        raise OperationError("another restore is under way")
    for ending in ("", *sqlite_files.SUFFIXES):
        work.with_name(work.name + ending).unlink(missing_ok=True)
    lock = files.make_private(work)
    try:
        files.copy(backup, work)
        yield
    finally:
        for ending in ("", *sqlite_files.SUFFIXES):
            work.with_name(work.name + ending).unlink(missing_ok=True)
        os.close(lock)


@contextmanager
def _both(work: Path, place: Path) -> Iterator[Connection]:
    """A connection that has both locked, so that nothing changes under it. Raises also DBAPIError."""
    engine = sqlite_files.open_for_replace(work, place)
    try:
        with engine.connect().execution_options(**REPLACE) as connection:
            try:
                with connection.begin():
                    # Read: the lock of the old one goes on from here to the end.
                    sqlite_files.get_lineage_id(connection, sqlite_files.OLD)
            except DBAPIError as error:
                if sqlite_files.is_locked(error):
                    raise OperationError(_IN_USE.format(by=_by(files.users_of(place)))) from None
                raise
            yield connection
    finally:
        engine.dispose()


def _by(users: set[int]) -> str:
    return f" by process {min(users)}" if users else ""


def _unfit(connection: Connection) -> str:
    """Why the leases since the backup cannot be learnt from the old database; empty if they can."""
    if sqlite_files.integrity_errors(connection, sqlite_files.OLD):
        return "not whole"
    line = sqlite_files.get_lineage_id(connection, sqlite_files.OLD)
    return (
        ""
        if line and line == sqlite_files.get_lineage_id(connection)
        else "not the one that the backup was made of"
    )


def _wait_until_unused(kept: Path | None) -> None:
    deadline = time.monotonic() + _PATIENCE
    while kept and files.users_of(kept) and time.monotonic() < deadline:
        time.sleep(0.05)
