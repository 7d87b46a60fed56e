"""Move a live service from a database that is a file to one that a server keeps.

All that is brought over is one transaction of the target: until it is kept nobody
sees anything of it, and a move that ends before leaves an empty target. Whoever is pointed at the
target meanwhile waits for it. Only at the end the source is frozen, in its own file, so that no
process of the old service can take a text that nobody would find again; it is thawed
if the target did not keep it, and otherwise never.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from saver import database
from saver.database import postgresql
from saver.database.moving import Freeze
from saver.database.writer import StorageError
from saver.ops import files
from saver.ops.bring import Progress, Source, remark
from saver.ops.files import OperationError
from saver.ops.target import migrated, must_be_empty, reason, target_at, told
from saver.store import Audit, Clock
from saver.store.copy import TABLES, MoveError, compare

_GOES_ON = "nothing was moved, and the service goes on with the old database"
_FROZEN = "the old database takes no writes (flask --app saver move --undo lets it)"


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that is done; ``caught_up`` counts the codes that changed meanwhile.

    ``read_only`` is for how many seconds writes were refused until the target had everything;
    ``audit`` and it are None where an earlier run had done it already.
    """

    place: str
    caught_up: int = 0
    read_only: float | None = None
    audit: Audit | None = None


class Mover:
    """Moves the service of one database away. ``migrate`` brings a database to the schema ``head``."""

    def __init__(self, engine: Engine, head: str, migrate: Callable[[Engine], None], clock: Clock) -> None:
        self._engine = engine
        self._source = Source(engine, clock)
        self._head = head
        self._migrate = migrate

    def move(self, address: str, progress: Progress) -> Moved:
        """Move to the database at a URL. Raises OperationError, and StorageError for the source.

        May be run again whatever became of an earlier run.
        """
        with files.alone(self._beside()), target_at(address) as target:
            with told("the target cannot be read:", target), target.connect() as connection:
                place = postgresql.place_of(connection)
                if self._is_done(connection, place):
                    return Moved(place)
            self._check_source()
            migrated(target, self._migrate)
            try:
                return self._move(target, place, progress)
            except (DBAPIError, target.dialect.loaded_dbapi.Error) as error:
                raise OperationError(f"{_GOES_ON}: {reason(error)}") from None
            except MoveError as error:
                raise OperationError(f"{_GOES_ON}: {error}") from None

    def undo(self, address: str | None = None) -> Freeze | None:
        """Let the source take writes again; the move that froze it, if one had.

        With the URL of the target it is refused if anything has changed there since. Raises as ``move``.
        """
        with files.alone(self._beside()):
            found = self._source.frozen_by()
            if address is not None and found:
                self._check_unchanged(address, found)
            self._source.thaw()
        return found

    def _beside(self) -> Path:
        place = database.file_of(self._engine)
        if place is None:
            raise OperationError("this database is kept by a server already")
        if not place.exists():
            raise OperationError(f"there is no database {place}")
        return place.with_name(f"{place.name}-move")

    def _check_source(self) -> None:
        with self._source.snapshot() as source:
            version = source.scalar(text("SELECT version_num FROM alembic_version"))
            if version != self._head:
                raise OperationError(
                    f"the old database has schema {version}, this saver needs {self._head}: upgrade first"
                )
        if twice := self._source.audit().both:
            raise OperationError(f"{twice:,} codes are in two places: see flask --app saver pool audit")

    def _is_done(self, target: Connection, place: str) -> bool:
        """Whether an earlier run did it; thaws the source where it surely did not."""
        found = self._source.frozen_by()
        if found is None:
            return False
        if found.target != place:
            raise OperationError(f"{_FROZEN}: a move to {found.target} has begun or is done")
        done = postgresql.mark_of(target, TABLES[-1]) == remark(found)
        if found.done and not done:
            raise OperationError(f"{_FROZEN}: it was moved to {place}, where it is no more")
        if done:
            self._source.finish()
        else:
            self._source.thaw()
        return done

    def _move(self, target: Engine, place: str, progress: Progress) -> Moved:
        with target.connect().execution_options(**database.WRITE) as connection:
            transaction = connection.begin()
            try:
                with told(f"{place} is in use by another move or a service:", target):
                    postgresql.take(connection, TABLES)
                database.disable_timeouts(connection)
                must_be_empty(connection)
                brought = self._source.bring(connection, place, progress)
            except BaseException:
                # Only what is rolled back is known not to be there.
                with suppress(DBAPIError):
                    transaction.rollback()
                self._thaw()
                raise
            try:
                transaction.commit()
            except BaseException as error:
                raise OperationError(
                    f"nobody knows whether {place} kept it ({type(error).__name__}). {_FROZEN}:"
                    " run the same command again, which finds out"
                ) from None
        read_only = time.monotonic() - brought.frozen_at
        progress.reached("kept")
        self._source.finish()
        return Moved(place, brought.codes, read_only, self._source.audit())

    def _thaw(self) -> None:
        try:
            self._source.thaw()
        except StorageError:
            raise OperationError(
                "the move failed, and the old database cannot be written to now: when it can, see that it"
                " takes writes by flask --app saver move --undo"
            ) from None

    def _check_unchanged(self, address: str, found: Freeze) -> None:
        with target_at(address) as target, target.connect() as there:
            if postgresql.place_of(there) != found.target:
                raise OperationError(f"it was moved to {found.target}")
            if postgresql.mark_of(there, TABLES[-1]) != remark(found):
                # It never got there, or is gone.
                return
            try:
                with told("the target cannot be read:", target), self._source.snapshot() as source:
                    compare(source, there)
            except MoveError:
                raise OperationError(
                    f"{found.target} has been written to since: what came there would be lost, and"
                    " its codes could be leased twice"
                ) from None
