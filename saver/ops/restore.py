"""Replace the database of a stopped service by a backup.

The replaced database is renamed, never deleted. ``saver.store.after_restore`` updates the
codes and texts of the backup with what has happened since it was made.
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
from saver.ops.backup import verify
from saver.ops.files import OperationError
from saver.ops.restore_policy import RestorePolicy
from saver.ops.schema import require_schema
from saver.store import Audit, count, count_by_key, merge_from_old, quarantine_all

_TIMESTAMP_FORMAT = "%Y%m%dT%H%M%SZ"
# In seconds; longer than the busy_timeout with which others wait for the lock of the old file.
_MAX_WAIT = 10.0
_IN_USE = (
    "the database is in use{by}: stop whatever serves it, and the worker, first"
    " (systemctl stop saver-web.socket saver-web saver-worker, or apache2)"
)
_OLD_UNUSABLE = (
    "the database that is to be replaced is {state}, so nobody can tell which codes were leased since"
    " the backup. With --lost it is restored all the same: then no code is leased for the next"
    " {seconds:,} seconds, and texts that were deleted since are there again (docs/operating.md)"
)


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What was done. ``old_database`` is where the replaced database is now, if there was one.

    ``merged`` counts the leases since the backup; ``quarantined_until`` (UTC seconds) is when
    codes are leased again, if all of them cool down; ``unreadable`` counts the live texts whose key is
    unknown.
    """

    audit: Audit
    old_database: Path | None
    merged: int
    quarantined_until: int | None
    unreadable: int


class Restorer:
    """Replaces one database by its backups."""

    def __init__(self, database: Database, file: Path, policy: RestorePolicy, clock: Clock) -> None:
        """``file`` is the one of the database."""
        self._database = database
        self._file = file
        self._policy = policy
        self._clock = clock

    def restore(self, backup: Path, *, lost: bool = False, quarantine: int | None = None) -> RestoreResult:
        """Replace the database by a copy of ``backup``.

        ``lost``: the database so far is missing or damaged. Then no code is leased for ``quarantine``
        seconds, by default those of the policy. Raises OperationError; the database is then unchanged.
        """
        path = self._file
        self._check(backup, path)
        if path.parent.stat().st_uid != os.geteuid():
            raise OperationError(f"{path.parent} belongs to another user: restore as that user")
        self._database.engine.dispose()
        working_copy = path.with_name(f"{path.name}.restoring")
        try:
            with _working_copy(backup, working_copy):
                return (
                    self._restore_without_old(path, working_copy, quarantine)
                    if lost
                    else self._restore_with_old(path, working_copy)
                )
        except OSError as error:
            raise OperationError(f"{path.parent} cannot be written to: {error.strerror}") from None

    def _check(self, backup: Path, path: Path) -> None:
        """Raise OperationError unless the file is an intact backup with this version's schema."""
        if not backup.is_file():
            raise OperationError(f"there is no file {backup}")
        if path.exists() and backup.samefile(path):
            raise OperationError(f"{backup} is the database itself")
        wal = backup.with_name(f"{backup.name}-wal")
        if wal.exists() and wal.stat().st_size:
            raise OperationError(f"{wal.name} lies beside it: that is a database in use, not a backup")
        engine = sqlite_files.open_read_only(backup)
        try:
            with engine.connect() as connection:
                advice = "restore it with the saver that made it, then upgrade"
                require_schema(connection, self._policy.head, backup.name, advice)
                verify(connection, self._now(), backup.name)
        except DBAPIError as error:
            raise OperationError(f"{backup.name} is no whole database of saver: {error.orig}") from None
        finally:
            engine.dispose()

    def _restore_with_old(self, path: Path, working_copy: Path) -> RestoreResult:
        if not path.exists() or not path.stat().st_size:
            raise OperationError(self._old_unusable("not there"))
        try:
            return self._merge_and_swap(path, working_copy, self._now())
        except DBAPIError:
            raise OperationError(self._old_unusable("not whole")) from None

    def _merge_and_swap(self, path: Path, working_copy: Path, now: int) -> RestoreResult:
        with _open_both(working_copy, path) as connection:
            with connection.begin():
                if state := _unusable_reason(connection):
                    raise OperationError(self._old_unusable(state))
                merged = merge_from_old(self._database, connection, now)
                audit = count(connection, now)
                unreadable = self._count_unreadable(connection, now)
            sqlite_files.merge_log_into_file(connection)
            old = self._swap(path, working_copy)
            # A process that opened the old file before it was renamed must find it locked until its wait
            # ends: otherwise it would write to a database that is no longer used.
            _wait_until_unused(old)
        return RestoreResult(audit, old, merged, None, unreadable)

    def _restore_without_old(self, path: Path, working_copy: Path, quarantine: int | None) -> RestoreResult:
        if self._is_old_usable(path, working_copy):
            raise OperationError(
                f"{path.name} is whole: without --lost the leases since the backup are taken over from it"
            )
        if pids := files.processes_using(path):
            raise OperationError(_IN_USE.format(by=_by_process(pids)))
        now = self._now()
        until = now + (self._policy.quarantine if quarantine is None else quarantine)
        engine = sqlite_files.open_for_replace(working_copy, None)
        with engine.connect().execution_options(**REPLACE) as connection, connection.begin():
            quarantine_all(self._database, connection, now, until, self._policy.cool_down)
            audit = count(connection, now)
            unreadable = self._count_unreadable(connection, now)
        engine.dispose()
        return RestoreResult(audit, self._swap(path, working_copy), 0, until, unreadable)

    def _is_old_usable(self, path: Path, working_copy: Path) -> bool:
        """Whether the old database has the leases since the backup."""
        if not path.exists() or not path.stat().st_size:
            return False
        try:
            with _open_both(working_copy, path) as connection, connection.begin():
                return not _unusable_reason(connection)
        except DBAPIError:
            return False

    def _swap(self, path: Path, working_copy: Path) -> Path | None:
        """Rename the old database, give its name to the new one, and return where the old one is."""
        stamp = datetime.fromtimestamp(self._now(), UTC).strftime(_TIMESTAMP_FORMAT)
        old = path.with_name(f"{path.name}.replaced-{stamp}")
        if old.exists():
            raise OperationError(f"{old.name} is there already")
        files.sync(working_copy)
        # A log next to a database that it does not belong to damages that database.
        for ending in sqlite_files.SUFFIXES:
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(old.with_name(old.name + ending))
        with suppress(FileNotFoundError):
            old.hardlink_to(path)
        # Atomic: there is a database at every moment.
        working_copy.replace(path)
        files.sync(path.parent)
        return old if old.exists() else None

    def _count_unreadable(self, connection: Connection, now: int) -> int:
        return count_by_key(connection, now, self._policy.key_ids).unknown

    def _old_unusable(self, state: str) -> str:
        return _OLD_UNUSABLE.format(state=state, seconds=self._policy.quarantine)

    def _now(self) -> int:
        return math.floor(self._clock())


