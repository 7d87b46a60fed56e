"""Room on the disk of a database that is a file, and the reserve that is kept of it.

Wiping a text needs room too: what is overwritten goes to the log first. So writes are refused while there
is still enough for everything else. A part of that reserve is a file of its own beside the database, which
is given up, piece by piece, when something other than texts has filled the disk: the wiping that this
lets go on gives back what it needs to be made again.

A server looks after its own disk; here every question is answered as if it had room.
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
# As little as that is given up at a time: whatever fills the disk may take it.
_PIECE = 1 << 20
# A text is in the log and in the database, and wiping it needs as much again.
_TIMES = 3
# So far from the reserve nobody has to ask what is free within the database, nor how large the log is.
_FAR = 512 << 20
_FULL = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")


class Reserve(NamedTuple):
    """How much of a disk is kept free: so many bytes, or so many hundredths if they are more; 0: nothing."""

    size: int
    percent: int

    def of(self, whole: int) -> int:
        """In bytes, of a disk of ``whole`` bytes."""
        return max(self.size, whole * self.percent // 100)


class Disk:
    """The disk under one database."""

    def __init__(self, database: Path | None, reserve: Reserve) -> None:
        """``database`` is its file; None where a server keeps it."""
        self._database = database
        self._reserve = reserve

    def free(self) -> int | None:
        """How many bytes are free; None where a server keeps the database, or nobody can tell."""
        with suppress(OSError):
            return None if self._database is None else _free(self._database.parent)[0]
        return None

    def has_room(self, connection: Connection, size: int) -> bool:
        """Whether a text of ``size`` bytes may be kept. Raises OSError."""
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
        # The log needs room that no unused page gives.
        return free >= reserve // 2 + size and free + unused * page_size - pending >= reserve + _TIMES * size

    def ensure_reserve(self) -> bool:
        """Whether the file is there that a full disk needs, or none is wanted; made where there is room.

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
    """Whether a statement may have failed for want of room."""
    return getattr(error, "sqlite_errorname", "").startswith(_FULL)


def _file_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-reserve")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(folder: Path) -> tuple[int, int]:
    """How many bytes of a disk are free for us, and how many there are."""
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
