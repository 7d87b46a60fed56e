"""What a failed transaction means to its caller."""

from __future__ import annotations

from enum import Enum

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# The names that PEP 249 has for failures of the database itself.
_DATABASE_ERRORS = {"OperationalError", "InternalError", "InterfaceError"}


class ErrorKind(Enum):
    """How a correct statement can fail."""

    UNAVAILABLE = "the database is unreachable, locked, full, read-only, or not migrated"
    CONFLICT = "another transaction interfered, or the connection was lost before anything was done"


class StorageError(Exception):
    """The database cannot do this now: unreachable, locked, or full.

    ``disk_full`` says that a full disk may be the reason.
    """

    disk_full = False


class NotReplicatedError(StorageError):
    """The transaction is committed on one server only and may be lost with it: not to be acknowledged."""


class ConflictError(StorageError):
    """Another transaction interfered; the same work may succeed if it is tried again."""


def cause_of(error: BaseException) -> BaseException:
    """Return the driver's error that SQLAlchemy wrapped, or the error itself."""
    return getattr(error, "orig", None) or error


def is_unavailable(error: Exception) -> bool:
    """Return whether PEP 249 or SQLAlchemy's pool says that the database failed, and no statement."""
    names = {kind.__name__ for current in (error, cause_of(error)) for kind in type(current).__mro__}
    return isinstance(error, PoolTimeoutError) or bool(names & _DATABASE_ERRORS)