@contextmanager
def _working_copy(backup: Path, working_copy: Path) -> Iterator[None]:
    """A copy of the backup, which is deleted at the end unless it became the database."""
    if working_copy.exists() and not files.is_abandoned(working_copy):
        raise OperationError("another restore is under way")
    for ending in ("", *sqlite_files.SUFFIXES):
        working_copy.with_name(working_copy.name + ending).unlink(missing_ok=True)
    lock = files.create_private(working_copy)
    try:
        files.copy(backup, working_copy)
        yield
    finally:
        for ending in ("", *sqlite_files.SUFFIXES):
            working_copy.with_name(working_copy.name + ending).unlink(missing_ok=True)
        os.close(lock)


@contextmanager
def _open_both(working_copy: Path, path: Path) -> Iterator[Connection]:
    """A connection that has locked both databases. Raises OperationError and DBAPIError."""
    engine = sqlite_files.open_for_replace(working_copy, path)
    try:
        with engine.connect().execution_options(**REPLACE) as connection:
            try:
                with connection.begin():
                    # This read takes the lock of the old database, which is held to the end.
                    sqlite_files.get_lineage_id(connection, sqlite_files.OLD)
            except DBAPIError as error:
                if sqlite_files.is_locked(error):
                    raise OperationError(
                        _IN_USE.format(by=_by_process(files.processes_using(path)))
                    ) from None
                raise
            yield connection
    finally:
        engine.dispose()


def _by_process(pids: set[int]) -> str:
    return f" by process {min(pids)}" if pids else ""


def _unusable_reason(connection: Connection) -> str:
    """Why the old database does not have the leases since the backup; empty if it has them."""
    if sqlite_files.integrity_errors(connection, sqlite_files.OLD):
        return "not whole"
    lineage_id = sqlite_files.get_lineage_id(connection, sqlite_files.OLD)
    if lineage_id and lineage_id == sqlite_files.get_lineage_id(connection):
        return ""
    return "not the one that the backup was made of"


def _wait_until_unused(old: Path | None) -> None:
    deadline = time.monotonic() + _MAX_WAIT
    while old and files.processes_using(old) and time.monotonic() < deadline:
        time.sleep(0.05)
