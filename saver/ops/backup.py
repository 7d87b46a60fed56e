"""Back up while the service goes on."""

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
from saver.store import Audit, TextStore, count

_NAME = "saver-%Y%m%dT%H%M%SZ"
_NAMED = re.compile(r"saver-\d{8}T\d{6}Z\.(db|dump)")
_PARTIAL = ".saver-*.partial"


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup that is there: its size in bytes, where the codes are in it, how many old ones went."""

    path: Path
    size: int
    audit: Audit
    dropped: int


class Backups:
    """Makes backups of one database."""

    def __init__(self, database: Database, store: TextStore, clock: Clock, environment: Environment) -> None:
        """``environment`` is that of the programs which a server's database needs."""
        self._database = database
        self._engine = database.engine
        self._store = store
        self._clock = clock
        self._environment = environment

    def make(self, folder: Path, keep: int) -> BackupResult:
        """Make a backup in ``folder`` and keep the newest ``keep`` there.

        It gets its name when it is whole, checked and on the disk. Raises OperationError and StorageError.
        """
        if not folder.is_dir():
            raise OperationError(f"there is no folder {folder}")
        now = datetime.fromtimestamp(math.floor(self._clock()), UTC)
        kind = ".db" if self._database.file else ".dump"
        target = folder / (now.strftime(_NAME) + kind)
        partial = folder / f".saver-{secrets.token_hex(8)}.partial"
        try:
            made = self._make(partial, target)
            return BackupResult(target, target.stat().st_size, made, _drop_old(folder, keep))
        except FileExistsError:
            raise OperationError(f"{target} is there already") from None
        except OSError as error:
            raise OperationError(f"{folder} cannot be written to: {error.strerror}") from None

    def _make(self, partial: Path, target: Path) -> Audit:
        lock = files.make_private(partial)
        try:
            audit = self._copied(partial) if self._database.file else self._dump(partial)
            os.fsync(lock)
            # Not renamed: that would replace another backup of the same second.
            target.hardlink_to(partial)
        finally:
            partial.unlink()
            os.close(lock)
        files.sync(target.parent)
        return audit

    def _dump(self, partial: Path) -> Audit:
        """The same on a server; what is counted is what is in the file, for both see one snapshot."""
        try:
            with self._engine.connect() as connection, connection.begin():
                self._database.disable_timeouts(connection)
                audit = _counted(connection, math.floor(self._clock()), "the database")
                dump(connection, partial, self._environment)
        except DumpError as error:
            raise OperationError(str(error)) from None
        except DBAPIError as error:
            raise OperationError(f"the database cannot be read ({type(error).__name__})") from None
        return audit

    def _copied(self, partial: Path) -> Audit:
        self._begin_line()
        before = _total(self._store.audit())
        self._copy(partial)
        audit = verified(partial, math.floor(self._clock()))
        # A fill may be under way; nothing else changes how many there are.
        if not before <= _total(audit) <= _total(self._store.audit()):
            raise OperationError("the copy does not have every code; nothing was kept")
        return audit

    def _begin_line(self) -> None:
        """See that the database has the number by which a restore knows it as the one this is a backup of."""
        with self._engine.connect().execution_options(**ONE_READ) as connection:
            has_one = sqlite_files.get_lineage_id(connection)
        try:
            if not has_one:
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


def verified(path: Path, now: int) -> Audit:
    """Where the codes are in a file, as of ``now`` in UTC seconds. Raises OperationError if not sound."""
    engine = sqlite_files.open_read_only(path)
    try:
        with engine.connect() as connection:
            return sound(connection, now, path.name)
    except DBAPIError as error:
        raise OperationError(f"{path.name} is no whole database of saver: {error.orig}") from None
    finally:
        engine.dispose()


def sound(connection: Connection, now: int, name: str) -> Audit:
    """Where the codes are in a database, as of ``now``. Raises OperationError if it breaks a rule."""
    if faults := database_for(connection.engine).integrity_errors(connection):
        raise OperationError(f"{name} is damaged: {faults[0]}")
    return _counted(connection, now, name)


def _counted(connection: Connection, now: int, name: str) -> Audit:
    audit = count(connection, now)
    if audit.both:
        raise OperationError(f"{name} has {audit.both:,} codes in two places")
    return audit


def _total(audit: Audit) -> int:
    return audit.wanted - audit.missing


def _drop_old(folder: Path, keep: int) -> int:
    backups = sorted(path for path in folder.iterdir() if _NAMED.fullmatch(path.name))
    too_old = backups[: max(0, len(backups) - keep)]
    # Of backups that were killed, too: what a crash leaves must not fill the disk.
    abandoned = [path for path in folder.glob(_PARTIAL) if files.is_abandoned(path)]
    for path in [*too_old, *abandoned]:
        path.unlink(missing_ok=True)
    return len(too_old)
