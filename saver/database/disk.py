"""Free space on the disk of an SQLite database, and the reserve that is kept free.

Wiping a text needs space too, because the write-ahead log grows first. So writes are refused while there is
still enough space for everything else. Part of the reserve is a file next to the database. It is given
up piece by piece when something other than texts has filled the disk; wiping can then go on and frees the
space to make the file again.

A database server manages its own disk; here it always counts as having space.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

# The size of the reserve file: at most so many bytes, and a fourth of the reserve.
_FILE_BYTES = 16 << 20
_FILE_SHARE = 4
# The file is given up in small pieces, since another program may use the space first.
_PIECE = 1 << 20
# A text is in the log and in the database, and wiping it needs its size once more.
_TIMES = 3
# With so many free bytes beyond the reserve, free pages and the size of the log do not matter.
_FAR = 512 << 20
_FULL = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")


class Reserve(NamedTuple):
    """The reserve of a disk: ``size`` bytes or ``percent`` of the disk, whichever is more; 0 means none."""

    size: int
    percent: int

    def of(self, whole: int) -> int:
        """Return the reserve in bytes of a disk of ``whole`` bytes."""
        return max(self.size, whole * self.percent // 100)


class Disk:
    """The disk of one database."""

    def __init__(self, database: Path | None, reserve: Reserve) -> None:
        """``database`` is its file; None for a database server."""
        self._database = database
        self._reserve = reserve

    def free(self) -> int | None:
        """Return the free bytes; None for a database server or if they cannot be read."""
        with suppress(OSError):
            return None if self._database is None else _free(self._database.parent)[0]
        return None

    def has_room(self, connection: Connection, size: int) -> bool:
        """Return whether there is space for a text of ``size`` bytes. Raises OSError."""
        if self._database is None:
            return True
        free, whole = _free(self._database.parent)
        reserve = self._reserve.of(whole)
        if not reserve or free >= reserve + _TIMES * size + _FAR:
            return True
        # Pages that a wiped text has left are used again before the file grows; those that are only
        # in the log will make it grow.
        unused, pages, page_size = (
            _pragma(connection, name) for name in ("freelist_count", "page_count", "page_size")
        )
        pending = max(0, pages * page_size - self._database.stat().st_size)
        # Free pages of the database do not help the log.
        return free >= reserve // 2 + size and free + unused * page_size - pending >= reserve + _TIMES * size

    def ensure_reserve(self) -> bool:
        """Create the reserve file if there is space; return whether it exists or is not needed.

        Raises OSError.
        """
        if self._database is None:
            return True
        free, whole = _free(self._database.parent)
        size = min(_FILE_BYTES, self._reserve.of(whole) // _FILE_SHARE)
        path = _file_of(self._database)
        missing = size - _size_of(path)
        if missing > free:
            return False
        if missing > 0:
            _allocate(path, size)
        return True


def release_reserve(database: Path) -> bool:
    """Give up a piece of the reserve's file, where the disk is full; whether there was any left."""
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
    """Return whether a full disk may have caused an error."""
    return getattr(error, "sqlite_errorname", "").startswith(_FULL)


def _file_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-reserve")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(folder: Path) -> tuple[int, int]:
    """Return the free bytes that this process may use, and the size of the disk."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _pragma(connection: Connection, name: str) -> int:
    [(value,)] = connection.connection.cursor().execute(f"PRAGMA {name}").fetchall()
    return int(value)


def _allocate(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        # Part of it may be there.
        os.ftruncate(descriptor, 0)
        raise
    finally:
        os.close(descriptor)
