"""System calls on an open file that keep Python's global interpreter lock (GIL).

``fcntl.flock`` and ``os.lstat`` release it. Another thread then takes it, and the caller waits for it while
it has the file locked, so that other processes wait too. These calls return within a microsecond.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import os
import struct
import time
from typing import NamedTuple

from saver.blocking import sleep

LOCKED = "another process holds the lock on the counts"
# Seconds.
_LOCK_POLL = 0.000_5
# A process that runs holds it for some microseconds, which is as long as some tries take.
_QUICK_TRIES = 20

_libc = ctypes.PyDLL(None, use_errno=True)
# Without ``argtypes``, which take longer than the calls.
_flock, _statx = _libc.flock, _libc.statx
# See statx(2): unlike those of stat, its fields lie in the same places on every processor.
_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_INO, _STATX_SIZE = 0x100, 0x200
_Status = ctypes.c_char * 256
_FIELDS = struct.Struct("=32xQQ88xII")


class FileIdentity(NamedTuple):
    """Which file it is, and its size in bytes."""

    inode: int
    size: int
    device_major: int
    device_minor: int


def lock(file: int, timeout: float) -> None:
    """Lock a file. Raises OSError after ``timeout`` seconds: a process that is stopped keeps its lock."""
    deadline = 0.0
    for tries in itertools.count(1):
        if try_lock(file):
            return
        if tries > _QUICK_TRIES:
            deadline = deadline or time.monotonic() + timeout
            if time.monotonic() > deadline:
                raise OSError(LOCKED)
            sleep(_LOCK_POLL)


def try_lock(file: int) -> bool:
    """Lock a file; False if another open file has the lock. Raises OSError."""
    if _flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) == 0:
        return True
    if ctypes.get_errno() == errno.EWOULDBLOCK:
        return False
    raise _error()


def unlock(file: int) -> None:
    """Release the lock. Raises OSError."""
    if _flock(file, fcntl.LOCK_UN) != 0:
        raise _error()


def find_file(path: bytes) -> FileIdentity | None:
    """Return which file a path names; None if none can be found."""
    buffer = _Status()
    if _statx(_AT_FDCWD, path, _AT_SYMLINK_NOFOLLOW, _STATX_INO | _STATX_SIZE, buffer) == 0:
        return FileIdentity._make(_FIELDS.unpack_from(buffer))
    # A sandbox may forbid statx.
    try:
        return _identity_of(os.lstat(path))
    except OSError:
        return None


def file_of(descriptor: int) -> FileIdentity:
    """Return which file is open. Raises OSError."""
    return _identity_of(os.fstat(descriptor))


def _identity_of(status: os.stat_result) -> FileIdentity:
    device = status.st_dev
    return FileIdentity(status.st_ino, status.st_size, os.major(device), os.minor(device))


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
