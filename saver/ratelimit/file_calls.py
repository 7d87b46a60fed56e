"""System calls on an open file that keep Python's global interpreter lock (GIL).

``fcntl.flock`` and ``os.lseek`` release it. Another thread then takes it, and the caller waits for it while
it has the file locked, so that other processes wait too. These calls return within a microsecond.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import os
import time

LOCKED = "another process holds the lock on the counts"
# Seconds.
_LOCK_POLL = 0.000_5
# A process that runs holds it for some microseconds, which is as long as some tries take.
_QUICK_TRIES = 20

_libc = ctypes.PyDLL(None, use_errno=True)
# Without ``argtypes``, which take longer than the calls.
_flock, _lseek = _libc.flock, _libc.lseek
_lseek.restype = ctypes.c_long
_NO_OFFSET = ctypes.c_long(0)


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
            time.sleep(_LOCK_POLL)


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


def size_of(file: int) -> int:
    """The size in bytes; moves the position in the file. Raises OSError."""
    size: int = _lseek(file, _NO_OFFSET, os.SEEK_END)
    if size < 0:
        raise _error()
    return size


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
