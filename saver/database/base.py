"""The interface of a database: everything in which SQLite and PostgreSQL differ.

One object is made for each engine (``database_for``) and given to everything that works with the database.
"""

# A method without a body is one that only one of the databases needs.
# ruff: noqa: B027

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, Table

from saver.database.errors import ConflictError, ErrorKind, StorageError, cause_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from saver.database.writer import Writer

T = TypeVar("T")

# Execution options that say how a transaction begins. Without one it is a read-only snapshot.
WRITE = {"saver_begin": "write"}
ONE_READ = {"saver_begin": "no transaction"}
# A migration may rewrite a table, but must not wait for long while it holds locks.
NO_STATEMENT_TIMEOUT = {"saver_no_statement_timeout": True}


class BatchPolicy(NamedTuple):
    """How work on many rows is divided, so that concurrent writers are not delayed.

    A batch has at most ``max_rows``. After a batch that took longer than ``batch_seconds`` the next
    one is smaller; after each the job pauses for the time that it took, times ``pause_factor``.
    """

    batch_seconds: float
    max_rows: int
    pause_factor: float


class ProbePlan(NamedTuple):
    """How a free code is found: each statement tries so many random codes, then the free ones are counted.

    With fewer than ``low`` free codes counting them costs less than what comes before it.
    """

    tries: tuple[int, ...]
    low: int


class IncompatibleDatabaseError(Exception):
    """The database cannot be used; the message says why."""


class Database(ABC):
    """One database. Methods with a connection work within its transaction."""

    engine: Engine
    # Shared by all threads of a process.
    writer: Writer
    # The database's file; None for a database server.
    file: Path | None
    batch_policy: BatchPolicy
    probe_plan: ProbePlan
    # Several transactions write at the same time, and a statement can skip rows that another one has locked.
    has_concurrent_writers: bool

    @property
    @abstractmethod
    def name(self) -> str:
        """The database's name for people, without a password."""

    @abstractmethod
    def prepare(self) -> None:
        """Set up every connection that the engine will open. Called once for each engine."""

    def create_file(self) -> None:
        """Create the database's file unless it exists. Raises OSError."""

    def refuse_incompatible(self) -> None:
        """Raise IncompatibleDatabaseError if the database cannot store every text."""

    # Transactions.

    def write_lock(self) -> AbstractContextManager[None]:
        """Hold the lock that lets processes write in turn. Raises OSError."""
        return nullcontext()

    def lock(self, connection: Connection, kind: str, *names: str | bytes) -> None:
        """Wait for the locks with these names; they are held until the transaction ends."""

    def advisory_lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a lock over several transactions."""
        return nullcontext()

    def disable_timeouts(self, connection: Connection) -> None:
        """Let the statements of this transaction take any time: an operator waits for them."""

    def with_deadline(self, driver_connection: Any) -> AbstractContextManager[None]:
        """Close a connection whose server does not answer in time, so that the work ends with an error."""
        return nullcontext()

    def with_commit_deadline(self, connection: Connection) -> AbstractContextManager[None]:
        """Cancel a commit that waits too long for its standby, unless timeouts are disabled."""
        return nullcontext()

    def is_not_replicated(self, connection: Connection) -> bool:
        """Return whether the last commit has not reached its standby."""
        return False

    @abstractmethod
    def fetch_one(self, sql: str, values: Any) -> tuple[Any, ...] | None:
        """Run a SELECT outside of a transaction: its first row, or None. Raises what ``error_kind`` knows."""

    @abstractmethod
    def run_durable_read(self, work: Callable[[Connection], T]) -> T:
        """Run one SELECT whose rows are on every machine that a commit waits for. Raises StorageError."""

    def copy_rows(self, connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> bool:
        """Insert complete rows faster than by statements; False if the database has no such way."""
        return False

    # Failures.

    @abstractmethod
    def error_kind(self, error: Exception) -> ErrorKind | None:
        """Classify an error of SQLAlchemy or the driver; None if the statement is wrong."""

    def storage_error(self, error: Exception) -> StorageError | None:
        """Translate an error for callers; None if the statement is wrong."""
        if isinstance(error, StorageError):
            return error
        kind = self.error_kind(error)
        if kind is None:
            return None
        error_class = ConflictError if kind is ErrorKind.CONFLICT else StorageError
        storage_error = error_class(type(cause_of(error)).__name__)
        storage_error.disk_full = self.is_disk_full(error)
        return storage_error

    def is_disk_full(self, error: Exception) -> bool:
        """Return whether a full disk may have caused an error."""
        return False

    def is_lost(self, connection: Connection) -> bool:
        """Return whether a connection is to be replaced by a new one."""
        return False

    def is_stale(self, error: Exception) -> bool:
        """Return whether a prepared statement no longer fits the tables; then nothing was done."""
        return False

    # Maintenance.

    def release_reserve(self) -> bool:
        """Give up a part of the file that reserves space on a full disk; whether there was any."""
        return False

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the database as far as nobody has to wait. Raises DBAPIError."""

    def shrink_log(self) -> None:
        """Truncate the write-ahead log as far as it is not being read. Raises DBAPIError."""

    def count_other_clients(self, connection: Connection) -> int:
        """Return how many other connections a database server has."""
        return 0

    @abstractmethod
    def integrity_errors(self, connection: Connection) -> list[str]:
        """Return what the database finds wrong with itself; reads a file completely."""

    def is_read_only(self, connection: Connection) -> bool:
        """Return whether it refuses writes because it was copied to a server."""
        return False

    def open_cursor(self, connection: Connection) -> Any:
        """Open a cursor of the driver that does not load all rows into memory."""
        return connection.connection.cursor()
