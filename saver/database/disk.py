"""Free space on the disk of an SQLite database, and the reserve of it.

Wiping a text needs space too, because SQLite writes changed pages to its log first. So new texts are refused
while there is still enough space for everything else. A part of that reserve is a file next to the
database. It is deleted in pieces when something other than texts has filled the disk: wiping can
then continue, and frees the space to create the file again.

The disk of a database server is not checked: it counts as having space.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

# The part of the reserve that is a file, in bytes and as a share of it.
_FILE_BYTES = 16 << 20
_FILE_SHARE = 4
# Released at a time: little, because the program that fills the disk may take it.
_PIECE = 1 << 20
# A text is in the log and in the database, and wiping it needs as much again.
_SPACE_FACTOR = 3
# With this much more than the reserve, free pages and the log need not be read.
_MARGIN = 512 << 20
_FULL_DISK_ERRORS = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")


class Reserve(NamedTuple):
    """How much of a disk stays free: ``size`` bytes or ``percent`` of the disk, whichever is more."""

    size: int
    percent: int

    def bytes_of(self, total: int) -> int:
        """Return the reserve of a disk of ``total`` bytes."""
        return max(self.size, total * self.percent // 100)


class Disk:
    """The disk under one database."""

    def __init__(self, database: Path | None, reserve: Reserve) -> None:
        """``database`` is its file; None for a database server."""
        self._database = database
        self._reserve = reserve

    def free(self) -> int | None:
        """Return the free bytes; None for a database server, or if they are unknown."""
        with suppress(OSError):
            return None if self._database is None else _free(self._database.parent)[0]
        return None

    def reserve(self) -> int | None:
        """Return how many bytes are to stay free; None as for ``free``."""
        with suppress(OSError):
            return None if self._database is None else self._reserve.bytes_of(_free(self._database.parent)[1])
        return None

    def has_room(self, connection: Connection, size: int) -> bool:
        """Return whether a text of ``size`` bytes may be stored. Raises OSError."""
        if self._database is None:
            return True
        free, total = _free(self._database.parent)
        reserve = self._reserve.bytes_of(total)
        if not reserve or free >= reserve + _SPACE_FACTOR * size + _MARGIN:
            return True
        # Free pages in the file are used before it grows; pages that are only in the log will make it
        # grow.
        unused, pages, page_size = (
            _pragma(connection, name) for name in ("freelist_count", "page_count", "page_size")
        )
        pending = max(0, pages * page_size - self._database.stat().st_size)
        # The log cannot use free pages of the file.
        return (
            free >= reserve // 2 + size
            and free + unused * page_size - pending >= reserve + _SPACE_FACTOR * size
        )

    def ensure_reserve(self) -> bool:
        """Create the reserve's file if there is space; return whether it exists or none is wanted.

        Raises OSError.
        """
        if self._database is None:
            return True
        free, total = _free(self._database.parent)
        size = min(_FILE_BYTES, self._reserve.bytes_of(total) // _FILE_SHARE)
        path = _file_of(self._database)
        missing = size - _size_of(path)
        if missing > free:
            return False
        if missing > 0:
            _allocate(path, size)
        return True


def release_reserve(database: Path) -> bool:
    """Delete a piece of the reserve's file if the disk is full; return whether there was any left."""
    path = _file_of(database)
    left = _size_of(path) - _PIECE
    try:
        if _free(database.parent)[0] > _FILE_BYTES:
            return False
        if left > 0:
            os.truncate(path, left)
        else:
            path.unlink()
    except OSError:
        return False
    return True


def is_full(error: BaseException) -> bool:
    """Return whether a full disk may have caused the error."""
    return getattr(error, "sqlite_errorname", "").startswith(_FULL_DISK_ERRORS)


def _file_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-reserve")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(folder: Path) -> tuple[int, int]:
    """Return the bytes of a disk that are free for this user, and its size."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


def _pragma(connection: Connection, name: str) -> int:
    [(value,)] = connection.connection.cursor().execute(f"PRAGMA {name}").fetchall()
    return int(value)


def _allocate(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        # A part may have been allocated.
        os.ftruncate(descriptor, 0)
        raise
    finally:
        os.close(descriptor)
