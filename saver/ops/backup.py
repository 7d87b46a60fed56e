"""Back up the database while the service runs."""

from __future__ import annotations

import math
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from saver.clock import Clock
from saver.database import ONE_READ, Database, StorageError, database_for, sqlite_files
from saver.database.dump import DumpError, Environment, dump
from saver.ops import files
from saver.ops.files import OperationError
from saver.ops.last_backup import LastBackup
from saver.store import Audit, TextStore, count

_NAME_FORMAT = "saver-%Y%m%dT%H%M%SZ"
_NAME_PATTERN = re.compile(r"saver-\d{8}T\d{6}Z\.(db|dump)")
_PARTIAL_GLOB = ".saver-*.partial"


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A finished backup: its size in bytes, where its codes are, how many old backups were deleted."""

    path: Path
    size: int
    audit: Audit
    dropped: int


class Backups:
    """Makes backups of one database."""

    def __init__(
        self,
        database: Database,
        store: TextStore,
        clock: Clock,
        environment: Environment,
        last_backup: LastBackup,
    ) -> None:
        """``environment`` makes the environment of pg_dump and pg_restore."""
        self._database = database
        self._engine = database.engine
        self._store = store
        self._clock = clock
        self._environment = environment
        self._last_backup = last_backup

    def age(self) -> float | None:
        """Seconds since the last backup of this data directory; None if there was none."""
        return self._last_backup.age()

    def make(self, folder: Path, keep: int) -> BackupResult:
        """Make a backup in ``folder`` and keep the newest ``keep`` there.

        The file gets its name when it is complete, checked and on the disk. Raises OperationError and
        StorageError.
        """
        if not folder.is_dir():
            raise OperationError(f"there is no folder {folder}")
        now = datetime.fromtimestamp(math.floor(self._clock()), UTC)
        suffix = ".db" if self._database.file else ".dump"
        target = folder / (now.strftime(_NAME_FORMAT) + suffix)
        partial = folder / f".saver-{secrets.token_hex(8)}.partial"
        try:
            audit = self._make(partial, target)
            self._last_backup.record()
            return BackupResult(target, target.stat().st_size, audit, _delete_old(folder, keep))
        except FileExistsError:
            raise OperationError(f"{target} is there already") from None
        except OSError as error:
            raise OperationError(f"{folder} cannot be written to: {error.strerror}") from None

    def _make(self, partial: Path, target: Path) -> Audit:
        lock = files.create_private(partial)
        try:
            audit = self._copy_and_verify(partial) if self._database.file else self._dump(partial)
            os.fsync(lock)
            # Not renamed: that would replace another backup of the same second.
            target.hardlink_to(partial)
        finally:
            partial.unlink()
            os.close(lock)
        files.sync(target.parent)
        return audit

    def _dump(self, partial: Path) -> Audit:
        """Dump a server's database. The audit and the dump see the same snapshot."""
        try:
            with self._engine.connect() as connection, connection.begin():
                self._database.disable_timeouts(connection)
                audit = _count_codes(connection, math.floor(self._clock()), "the database")
                dump(connection, partial, self._environment)
        except DumpError as error:
            raise OperationError(f"nothing was kept: {error}") from None
        except DBAPIError as error:
            raise OperationError(f"the database cannot be read ({type(error).__name__})") from None
        return audit

    def _copy_and_verify(self, partial: Path) -> Audit:
        self._ensure_lineage_id()
        before = self._store.audit().total
        self._copy(partial)
        audit = verify_file(partial, math.floor(self._clock()))
        # Only a fill that runs at the same time changes how many codes there are.
        if not before <= audit.total <= self._store.audit().total:
            raise OperationError("the copy does not have every code; nothing was kept")
        return audit

    def _ensure_lineage_id(self) -> None:
        """Give the database its lineage id, by which a restore recognizes its backups."""
        with self._engine.connect().execution_options(**ONE_READ) as connection:
            has_lineage_id = sqlite_files.get_lineage_id(connection)
        try:
            if not has_lineage_id:
                self._database.writer.run(sqlite_files.ensure_lineage_id)
        except StorageError:
            raise OperationError(
                "the database cannot be written to: is its disk full, or somebody else at it?"
            ) from None

    def _copy(self, partial: Path) -> None:
        try:
            sqlite_files.copy_whole(self._engine, partial)
        except DBAPIError as error:
            raise OperationError(f"the copy could not be written: {error.orig}") from None


def verify_file(path: Path, now: int) -> Audit:
    """Return where the codes of a file are, as of ``now`` (UTC seconds). Raises OperationError if damaged."""
    engine = sqlite_files.open_read_only(path)
    try:
        with engine.connect() as connection:
            return verify(connection, now, path.name)
    except DBAPIError as error:
        raise OperationError(f"{path.name} is no whole database of saver: {error.orig}") from None
    finally:
        engine.dispose()


def verify(connection: Connection, now: int, name: str) -> Audit:
    """Return where the codes are in a database, as of ``now``. Raises OperationError if it is damaged."""
    if errors := database_for(connection.engine).integrity_errors(connection):
        raise OperationError(f"{name} is damaged: {errors[0]}")
    return _count_codes(connection, now, name)


def _count_codes(connection: Connection, now: int, name: str) -> Audit:
    audit = count(connection, now)
    if audit.duplicated:
        raise OperationError(f"{name} has {audit.duplicated:,} codes in two places")
    return audit


def _delete_old(folder: Path, keep: int) -> int:
    backups = sorted(path for path in folder.iterdir() if _NAME_PATTERN.fullmatch(path.name))
    too_old = backups[: max(0, len(backups) - keep)]
    # Also the partial files of backups that were killed, or they would fill the disk.
    abandoned = [path for path in folder.glob(_PARTIAL_GLOB) if files.is_abandoned(path)]
    for path in [*too_old, *abandoned]:
        path.unlink(missing_ok=True)
    return len(too_old)
